// librhizome-client against a node's control socket: what is written, read and followed.
#include "rhizome/client.hpp"

#include "testing.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(ClientTest, APropertyIsWrittenAndReadAsATypedValue) {
  c::Client node = open();
  const auto written = node.write_value("movie:matrix", "year", c::Value::of(1999.0));
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 1u);
  ASSERT_THAT(written->ids, SizeIs(1));
  ASSERT_TRUE(node.write_value("movie:matrix", "sequel", c::Value::entity("movie:two")).ok());
  ASSERT_TRUE(node.write_value("movie:matrix", "seen", c::Value::of(true)).ok());
  ASSERT_TRUE(node.write_value("movie:matrix", "title", c::Value::of("The Matrix")).ok());
  const auto movie = node.get("movie:matrix");
  ASSERT_TRUE(movie.ok()) << movie.status().to_string();
  ASSERT_NE(movie->find("year"), nullptr);
  EXPECT_EQ(movie->find("year")->value.number, 1999);
  EXPECT_THAT(movie->find("year")->decided_by, ElementsAre(written->ids[0]));
  EXPECT_EQ(movie->find("sequel")->value.kind, RZ_TARGET_ENTITY);
  EXPECT_EQ(movie->find("sequel")->value.text, "movie:two");
  EXPECT_EQ(movie->find("seen")->value.kind, RZ_TARGET_BOOLEAN);
  EXPECT_EQ(movie->find("title")->value.text, "The Matrix");
  EXPECT_EQ(movie->find("nothing"), nullptr);
}

TEST_F(ClientTest, AQueryGivesDeltasWithTypedPointers) {
  c::Client node = open();
  const c::Draft draft{{{"about", c::Value::entity("e", "p")}, {"count", c::Value::of(2.5)}}, 1000};
  ASSERT_EQ(node.write({&draft, 1})->added, 1u);
  std::vector<c::Delta> found;
  c::Query query;
  query.entity = "e";
  const auto summary = node.query(query, [&](const c::Delta& delta) {
    found.push_back(delta);
    return true;
  });
  ASSERT_TRUE(summary.ok()) << summary.status().to_string();
  EXPECT_EQ(summary->matched, 1u);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].timestamp, 1000);
  ASSERT_THAT(found[0].pointers, SizeIs(2));
  EXPECT_EQ(found[0].pointers[0].role, "about");
  EXPECT_EQ(found[0].pointers[0].target.context, "p");
  EXPECT_EQ(found[0].pointers[1].target.number, 2.5);
}

TEST_F(ClientTest, ADraftWithATimestampIsTheSameDeltaWhenItIsSentAgain) {
  c::Client node = open();
  const c::Draft draft{{{"about", c::Value::entity("e", "p")}}, 1000};
  const auto first = node.write({&draft, 1}), again = node.write({&draft, 1});
  EXPECT_EQ(again->added, 0u);
  EXPECT_EQ(again->known, 1u);
  EXPECT_EQ(first->ids, again->ids);
}

TEST_F(ClientTest, ARefusedDraftIsInTheAnswerAndNamesItsPlace) {
  c::Client node = open();
  const c::Draft drafts[] = {c::property_draft("e", "p", c::Value::of(1.0)), {}};
  const auto written = node.write(drafts);
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 1u);
  EXPECT_EQ(written->refused, 1u);
  ASSERT_THAT(written->problems, SizeIs(1));
  EXPECT_EQ(written->problems[0].line, 2u);
}

TEST_F(ClientTest, TextThatIsNoUtf8IsRefusedAndNotReplaced) {
  c::Client node = open();
  const auto written = node.write_value("e", "p", c::Value::of("\xff"));
  EXPECT_EQ(written.code(), Code::kInvalid);
  EXPECT_THAT(written.status().message(), HasSubstr("UTF-8"));
  EXPECT_EQ(node.get("e\xc3").code(), Code::kInvalid);
}

TEST_F(ClientTest, TheNodesRefusalKeepsItsCodeAndMessage) {
  c::Client node = open();
  EXPECT_EQ(node.get("nothing").code(), Code::kNotFound);
  c::Query query;
  query.filter = "{\"no-such\": []}";
  EXPECT_EQ(node.query(query, [](const c::Delta&) { return true; }).code(), Code::kInvalid);
}

TEST_F(ClientTest, WhereNoNodeListensTheErrorSaysWhatToDo) {
  stop_node();
  const auto answer = open().get("e");
  EXPECT_EQ(answer.code(), Code::kNotFound);
  EXPECT_THAT(answer.status().message(), HasSubstr("rhizome run"));
}

TEST_F(ClientTest, CallsShareConnectionsOneAfterTheOther) {
  c::Client node = open();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(i)).ok());
  stop_node();  // the idle connection dies with the node
  start_node();
  EXPECT_EQ(node.get("e")->find("p")->value.number, 199);
}

TEST_F(ClientTest, ADescriptorSaysWhenASubscriptionHasSomething) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  ASSERT_TRUE(call.ok());
  std::vector<std::uint32_t> kinds;
  for (auto event = call->next(2000); event.ok(); event = call->next(0))
    kinds.push_back((*event)->kind);
  EXPECT_EQ(kinds.at(0), RZ_EVENT_SUBSCRIBED);
  while (kinds.back() != RZ_EVENT_LIVE) {
    const auto event = call->next(5000);
    ASSERT_TRUE(event.ok()) << event.status().to_string();
    kinds.push_back((*event)->kind);
  }
  EXPECT_EQ(call->next(0).code(), Code::kWouldBlock);
  EXPECT_FALSE(readable(call->fd(), 0));
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0)).ok());
  ASSERT_TRUE(readable(call->fd(), 5000));
  const auto event = call->next(1000);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ((*event)->kind, RZ_EVENT_DELTA);
}

TEST_F(ClientTest, ASubscriptionOutlivesTheNodesRestartWithoutGapOrRepetition) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(i)).ok());
  // Three of the five are pulled: the rest may be on their way when the connection breaks.
  Pulled pulled = pull(*call, 3);
  stop_node();
  for (auto event = call->next(50); event.ok() && *event != nullptr; event = call->next(50))
    if ((*event)->kind == RZ_EVENT_DELTA)
      pulled.values.push_back((*event)->delta->pointers[1].target.number);
  start_node();
  c::Client again = open();
  for (int i = 5; i < 8; ++i) ASSERT_TRUE(again.write_value("e", "p", c::Value::of(i)).ok());
  const Pulled rest = pull(*call, 8 - pulled.values.size());
  pulled.values.insert(pulled.values.end(), rest.values.begin(), rest.values.end());
  EXPECT_THAT(pulled.values, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(rest.kinds, testing::Contains(RZ_EVENT_RECONNECTED));
}

// The limit was asked for anew on the new connection.
TEST_F(ClientTest, ALimitIsOfTheWholeSubscriptionAndNotOfEachConnection) {
  c::Client node = open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(i)).ok());
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  wanted.query.limit = 6;
  auto call = node.subscribe(wanted);
  Pulled pulled = pull(*call, 4);
  stop_node();
  while (call->next(50).ok()) continue;
  start_node();
  c::Client again = open();
  for (int i = 4; i < 9; ++i) ASSERT_TRUE(again.write_value("e", "p", c::Value::of(i)).ok());
  for (auto event = call->next(10'000); event.ok() && *event != nullptr; event = call->next(10'000))
    if ((*event)->kind == RZ_EVENT_DELTA)
      pulled.values.push_back((*event)->delta->pointers[1].target.number);
  EXPECT_THAT(pulled.values, ElementsAre(0, 1, 2, 3, 4, 5));
}

// It was asked for again with the new connection, and went on for ever.
TEST_F(ClientTest, ACancelWhileNoConnectionStandsEndsTheCall) {
  c::Client node = open();
  auto call = node.subscribe({});
  for (std::uint32_t kind = 0; kind != RZ_EVENT_LIVE;) kind = (*call->next(10'000))->kind;
  stop_node();
  EXPECT_EQ(call->next(50).code(), Code::kWouldBlock);
  ASSERT_TRUE(call->cancel().ok());
  EXPECT_TRUE(readable(call->fd(), 0));
  const auto event = call->next(0);
  ASSERT_TRUE(event.ok()) << event.status().to_string();
  EXPECT_EQ(*event, nullptr);
}

TEST_F(ClientTest, WhatBecameOfTheTokensIsSaidByEachKindOfRead) {
  c::Client node = open();
  const std::string held = node.write_value("e", "p", c::Value::of(1))->token;
  std::string unknown = held;
  unknown.replace(unknown.rfind('/') - 1, 1, "9");
  c::Read read;
  read.tokens = {held, unknown};
  read.deadline_ms = 1;
  const auto check = [&](const c::Tokens& tokens) {
    EXPECT_TRUE(tokens.provisional);
    ASSERT_THAT(tokens.entries, SizeIs(2));
    EXPECT_EQ(tokens.entries[0].state, "held");
    EXPECT_EQ(tokens.entries[1].token, unknown);
    EXPECT_EQ(tokens.entries[1].state, "pending");
  };
  check(node.get("e", {}, read)->tokens);
  c::Query query;
  query.read = read;
  check(node.query(query, [](const c::Delta&) { return true; })->tokens);
  c::SubscribeTo wanted;
  wanted.query = query;
  auto call = node.subscribe(wanted);
  const auto first = call->next(10'000);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->kind, RZ_EVENT_SUBSCRIBED);
  const auto second = call->next(10'000);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ((*second)->kind, RZ_EVENT_TOKENS);
  check(c::Tokens::from(*(*second)->tokens));
  EXPECT_EQ(node.extent(held)->token_state, "held");
  EXPECT_EQ(node.extent(unknown)->token_state, "pending");
}

TEST_F(ClientTest, ANegationOfADeltaThatIsNotHeldSaysSo) {
  c::Client node = open();
  const auto written = node.write_value("e", "p", c::Value::of(1));
  const auto taken_back = node.negate(written->ids[0]);
  ASSERT_TRUE(taken_back.ok()) << taken_back.status().to_string();
  EXPECT_TRUE(taken_back->target_held && taken_back->effective);
  const auto unknown = node.negate("1e20" + std::string(64, 'a'));
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(unknown->target_held || unknown->effective);
}

// Its ids did not fit into the answer's header: what was committed ended with `limit`.
TEST_F(ClientTest, AnImportOfManyLinesGivesAllTheirIds) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += testing_support::claims("e", std::to_string(i));
  const auto written = open().import_lines(lines);
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 20'000u);
  EXPECT_THAT(written->ids, SizeIs(20'000));
}

TEST_F(ClientTest, ASubscriptionResumesAtACheckpointInAnotherProcess) {
  c::Client node = open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(i)).ok());
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  std::string token;
  {
    auto call = node.subscribe(wanted);
    std::size_t deltas = 0;
    while (token.empty()) {
      const auto event = call->next(10'000);
      ASSERT_TRUE(event.ok()) << event.status().to_string();
      deltas += (*event)->kind == RZ_EVENT_DELTA;
      if (deltas == 4 && (*event)->kind == RZ_EVENT_CHECKPOINT) token = view((*event)->token);
    }
  }
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(4.0)).ok());
  wanted.resume = token;
  auto call = node.subscribe(wanted);
  EXPECT_THAT(pull(*call, 1).values, ElementsAre(4));
}

TEST_F(ClientTest, APausedSubscriptionIsSilentUntilItResumes) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  std::uint32_t kind = 0;
  const auto until = [&](std::uint32_t looked_for) {
    for (kind = 0; kind != looked_for;) kind = (*call->next(10'000))->kind;
  };
  until(RZ_EVENT_LIVE);
  ASSERT_TRUE(call->pause().ok());
  until(RZ_EVENT_PAUSED);
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0)).ok());
  EXPECT_EQ(call->next(100).code(), Code::kWouldBlock);
  ASSERT_TRUE(call->resume().ok());
  EXPECT_THAT(pull(*call, 1).values, ElementsAre(1));
}

TEST_F(ClientTest, ACancelledSubscriptionEnds) {
  c::Client node = open();
  auto call = node.subscribe({});
  ASSERT_TRUE(call->next(5000).ok());
  ASSERT_TRUE(call->cancel().ok());
  Result<const rz_event*> event = call->next(5000);
  while (event.ok() && *event != nullptr) event = call->next(5000);
  ASSERT_TRUE(event.ok()) << event.status().to_string();
  EXPECT_EQ(*event, nullptr);
  EXPECT_EQ(call->cancel().code(), Code::kClosed);
}

TEST_F(ClientTest, ManyCallsArePulledByOneThread) {
  c::Client node = open();
  std::vector<c::Call> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(std::move(*node.subscribe({})));
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(7.0)).ok());
  for (c::Call& call : calls) EXPECT_THAT(pull(call, 1).values, ElementsAre(7));
}

}  // namespace
}  // namespace rhizome
