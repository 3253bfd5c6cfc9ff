// A plugin is what its manifest says, whatever its file is called.
#include "plugins/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rhizome-registry-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    built_ = std::string(std::getenv("RHIZOME_BUILD_DIR")) + "/lib/rhizome/plugins";
  }
  void TearDown() override { fs::remove_all(folder_); }
  void copy(const std::string& plugin, const std::string& as, const std::string& from = "",
            const std::string& to = "") {
    std::ifstream file(built_ + "/" + plugin + ".so", std::ios::binary);
    std::ostringstream read;
    read << file.rdbuf();
    std::string bytes = read.str();
    if (!from.empty()) bytes.replace(bytes.find(from), from.size(), to);
    std::ofstream(folder_ + "/" + as + ".so", std::ios::binary) << bytes;
  }
  Result<PluginInfo> find(const std::string& kind, const std::string& name) {
    const PluginHost host({{folder_}, "", folder_ + "/staging"});
    return PluginRegistry(host).find(kind, name);
  }
  std::string folder_, built_;
};

TEST_F(RegistryTest, APluginUnderAnotherFileNameIsFoundByItsId) {
  copy("memory", "renamed");
  for (const char* name : {"memory", "rhizome.memory"}) {
    const auto found = find("store", name);
    ASSERT_TRUE(found.ok()) << found.status().to_string();
    EXPECT_EQ(found->file, fs::canonical(folder_ + "/renamed.so").string());
  }
}

TEST_F(RegistryTest, AFileThatTakesAnothersNameIsNotThatPlugin) {
  copy("standard", "jsonlogic");
  const auto found = find("filter", "jsonlogic");
  EXPECT_EQ(found.code(), Code::kNotFound);
  EXPECT_THAT(found.status().message(),
              AllOf(HasSubstr("no filter plugin has the id 'jsonlogic'"),
                    HasSubstr("jsonlogic.so is rhizome.standard, a resolver")));
}

TEST_F(RegistryTest, WhatIsMissingIsToldWithWhatThereIs) {
  copy("memory", "memory");
  copy("standard", "standard");
  EXPECT_THAT(find("store", "leveldb").status().message(),
              HasSubstr("of this kind there are: rhizome.memory"));
  EXPECT_THAT(
      find("transport", "zeromq").status().message(),
      AllOf(HasSubstr("of this kind there are: none"), HasSubstr("plugins.path leaves out "),
            HasSubstr("lib/rhizome/plugins, where the default plugins are")));
}

TEST_F(RegistryTest, OneIdOfTwoFilesIsRefusedWhereTheirBytesDiffer) {
  copy("memory", "a");
  copy("memory", "b");
  EXPECT_TRUE(find("store", "memory").ok()) << "the same bytes twice are one plugin";
  copy("memory", "c", "0.1.0", "0.1.1");
  EXPECT_THAT(find("store", "memory").status().message(),
              AllOf(HasSubstr("two plugins have the id rhizome.memory"), HasSubstr("c.so")));
}

TEST_F(RegistryTest, APathNamesItsFileAndTheKindIsCheckedAllTheSame) {
  copy("memory", "store");
  EXPECT_TRUE(find("store", folder_ + "/store.so").ok());
  EXPECT_THAT(find("resolver", folder_ + "/store.so").status().message(),
              HasSubstr("rhizome.memory is a store"));
  EXPECT_FALSE(find("store", folder_ + "/nothing.so").ok());
}

}  // namespace
}  // namespace rhizome
