// The API without a socket: roles, writes that are committed together, waits in virtual time, rows
// as they are pulled.
#include "api/api.hpp"

#include <gmock/gmock.h>

#include <set>

#include "authoring/testing.hpp"

namespace rhizome::api {
namespace {

using testing::HasSubstr;
using testing_support::Doors;

constexpr std::uint64_t kMillisecond = 1'000'000;

std::string claims(const std::string& entity, const std::string& value_json) {
  return R"({"pointers":[{"role":"subject","target":{"id":")" + entity +
         R"(","context":"p"}},{"role":"value","target":)" + value_json + "}]}";
}

class ApiTest : public testing::Test, protected Doors {
 protected:
  ApiTest() : api_(parts()) {}
  Parts parts() {
    Parts given(time_, *journal, admission, authoring, extents_);
    EXPECT_TRUE(given.resolvers.add("standard", testing_support::standard_resolvers()).ok());
    return given;
  }
  static ExtentOptions two_voters(const NodeKey& self, const NodeKey& other) {
    ExtentOptions options;
    options.self.key = self;
    options.self.name = "a";
    options.peers.emplace_back().key = other;
    options.peers.back().name = "b";
    return options;
  }
  WriteRequest request(const std::vector<std::string>& lines) const {
    WriteRequest made;
    made.drafts = drafts(lines);
    return made;
  }
  // Asks for a write; its result is in `results` once it is done.
  Waits::Cancel write(WriteRequest asked) {
    results.emplace_back();
    return api_.write(owner_, std::move(asked),
                      [this, place = results.size() - 1](Result<WriteResult> result) {
                        ASSERT_FALSE(results[place]) << "answered twice";
                        results[place] = std::move(result);
                      });
  }
  static std::vector<Seq> rows_of(RowStream& stream, RowsEnd* end = nullptr) {
    std::vector<Seq> seqs;
    while (const std::optional<RowBatch> batch = stream.next()) {
      for (const Row& row : batch->rows) seqs.push_back(row.seq);
      if (batch->end && end != nullptr) *end = *batch->end;
    }
    return seqs;
  }

  const Principal owner_ = Principal::owner();
  SimulatedExecutor time_{1};
  ExtentBook extents_{two_voters(node.public_key(), other.public_key()), *journal, executor};
  Api api_;
  std::vector<std::optional<Result<WriteResult>>> results;
};

TEST_F(ApiTest, APrincipalDoesOnlyWhatItsRolesAllow) {
  const Principal reader{{}, static_cast<std::uint8_t>(Role::kRead)};
  EXPECT_TRUE(api_.digest(reader).ok());
  EXPECT_EQ(api_.roster_set(reader, "").code(), Code::kDenied);
  EXPECT_EQ(api_.negate(reader, {}).code(), Code::kDenied);
  std::optional<Code> answered;
  (void)api_.write(reader, request({claims("e", "1")}),
                   [&](const Result<WriteResult>& result) { answered = result.code(); });
  EXPECT_EQ(answered, Code::kDenied);
  const Principal writer{{}, static_cast<std::uint8_t>(Role::kWrite)};
  const auto refused = api_.query(writer, {}, [] {});
  EXPECT_THAT(refused.status().message(), HasSubstr("query: expected the role 'read'"));
}

TEST_F(ApiTest, APrincipalCannotWriteInAnothersName) {
  Principal stranger = owner_;
  stranger.author = other.author();
  EXPECT_THAT(api_.negate(stranger, {}).status().message(), HasSubstr("this node signs as"));
  stranger.author = author.author();
  EXPECT_EQ(api_.negate(stranger, {}).code(), Code::kInvalid) << "it is the node's own author";
}

TEST_F(ApiTest, WritesThatComeTogetherAreOneCommitAndEachGetsItsOwnAnswer) {
  const std::uint64_t before = journal->stats().commits;
  for (int i = 0; i < 10; ++i)
    (void)write(request({claims("e", std::to_string(i)), claims("f", std::to_string(i))}));
  WriteRequest transaction = request({claims("g", "1"), claims("g", "2")});
  transaction.options.cover = Cover::kTransaction;
  (void)write(std::move(transaction));
  time_.run_for(0);
  EXPECT_EQ(journal->stats().commits, before + 1);
  std::set<std::uint64_t> given;
  for (const auto& result : results) {
    ASSERT_TRUE(result && result->ok());
    const Written& written = (*result)->written;
    EXPECT_EQ(written.added, 2U);
    for (const DraftResult& one : written.results) EXPECT_NE(one.number, 0U);
    for (const NumberedRun& run : written.numbered)
      for (std::uint64_t n = run.first; n <= run.last; ++n)
        EXPECT_TRUE(given.insert(n).second) << n << " is two writes' number";
    EXPECT_EQ(written.token->n, written.numbered.back().last);
    const Result<ReadToken> token = parse_token(written.token->to_string());
    EXPECT_EQ(*token_state(extents_, *token), TokenState::kHeld) << "its head is the journal's";
  }
  EXPECT_EQ(given.size(), 23U) << "two each, and the manifest";
}

TEST_F(ApiTest, AWriteThatIsRefusedHarmsNoOtherOfItsCommit) {
  WriteRequest bad = request({claims("e", "1"), "nonsense"});
  bad.options.cover = Cover::kTransaction;
  (void)write(std::move(bad));
  (void)write(request({}));
  (void)write(request({claims("e", "2")}));
  time_.run_for(0);
  EXPECT_EQ((*results[0])->written.refused, 2U);
  EXPECT_EQ(results[1]->code(), Code::kLimit);
  EXPECT_EQ((*results[2])->written.added, 1U);
  EXPECT_EQ(journal->stats().deltas, 1U);
}

TEST_F(ApiTest, AConfirmationIsWaitedForInTheExecutorsTime) {
  WriteRequest asked = request({claims("e", "1")});
  asked.confirm = {"all", 5000};
  (void)write(std::move(asked));
  time_.run_for(4999 * kMillisecond);
  EXPECT_FALSE(results[0]);
  time_.run_for(2 * kMillisecond);
  ASSERT_TRUE(results[0]);
  const Confirmation& confirmation = *(*results[0])->confirmation;
  EXPECT_EQ(confirmation.state, ConfirmState::kUnconfirmed);
  EXPECT_EQ(confirmation.held, 1U);
  EXPECT_THAT(confirmation.names.missing, testing::ElementsAre("b"));
  EXPECT_FALSE((*results[0])->canceled);
}

TEST_F(ApiTest, ACancelEndsTheWaitAndNotTheWriteWheneverItComes) {
  for (const std::uint64_t after_ms : {0, 100}) {
    WriteRequest asked = request({claims("e", "1")});
    asked.confirm = {"all", 3'600'000};
    const Waits::Cancel cancel = write(std::move(asked));
    if (after_ms != 0) time_.run_for(after_ms * kMillisecond);
    cancel();
    time_.run_for(kMillisecond);
    ASSERT_TRUE(results.back());
    EXPECT_TRUE((*results.back())->canceled);
    EXPECT_EQ((*results.back())->written.added, 1U);
    cancel();  // again: nothing
  }
}

TEST_F(ApiTest, WhatTheRosterCannotGiveIsRefusedBeforeAnythingIsWritten) {
  WriteRequest asked = request({claims("e", "1")});
  asked.confirm = {"3", 0};
  (void)write(std::move(asked));
  EXPECT_EQ(results[0]->code(), Code::kInvalid);
  time_.run_for(0);
  EXPECT_EQ(journal->last(), 0U);
}

TEST_F(ApiTest, AReadWaitsForItsTokenAndIsReadyWhenItIsHeld) {
  (void)write(request({claims("e", "1")}));
  time_.run_for(0);
  const std::string epoch = "/" + std::to_string(journal->epoch()) + "/";
  QueryRequest asked;
  asked.entity = "e";
  asked.read.tokens = {node.author() + epoch + "2/0000000000000000"};
  int ready = 0;
  auto stream = api_.query(owner_, asked, [&] { ++ready; });
  ASSERT_TRUE(stream.ok());
  EXPECT_FALSE((*stream)->next()) << "the number is not there yet";
  (void)write(request({claims("e", "2")}));
  time_.run_for(kMillisecond);
  EXPECT_EQ(ready, 1);
  std::optional<RowBatch> last;
  std::size_t rows = 0;
  while (auto batch = (*stream)->next()) {
    rows += batch->rows.size();
    last = std::move(batch);
  }
  EXPECT_EQ(rows, 2U);
  EXPECT_EQ(last->tokens->tokens[0].state, TokenState::kInvalidated) << "its head is another";
}

TEST_F(ApiTest, AQueryIsReadARunAtATimeAndEndsWhereItIsCanceled) {
  std::vector<std::string> lines;
  for (int i = 0; i < 2000; ++i) lines.push_back(claims("e", std::to_string(i)));
  (void)write(request(lines));
  time_.run_for(0);
  RowsEnd end;
  auto whole = api_.query(owner_, {}, [] {});
  EXPECT_EQ(rows_of(**whole, &end).size(), 2000U);
  EXPECT_FALSE(end.has_more);
  auto left = api_.query(owner_, {}, [] {});
  const auto first = (*left)->next();
  ASSERT_TRUE(first);
  EXPECT_LT(first->rows.size(), 2000U);
  (*left)->cancel();
  EXPECT_TRUE(rows_of(**left, &end).empty());
  EXPECT_TRUE(end.canceled && end.has_more);
  EXPECT_EQ(end.last, first->rows.back().seq);
}

TEST_F(ApiTest, AViewSaysWhichDeltasDecidedAValue) {
  (void)write(request({claims("e", "1")}));
  (void)write(request({claims("e", "2")}));
  time_.run_for(0);
  std::optional<Result<GetResult>> got;
  GetRequest asked;
  asked.entity = "e";
  (void)api_.get(owner_, asked, [&](Result<GetResult> result) { got = std::move(result); });
  ASSERT_TRUE(got && got->ok());
  const auto& view = std::get<EntityView>((*got)->view);
  ASSERT_EQ(view.properties.size(), 1U);
  EXPECT_EQ(view.properties[0].value.number, 2);
  ASSERT_EQ(view.properties[0].decided_by.size(), 1U);
  EXPECT_EQ(view.properties[0].decided_by[0].id, (*results[1])->written.results[0].id);
  EXPECT_TRUE(view.properties[0].annotation->provisional);
}

TEST(Waits, OneChangeIsOneLookForEachThatWaitsHoweverOftenItCame) {
  SimulatedExecutor time(1);
  const auto waits = std::make_shared<Waits>(time);
  int looks = 0;
  bool holds = false;
  (void)waits->wait(3'600'000, [&](bool) {
    ++looks;
    return holds;
  });
  time.run_for(0);
  looks = 0;
  for (int i = 0; i < 100; ++i) waits->changed();
  time.run_for(0);
  EXPECT_EQ(looks, 1);
  holds = true;
  waits->changed();
  time.run_for(0);
  EXPECT_EQ(looks, 2);
  waits->changed();
  time.run_for(3'700'000 * kMillisecond);
  EXPECT_EQ(looks, 2) << "what ended is looked at no more, at its deadline either";
}

}  // namespace
}  // namespace rhizome::api
