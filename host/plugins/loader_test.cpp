// Loading: what is inspected without running, what is refused and how it is said, what is pinned.
#include "plugins/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rhizome/abi/store.h"

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const rz_host kHost = {nullptr, [](void*, const char*) -> const void* { return nullptr; }};

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class Plugins : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rhizome-plugins-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directory(folder_ + "/path");
    built_ = std::string(std::getenv("RHIZOME_BUILD_DIR")) + "/lib/rhizome/plugins";
  }
  void TearDown() override { fs::remove_all(folder_); }

  PluginHost host() {
    return PluginHost(
        {{folder_ + "/path", built_}, folder_ + "/plugins.lock", folder_ + "/staging", &kHost});
  }
  // A copy of the memory store with some of its bytes replaced (same length).
  std::string altered(const std::string& name, const std::string& from, const std::string& to) {
    std::string bytes = slurp(built_ + "/memory.so");
    const std::size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    bytes.replace(at, from.size(), to);
    std::ofstream(folder_ + "/path/" + name + ".so", std::ios::binary) << bytes;
    return name;
  }
  std::string folder_, built_;
};

TEST_F(Plugins, TheMemoryStoreLoadsAndAnswersItsInterface) {
  PluginHost plugins = host();
  const auto loaded = plugins.load("memory");
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  EXPECT_EQ(loaded->info().manifest.id, "rhizome.memory");
  const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
  ASSERT_TRUE(table.ok());
  EXPECT_NE((*table)->open, nullptr);
  EXPECT_EQ(loaded->interface<rz_store>("rhizome.filter/1").code(), Code::kUnsupported);
}

TEST_F(Plugins, InspectTellsTheManifestOfAStrippedFile) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/stripped.so");
  ASSERT_EQ(std::system(("strip " + folder_ + "/path/stripped.so").c_str()), 0);
  const auto info = host().inspect("stripped");
  ASSERT_TRUE(info.ok()) << info.status().to_string();
  EXPECT_EQ(info->manifest.kind, "store");
  EXPECT_EQ(info->refusal, "");
  EXPECT_EQ(info->hash.size(), 64u);
}

TEST_F(Plugins, AnotherAbiMajorIsRefusedWithTheMend) {
  altered("newer", "\"abi\": 1", "\"abi\": 9");
  EXPECT_THAT(host().load("newer").status().message(),
              AllOf(HasSubstr("newer.so"), HasSubstr("ABI major 9; this host offers 1"),
                    HasSubstr("build it")));
}

TEST_F(Plugins, AFileWithoutANoteIsRefusedBeforeAnyOfItRuns) {
  altered("noteless", std::string("Rhizome\0", 8), std::string("Another\0", 8));
  EXPECT_THAT(host().load("noteless").status().message(), HasSubstr("no manifest note"));
}

TEST_F(Plugins, ABrokenManifestIsRefused) {
  altered("broken", "\"kind\": \"store\"", "\"kind\": \"storm\"");
  EXPECT_THAT(host().load("broken").status().message(), HasSubstr("kind: expected one of"));
}

TEST_F(Plugins, ADeclaredInterfaceThatIsNullIsRefused) {
  altered("liar", "\"rhizome.store/1\"", "\"rhizome.store/7\"");
  EXPECT_THAT(host().load("liar").status().message(),
              HasSubstr("rhizome.store/7: declared in its manifest"));
}

TEST_F(Plugins, WhatIsNoElfIsRefused) {
  std::ofstream(folder_ + "/path/text.so") << "hello";
  EXPECT_THAT(host().load("text").status().message(), HasSubstr("not an ELF file"));
}

TEST_F(Plugins, ARelativePathIsNeverLoaded) {
  EXPECT_EQ(host().load("./memory.so").code(), Code::kDenied);
  EXPECT_THAT(host().load("nowhere").status().message(), HasSubstr("no nowhere.so in"));
}

TEST_F(Plugins, ADirectoryThatOthersMayWriteIsRefused) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/open.so");
  ::chmod((folder_ + "/path").c_str(), 0777);
  EXPECT_THAT(host().load("open").status().message(), HasSubstr("chmod go-w"));
}

TEST_F(Plugins, APinnedPluginWhoseBytesChangedIsRefusedUntilItIsTrustedAgain) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/mine.so");
  ASSERT_TRUE(host().trust("mine").ok());
  EXPECT_TRUE(host().inspect("mine")->pinned);
  EXPECT_TRUE(host().load("mine").ok());
  std::ofstream(folder_ + "/path/mine.so", std::ios::app) << "one more byte";
  EXPECT_THAT(host().load("mine").status().message(), HasSubstr("rhizome plugin trust"));
  ASSERT_TRUE(host().trust("mine").ok());
  EXPECT_TRUE(host().load("mine").ok());
}

TEST_F(Plugins, OverwritingTheOriginalAfterLoadingChangesNothing) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/swapped.so");
  PluginHost plugins = host();
  const auto loaded = plugins.load("swapped");
  ASSERT_TRUE(loaded.ok());
  std::ofstream(folder_ + "/path/swapped.so", std::ios::trunc) << "garbage";
  const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
  ASSERT_TRUE(table.ok());
  void* store = nullptr;
  rz_error error{};
  ASSERT_EQ((*table)->open({nullptr, 0}, {nullptr, 0}, &store, &error), RZ_OK);
  (*table)->close(store);
}

TEST_F(Plugins, EveryTruncationOfAPluginIsRefusedOrReadAndNeverCrashes) {
  const std::string bytes = slurp(built_ + "/memory.so");
  for (std::size_t size = 0; size < bytes.size(); size += 37)
    (void)find_note(ByteView(bytes).substr(0, size)).ok();
  EXPECT_TRUE(find_note(bytes).ok());
}

}  // namespace
}  // namespace rhizome
