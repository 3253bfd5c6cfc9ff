// The maps of samples/iso-codes on Debian's real files: every record, and the awkward references.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "importer/testing.hpp"

namespace rhizome::importer {
namespace {

using ::testing::HasSubstr;

const std::string kData = "/usr/share/iso-codes/json/";

Imported import_iso(const std::string& file, const std::string& name) {
  const char* root = std::getenv("RHIZOME_SOURCE_DIR");
  Imported out;
  Result<Mapping> map =
      Mapping::load(std::string(root ? root : ".") + "/samples/iso-codes/" + name + ".map.yaml");
  if (!map) {
    out.status = map.status();
    return out;
  }
  Options options;
  options.bad = [&out](const BadRecord& bad) { out.bad.push_back(bad); };
  pull_all(open_mapped(kData + file, std::move(*map), options), out);
  return out;
}

class IsoCodes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access((kData + "iso_3166-1.json").c_str(), R_OK) != 0) {
      if (std::getenv("CI") != nullptr) FAIL() << "iso-codes is not installed";
      GTEST_SKIP() << "iso-codes is not installed";
    }
  }
};

TEST_F(IsoCodes, EveryRecordOfEveryFileIsTaken) {
  const std::map<std::string, std::string> files{
      {"countries", "iso_3166-1.json"}, {"subdivisions", "iso_3166-2.json"},
      {"languages", "iso_639-3.json"},  {"language-groups", "iso_639-2.json"},
      {"scripts", "iso_15924.json"},    {"currencies", "iso_4217.json"}};
  std::size_t records = 0;
  std::size_t deltas = 0;
  for (const auto& [map, file] : files) {
    const Imported run = import_iso(file, map);
    ASSERT_TRUE(run.status.ok()) << run.status.to_string();
    EXPECT_TRUE(run.bad.empty()) << map << ": " << run.bad[0].why;
    EXPECT_GT(run.progress.bytes_read, run.progress.bytes_total / 2);
    records += run.progress.records;
    deltas += run.items.size();
    std::set<std::string> distinct;
    for (const ImportItem& item : run.items) distinct.insert(item.json);
    EXPECT_EQ(distinct.size(), run.items.size()) << map;
  }
  EXPECT_GT(records, 14000u);
  EXPECT_GT(deltas, 50000u);
  std::printf("%zu records, %zu deltas\n", records, deltas);
}

TEST_F(IsoCodes, ASubdivisionPointsAtItsCountryAndAtItsParentHoweverThatIsWritten) {
  const Imported run = import_iso("iso_3166-2.json", "subdivisions");
  std::string with_prefix;
  std::string without;
  std::set<std::string> subdivisions;
  std::vector<std::string> parents;
  for (const ImportItem& item : run.items) {
    const std::size_t at = item.json.find("{\"role\":\"parent\",\"target\":{\"id\":\"");
    if (item.json.find("\"context\":\"name\"") != std::string::npos) {
      const std::size_t id = item.json.find("subdivision:");
      subdivisions.insert(item.json.substr(id, item.json.find('"', id) - id));
    }
    if (at == std::string::npos) continue;
    const std::size_t id = item.json.find("subdivision:", at);
    parents.push_back(item.json.substr(id, item.json.find('"', id) - id));
    if (item.json.find("subdivision:AZ-BAB") != std::string::npos) without = item.json;
  }
  EXPECT_THAT(without, HasSubstr("{\"role\":\"parent\",\"target\":{\"id\":\"subdivision:AZ-NX\","
                                 "\"context\":\"parts\"}}"));
  EXPECT_GT(parents.size(), 1000u);
  for (const std::string& parent : parents) EXPECT_EQ(subdivisions.count(parent), 1u) << parent;
}

}  // namespace
}  // namespace rhizome::importer
