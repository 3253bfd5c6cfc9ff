// Loading: what is inspected without running, what is refused and how it is said, what is pinned.
#include "plugins/loader.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "note/note.hpp"
#include "plugins/library.hpp"
#include "rhizome/abi/store.h"
#include "rhizome/use/host.hpp"

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

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
        {{folder_ + "/path", built_}, folder_ + "/plugins.lock", folder_ + "/staging"});
  }
  // The file of this name in the test's own directory, else among the built ones.
  std::string file(const std::string& name) const {
    const std::string own = folder_ + "/path/" + name + ".so";
    return fs::exists(own) ? own : built_ + "/" + name + ".so";
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
  const auto loaded = plugins.load(file("memory"));
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
  const auto info = host().inspect(file("stripped"));
  ASSERT_TRUE(info.ok()) << info.status().to_string();
  EXPECT_EQ(info->manifest.kind, "store");
  EXPECT_EQ(info->refusal, "");
  EXPECT_EQ(info->hash.size(), 64u);
}

TEST_F(Plugins, AnotherAbiMajorIsRefusedWithTheMend) {
  altered("newer", "\"abi\": 1", "\"abi\": 9");
  EXPECT_THAT(host().load(file("newer")).status().message(),
              AllOf(HasSubstr("newer.so"), HasSubstr("expected ABI major 1, found 9"),
                    HasSubstr("build it against this host's SDK")));
}

TEST_F(Plugins, AFileWithoutANoteIsRefusedBeforeAnyOfItRuns) {
  altered("noteless", std::string("Rhizome\0", 8), std::string("Another\0", 8));
  EXPECT_THAT(host().load(file("noteless")).status().message(), HasSubstr("no manifest note"));
}

TEST_F(Plugins, ABrokenManifestIsRefused) {
  altered("broken", "\"kind\": \"store\"", "\"kind\": \"storm\"");
  EXPECT_THAT(host().load(file("broken")).status().message(), HasSubstr("kind: expected one of"));
}

TEST_F(Plugins, ADeclaredInterfaceThatIsNullIsRefused) {
  altered("liar", "\"rhizome.store/1\"", "\"rhizome.store/7\"");
  EXPECT_THAT(host().load(file("liar")).status().message(),
              HasSubstr("found NULL for rhizome.store/7"));
}

TEST_F(Plugins, WhatIsNoElfIsRefused) {
  std::ofstream(folder_ + "/path/text.so") << "hello";
  EXPECT_THAT(host().load(file("text")).status().message(), HasSubstr("not an ELF file"));
}

TEST_F(Plugins, ARelativePathIsNeverLoaded) {
  EXPECT_EQ(host().load("./memory.so").code(), Code::kDenied);
  EXPECT_THAT(host().load(file("nowhere")).status().message(),
              HasSubstr("nowhere.so: rule named: expected a file"));
}

TEST_F(Plugins, ADirectoryThatOthersMayWriteIsRefused) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/open.so");
  ::chmod((folder_ + "/path").c_str(), 0777);
  EXPECT_THAT(host().load(file("open")).status().message(), HasSubstr("chmod go-w"));
}

TEST_F(Plugins, APinnedPluginWhoseBytesChangedIsRefusedUntilItIsTrustedAgain) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/mine.so");
  ASSERT_TRUE(host().trust(file("mine")).ok());
  EXPECT_TRUE(host().inspect(file("mine"))->pinned);
  EXPECT_TRUE(host().load(file("mine")).ok());
  std::ofstream(folder_ + "/path/mine.so", std::ios::app) << "one more byte";
  EXPECT_THAT(host().load(file("mine")).status().message(), HasSubstr("rhizome plugin trust"));
  ASSERT_TRUE(host().trust(file("mine")).ok());
  EXPECT_TRUE(host().load(file("mine")).ok());
}

TEST_F(Plugins, APinIsNotGotAroundByAnotherIdOrAnotherFile) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/mine.so");
  ASSERT_TRUE(host().trust(file("mine")).ok());
  altered("mine", "rhizome.memory", "another.plugin");  // the same file, another id
  EXPECT_THAT(host().load(file("mine")).status().message(), HasSubstr("rule pinned"));
  altered("other", "\"version\": \"0.1.0\"", "\"version\": \"9.9.9\"");  // the same id elsewhere
  EXPECT_THAT(host().load(file("other")).status().message(), HasSubstr("rule pinned"));
}

TEST_F(Plugins, ADamagedLockFileLetsNothingLoad) {
  for (const char* damage :
       {"", "garbage\n",
        "# rhizome plugins.lock 1: BLAKE3-256, id, file\nabc rhizome.memory /x.so\n"}) {
    std::ofstream(folder_ + "/plugins.lock") << damage;
    EXPECT_THAT(host().load(file("memory")).status().message(),
                AllOf(HasSubstr("rule pinned"), HasSubstr("trust the plugins again")));
    EXPECT_FALSE(host().trust(file("memory")).ok());
  }
  fs::remove(folder_ + "/plugins.lock");
  fs::create_directory(folder_ + "/plugins.lock");
  EXPECT_THAT(host().load(file("memory")).status().message(), HasSubstr("no regular file"));
}

TEST_F(Plugins, ALockFileThatOthersCanWriteLetsNothingLoad) {
  ASSERT_TRUE(host().trust(file("memory")).ok());
  ::chmod((folder_ + "/plugins.lock").c_str(), 0666);
  EXPECT_THAT(host().load(file("memory")).status().message(), HasSubstr("others can write"));
}

TEST_F(Plugins, WhatChangedSinceItWasInspectedIsNotLoaded) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/moving.so");
  PluginHost plugins = host();
  ASSERT_TRUE(plugins.inspect(file("moving")).ok());
  std::ofstream(folder_ + "/path/moving.so", std::ios::app) << "one more byte";
  EXPECT_THAT(plugins.load(file("moving")).status().message(), HasSubstr("rule unchanged"));
  ASSERT_TRUE(plugins.inspect(file("moving")).ok());
  EXPECT_TRUE(plugins.load(file("moving")).ok());
}

TEST_F(Plugins, AFileOrDirectoryAboveThatOthersMayWriteIsRefused) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/loose.so");
  ::chmod((folder_ + "/path/loose.so").c_str(), 0775);
  EXPECT_THAT(host().load(file("loose")).status().message(),
              HasSubstr("that its group can write it"));
  ::chmod((folder_ + "/path/loose.so").c_str(), 0755);
  ::chmod(folder_.c_str(), 0777);
  EXPECT_THAT(host().load(file("loose")).status().message(), HasSubstr("chmod go-w " + folder_));
}

TEST_F(Plugins, APipeIsRefusedWithoutWaitingForIt) {
  ASSERT_EQ(::mkfifo((folder_ + "/path/pipe.so").c_str(), 0600), 0);
  EXPECT_THAT(host().inspect(file("pipe")).status().message(), HasSubstr("no regular file"));
}

TEST_F(Plugins, AStagingDirectoryOfSomebodyElseIsNotUsed) {
  fs::create_directory(folder_ + "/staging");
  ::chmod((folder_ + "/staging").c_str(), 0755);
  EXPECT_THAT(host().load(file("memory")).status().message(), HasSubstr("rule staging"));
}

TEST_F(Plugins, WhatIsLoadedIsAPrivateCopyNamedByItsHash) {
  const auto loaded = host().load(file("memory"));
  ASSERT_TRUE(loaded.ok());
  const fs::path staged = folder_ + "/staging/" + loaded->info().hash + ".so";
  EXPECT_EQ(slurp(staged.string()), slurp(built_ + "/memory.so"));
  EXPECT_EQ(fs::status(staged.parent_path()).permissions(), fs::perms::owner_all);
  EXPECT_THAT(slurp("/proc/self/maps"), HasSubstr(staged.string()));
}

TEST_F(Plugins, InspectTellsLibrariesAndExports) {
  const auto info = host().inspect(file("memory"));
  ASSERT_TRUE(info.ok());
  EXPECT_THAT(info->exports, testing::ElementsAre("rhizome_plugin"));
  EXPECT_THAT(info->needed, testing::Contains(HasSubstr("libc.so")));
}

TEST_F(Plugins, OverwritingTheOriginalAfterLoadingChangesNothing) {
  fs::copy(built_ + "/memory.so", folder_ + "/path/swapped.so");
  PluginHost plugins = host();
  const auto loaded = plugins.load(file("swapped"));
  ASSERT_TRUE(loaded.ok());
  std::ofstream(folder_ + "/path/swapped.so", std::ios::trunc) << "garbage";
  const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
  ASSERT_TRUE(table.ok());
  void* store = nullptr;
  rz_error error{};
  use::BareHost bare;
  ASSERT_EQ((*table)->open(bare.table(), {nullptr, 0}, {nullptr, 0}, &store, &error), RZ_OK);
  (*table)->close(store);
}

TEST_F(Plugins, EveryTruncationOfAPluginIsRefusedOrReadAndNeverCrashes) {
  const std::string bytes = slurp(built_ + "/memory.so");
  for (std::size_t size = 0; size < bytes.size(); size += 37) {
    (void)find_note(ByteView(bytes).substr(0, size)).ok();
    (void)read_library(ByteView(bytes).substr(0, size)).ok();
  }
  EXPECT_TRUE(find_note(bytes).ok());
  EXPECT_TRUE(read_library(bytes).ok());
}

TEST_F(Plugins, FlippedBytesOfAPluginNeverCrashTheReader) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string good = slurp(built_ + "/memory.so");
  // Where headers, notes and the dynamic section lie: most damage elsewhere is never looked at.
  std::vector<std::pair<std::size_t, std::size_t>> places = {{0, 1024}, {0, good.size()}};
  Elf64_Ehdr header{};
  std::memcpy(&header, good.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    std::memcpy(&segment, good.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_NOTE || segment.p_type == PT_DYNAMIC)
      places.emplace_back(segment.p_offset, segment.p_filesz);
  }
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int flips = 0; flips < 4; ++flips) {
      const auto [offset, size] = places[random() % places.size()];
      bytes[offset + random() % size] = static_cast<char>(random());
    }
    (void)find_note(bytes).ok();
    (void)read_library(bytes).ok();
  }
}

}  // namespace
}  // namespace rhizome
