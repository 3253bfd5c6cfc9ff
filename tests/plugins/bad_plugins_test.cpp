// Each bad plugin is refused by exactly its own rule, and how much of it ran before that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "plugins/loader.hpp"

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Bad {
  const char* name;
  const char* rule;
  const char* told;
  const char* ran;  // "" where nothing of it may run
};

// In the order in which the rules are checked.
const Bad kBad[] = {
    {"no_note", "manifest-note", "build it with rhizome_add_plugin", ""},
    {"lying_note", "manifest-note", "a note that is longer than its segment", ""},
    {"corrupt_manifest", "manifest", "not JSON at byte 33", ""},
    {"unknown_manifest_key", "manifest", "colour: expected one of", ""},
    {"unknown_capability", "manifest", "found 'teleport'", ""},
    {"unsupported_schema", "manifest", "'oneOf'", ""},
    {"another_abi", "abi-major", "expected ABI major 1, found 9", ""},
    {"library_by_path", "library-paths", "needed/libbad_library_by_path_library.so", ""},
    {"origin_runpath", "library-paths", "found '$ORIGIN/lib'", ""},
    {"no_entry", "entry-symbol", "found no exports", ""},
    {"entry_is_function", "entry-symbol", "found something else", ""},
    {"short_entry", "entry-symbol", "found data of 8 bytes", ""},
    {"extra_exports", "one-export", "found 2: helper, rhizome_plugin", ""},
    {"undefined_symbol", "symbols-bound", "nobody_has_this_function", ""},
    {"missing_library", "symbols-bound", "libbad_missing_library_library.so", ""},
    {"entry_abi", "entry-table", "found 2 in rhizome_plugin", "constructor "},
    {"null_get_interface", "entry-table", "found NULL for get_interface", "constructor "},
    {"interface_null", "interfaces", "NULL for bad.nothing/1", "constructor get_interface "},
    {"get_interface_throws", "interfaces", "no std::exception", "constructor get_interface "},
    {"answers_everything", "interfaces", "an interface that nobody has",
     "constructor get_interface get_interface "},
};

class BadPlugins : public testing::TestWithParam<Bad> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rhizome-bad-plugins-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::setenv("RHIZOME_BAD_PLUGIN_RAN", (folder_ + "/ran").c_str(), 1);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string file(const std::string& name) {
    return std::string(std::getenv("RHIZOME_BUILD_DIR")) + "/tests/bad-plugins/" + name + ".so";
  }
  PluginHost host() const { return PluginHost({{}, "", folder_ + "/staging"}); }
  std::string ran() const {
    std::ostringstream text;
    if (std::ifstream file(folder_ + "/ran"); file) text << file.rdbuf();
    return text.str();
  }
  std::string folder_;
};

TEST_F(BadPlugins, TheControlIsNotBad) {
  const auto loaded = host().load(file("control"));
  EXPECT_TRUE(loaded.ok()) << loaded.status().to_string();
  EXPECT_EQ(ran(), "constructor get_interface get_interface ");
}

TEST_P(BadPlugins, IsRefusedByItsOwnRule) {
  const Bad& bad = GetParam();
  const auto loaded = host().load(file(bad.name));
  ASSERT_FALSE(loaded.ok());
  const std::string& message = loaded.status().message();
  EXPECT_THAT(message,
              HasSubstr(std::string("/") + bad.name + ".so: rule " + bad.rule + ": expected "));
  EXPECT_THAT(message, HasSubstr(bad.told));
  EXPECT_EQ(message.find(": rule ", message.find(": rule ") + 1), std::string::npos) << message;
  EXPECT_EQ(ran(), bad.ran);
}

TEST_P(BadPlugins, InspectRunsNothingOfItAndAgreesWhereItCan) {
  const Bad& bad = GetParam();
  const auto info = host().inspect(file(bad.name));
  const std::string refusal = info.ok() ? info->refusal : info.status().message();
  const bool only_by_loading = bad.ran[0] != '\0' || std::string(bad.rule) == "symbols-bound";
  EXPECT_THAT(refusal, HasSubstr(only_by_loading ? "" : std::string("rule ") + bad.rule));
  EXPECT_EQ(refusal.empty(), only_by_loading) << refusal;
  EXPECT_EQ(ran(), "");
}

TEST_P(BadPlugins, ASecondTryRunsNoneOfItAgain) {
  (void)host().load(file(GetParam().name)).ok();
  const std::string before = ran();
  EXPECT_FALSE(host().load(file(GetParam().name)).ok());
  EXPECT_EQ(ran(), before);
}

INSTANTIATE_TEST_SUITE_P(Loader, BadPlugins, testing::ValuesIn(kBad),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace rhizome
