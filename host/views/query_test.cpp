// Queries over deltas: an index and a scan find the same, conditions narrow, pages follow.
#include "views/query.hpp"

#include <gtest/gtest.h>

#include "authoring/testing.hpp"

namespace rhizome {
namespace {

using testing_support::Doors;
using testing_support::say;

class QueryTest : public testing::Test, protected Doors {
 protected:
  void SetUp() override {
    for (int i = 0; i < 1000; ++i)
      receive({say(i % 10 == 0 ? other : author, i, "e:" + std::to_string(i % 5),
                   i % 2 == 0 ? "even" : "odd", static_cast<double>(i))});
  }
  std::vector<double> values(DeltaQuery query, QueryEnd* end = nullptr) {
    std::vector<double> found;
    const Result<QueryEnd> done = query_deltas(*journal, query, [&](Seq, DeltaView delta) {
      found.push_back(delta[1].number());
      return true;
    });
    EXPECT_TRUE(done.ok()) << done.status().to_string();
    if (end != nullptr && done.ok()) *end = *done;
    return found;
  }
};

TEST_F(QueryTest, AnIndexAndAScanFindTheSame) {
  DeltaQuery by_index;
  by_index.entity = "e:3";
  QueryEnd end;
  const std::vector<double> found = values(by_index, &end);
  EXPECT_EQ(found.size(), 200U);
  EXPECT_EQ(end.examined, 200U);
  const auto filter =
      use::Filter::compile(testing_support::plugin_table<rz_filter>("jsonlogic", RZ_FILTER_ID),
                           R"({"some":[{"var":"pointers"},{"==":[{"var":"target.id"},"e:3"]}]})");
  ASSERT_TRUE(filter.ok()) << filter.status().to_string();
  DeltaQuery by_scan;
  by_scan.filter = &*filter;
  EXPECT_EQ(values(by_scan, &end), found);
  EXPECT_EQ(end.examined, 1000U);
  EXPECT_EQ(end.errors, 0U);
}

TEST_F(QueryTest, EntityContextAndAuthorNarrowTogether) {
  DeltaQuery query;
  query.entity = "e:0";
  query.context = "odd";
  query.author = author.author();
  EXPECT_EQ(values(query).size(), 100U);
  query.context = "even";
  EXPECT_EQ(values(query).size(), 0U) << "all of e:0's even ones are the other author's";
  query.author = other.author();
  EXPECT_EQ(values(query).size(), 100U);
  query.entity.reset();
  query.context = "odd";
  EXPECT_EQ(values(query).size(), 0U);
}

TEST_F(QueryTest, PagesFollowEachOtherWithoutGapOrRepetition) {
  for (const bool indexed : {false, true}) {
    DeltaQuery query;
    if (indexed) query.entity = "e:1";
    const std::vector<double> all = values(query);
    query.limit = 7;
    std::vector<double> paged;
    QueryEnd end;
    do {
      const std::vector<double> page = values(query, &end);
      paged.insert(paged.end(), page.begin(), page.end());
      query.after = end.last;
    } while (end.more);
    EXPECT_EQ(paged, all);
  }
}

TEST_F(QueryTest, ARowThatHasEnoughEndsTheQuery) {
  std::size_t rows = 0;
  const Result<QueryEnd> end =
      query_deltas(*journal, {}, [&](Seq, DeltaView) { return ++rows < 3; });
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(rows, 3U);
  EXPECT_EQ(end->last, 3U);
}

}  // namespace
}  // namespace rhizome
