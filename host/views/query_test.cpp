// Queries over deltas: an index and a scan find the same, conditions narrow, pages follow.
#include "views/query.hpp"

#include <gtest/gtest.h>

#include "authoring/testing.hpp"
#include "journal/testing_filters.hpp"

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
    QueryCursor cursor(*journal, std::move(query));
    QueryCursor::Run run;
    for (;;) {
      const Result<bool> more = cursor.next(run);
      EXPECT_TRUE(more.ok()) << more.status().to_string();
      if (!more.ok() || !*more) break;
      for (const std::size_t row : run.rows) found.push_back(run.deltas[row][1].number());
    }
    if (end != nullptr) *end = cursor.end();
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
      use::Filter::compile(testing_support::json_logic(),
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

TEST_F(QueryTest, APassCanBeLeftBetweenTwoRuns) {
  QueryCursor cursor(*journal, {});
  QueryCursor::Run run;
  ASSERT_TRUE(*cursor.next(run));
  EXPECT_LT(run.rows.size(), 1000U);
  EXPECT_EQ(cursor.end().last, run.seqs.back());
  EXPECT_FALSE(cursor.end().more);
}

}  // namespace
}  // namespace rhizome
