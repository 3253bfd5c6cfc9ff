// The filter index through the JSON-Logic plugin: what it finds, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "match/testing.hpp"

namespace rhizome {
namespace {

using match_testing::compile;
using match_testing::one_delta;
using testing::ElementsAre;

std::vector<std::uint64_t> ids(const Matches& found) {
  std::vector<std::uint64_t> ids;
  for (const Hit& hit : found.hits) ids.push_back(hit.id);
  return ids;
}

TEST(FilterIndex, ADeltaFindsTheFiltersThatItMatches) {
  FilterIndex index;
  ASSERT_TRUE(index.add({1, 10}, compile(R"({"@entity":"de"})")).ok());
  ASSERT_TRUE(index.add({1, 11}, compile(R"({"@entity":"fr"})")).ok());
  ASSERT_TRUE(index.add({2, 12}, compile(R"({"==":[{"var":"author"},"alice"]})")).ok());
  Matches found;
  const DeltaBatch batch = one_delta("alice", 5, "de", "population", 83.2);
  const rz_delta* delta = batch.block(0);
  index.match({&delta, 1}, found);
  EXPECT_THAT(ids(found), ElementsAre(10, 12));
}

}  // namespace
}  // namespace rhizome
