// Confirmation through the control socket: what is waited for, what is told, what is refused.
#include <gmock/gmock.h>

#include <thread>

#include "control/testing.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::claims;
using testing_support::Served;

class ConfirmTest : public testing::Test, protected Served {
 protected:
  ConfirmTest() : Served(/*two_voters=*/true) {}
  json value(const ClientRead& read = {}) {
    const Result<std::string> view = client().get("e", false, {}, read);
    if (!view.ok()) return json();
    return json::parse(*view)["properties"].value("p", json());
  }
};

TEST_F(ConfirmTest, AConfirmedWriteIsAnsweredWhenItsVotersHoldIt) {
  Result<ClientWritten> written = Status(Code::kInternal, "");
  std::thread writer([&] { written = client().write(claims("e", "1"), false, {"all", 60'000}); });
  while (journal->last() == 0) ::usleep(1000);
  b_holds_all();
  writer.join();
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  ASSERT_TRUE(written->confirm);
  EXPECT_TRUE(written->confirm->confirmed);
  EXPECT_EQ(written->confirm->held, 2u);
  EXPECT_EQ(written->confirm->voters, 2u);
  EXPECT_THAT(written->confirm->holders, testing::UnorderedElementsAre("a", "b"));
}

TEST_F(ConfirmTest, ADeadlineThatPassesIsToldWithWhatWasReached) {
  const auto written = client().write(claims("e", "1"), false, {"majority", 20});
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->added, 1u) << "it is written all the same";
  EXPECT_FALSE(written->confirm->confirmed);
  EXPECT_EQ(written->confirm->state, "unconfirmed");
  EXPECT_EQ(written->confirm->held, 1u);
  EXPECT_THAT(written->confirm->missing, ElementsAre("b"));
  EXPECT_TRUE(client().write(claims("e", "2"), false, {"local", 0})->confirm->confirmed);
}

TEST_F(ConfirmTest, WhatTheRosterCannotGiveIsRefusedBeforeAnythingIsWritten) {
  for (const char* need : {"3", "c", "0", ""}) {
    const std::string request = json{{"op", "write"}, {"confirm", need}}.dump();
    EXPECT_EQ(client().call(request, claims("e", "1")).code(), Code::kInvalid) << need;
  }
  EXPECT_EQ(
      client().call(R"({"op":"write","confirm":"all","buffered":true})", claims("e", "1")).code(),
      Code::kInvalid);
  EXPECT_EQ(journal->last(), 0u);
}

TEST_F(ConfirmTest, AValueIsProvisionalUntilAMajorityHoldsIt) {
  Client c = client();
  ASSERT_TRUE(c.write(claims("e", "1")).ok());
  EXPECT_EQ(value()["provisional"], true);
  EXPECT_EQ(value()["extent"], json({{"held", 1}, {"voters", 2}}));
  const double before = value()["confidence"]["durability"];
  b_holds_all();
  EXPECT_EQ(value()["provisional"], false);
  EXPECT_EQ(value()["extent"]["held"], 2);
  EXPECT_GT(value()["confidence"]["durability"].get<double>(), before);
}

TEST_F(ConfirmTest, AReaderOfConfirmedValuesSeesTheOlderOneUntilTheNewerIsHeld) {
  Client c = client();
  ASSERT_TRUE(c.write(claims("e", "1")).ok());
  b_holds_all();
  ASSERT_TRUE(c.write(claims("e", "2")).ok());
  ClientRead confirmed;
  confirmed.min_confirm = "all";
  EXPECT_EQ(value()["value"], 2);
  EXPECT_EQ(value(confirmed)["value"], 1);
  b_holds_all();
  EXPECT_EQ(value(confirmed)["value"], 2);
}

TEST_F(ConfirmTest, RowsTellTheirExtentWhereAskedAndLeaveOutWhatIsNotConfirmed) {
  Client c = client();
  ASSERT_TRUE(c.write(claims("e", "1")).ok());
  b_holds_all();
  ASSERT_TRUE(c.write(claims("e", "2")).ok());
  const auto rows = [&](const ClientQuery& query) {
    std::vector<json> found;
    const auto end = client().query(query, [&](ByteView line) {
      found.push_back(json::parse(line));
      return true;
    });
    EXPECT_TRUE(end.ok());
    EXPECT_EQ(end->matched, found.size());
    return found;
  };
  EXPECT_FALSE(rows({})[0].contains("extent"));
  ClientQuery query;
  query.extent = true;
  EXPECT_EQ(rows(query)[0]["extent"]["held"], 2);
  EXPECT_EQ(rows(query)[1]["provisional"], true);
  query.read.min_confirm = "b";
  EXPECT_EQ(rows(query).size(), 1u);
}

TEST_F(ConfirmTest, ASubscriberGetsEachDeltaOnceItIsConfirmed) {
  Client writer = client();
  ASSERT_TRUE(writer.write(claims("e", "1")).ok());
  ClientQuery query;
  query.read.min_confirm = "all";
  std::vector<std::uint64_t> seen;
  std::thread voter;
  Client subscriber = client();
  const Status ended = subscriber.subscribe(
      query, false,
      [&](ByteView line) {
        seen.push_back(json::parse(line)["seq"]);
        return seen.size() < 2;
      },
      [&] {
        voter = std::thread([this] {
          Client second = client();
          EXPECT_TRUE(second.write(claims("e", "2")).ok());
          b_holds_all();
        });
      });
  voter.join();
  EXPECT_TRUE(ended.ok());
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(ConfirmTest, TokensAreHeldAwaitedOrLost) {
  Client c = client();
  const std::string token = c.write(claims("e", "1"))->token;
  const auto state = [&](const std::string& asked, std::uint64_t deadline_ms) {
    ClientRead read;
    read.tokens = {asked};
    read.deadline_ms = deadline_ms;
    const Result<std::string> view = client().get("e", false, {}, read);
    EXPECT_TRUE(view.ok()) << view.status().to_string();
    const json told = json::parse(*view);
    EXPECT_EQ(told["provisional"], told["tokens"][0]["state"] != "held");
    return told["tokens"][0]["state"].get<std::string>();
  };
  EXPECT_EQ(state(token, 3'600'000), "held");
  std::string another = token;
  another.back() = another.back() == '0' ? '1' : '0';
  EXPECT_EQ(state(another, 3'600'000), "invalidated") << "another history has this number";
  const std::string epoch = "/" + std::to_string(journal->epoch()) + "/";
  const std::string next = node.author() + epoch + "2/0000000000000000";
  EXPECT_EQ(state(next, 20), "pending");
  ASSERT_TRUE(journal->begin_epoch(journal->epoch()).ok());
  EXPECT_EQ(state(next, 3'600'000), "lost") << "told at once: it will not come";
  for (const char* bad : {"", "ed25519:00/1/1/0", "a/b/c/d/e"}) {
    const std::string request = json{{"op", "get"}, {"entity", "e"}, {"tokens", {bad}}}.dump();
    EXPECT_EQ(client().call(request).code(), Code::kInvalid) << bad;
  }
}

TEST_F(ConfirmTest, AnExtentIsToldByName) {
  Client c = client();
  const auto written = c.write(claims("e", "1"));
  const json told = json::parse(*c.extent(written->ids[0]));
  EXPECT_THAT(told["holders"], ElementsAre("a"));
  EXPECT_THAT(told["missing"], ElementsAre("b"));
  EXPECT_EQ(told["origin_numbers"][0]["n"], 1);
  EXPECT_EQ(json::parse(*c.extent(written->token))["token_state"], "held");
  EXPECT_THAT(c.extent(std::string(68, '0')).status().message(), HasSubstr("expected a delta id"));
  const json roster = json::parse(c.call(R"({"op":"roster"})")->header);
  EXPECT_EQ(roster["version"], 0);
  EXPECT_EQ(roster["voters"].size(), 2u);
  EXPECT_EQ(c.call(R"({"op":"roster_set"})", "junk").code(), Code::kInvalid);
}

}  // namespace
}  // namespace rhizome
