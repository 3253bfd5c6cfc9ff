// The control socket from both ends: docs/control.md, its limits, and clients that misbehave.
#include "control/control.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "control/testing.hpp"
#include "control/testing_socket.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::claims;
using testing_support::is_answered;
using testing_support::say;
using testing_support::Served;
using testing_support::values_of;

class ControlTest : public testing::Test, protected Served {};

TEST_F(ControlTest, WhatIsWrittenIsReadAndItsTokenSaysWhereItStands) {
  Client c = client();
  const auto written = c.write_value("movie:matrix", "title", R"("The Matrix")");
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 1U);
  EXPECT_THAT(written->token, testing::StartsWith(node.author() + "/"));
  const auto entity = c.get("movie:matrix");
  ASSERT_TRUE(entity.ok()) << entity.status().to_string();
  EXPECT_EQ(json::parse(*entity)["properties"]["title"]["value"], "The Matrix");
  const auto deltas = c.get("movie:matrix", /*lossless=*/true);
  ASSERT_TRUE(deltas.ok());
  EXPECT_EQ(json::parse(*deltas)["properties"]["title"][0]["delta"]["id"], written->ids[0]);
}

// Its ids did not fit into a header, and the writer heard `limit` of what was committed.
TEST_F(ControlTest, AWriteOfManyDraftsIsAnsweredWithAllTheirIds) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += claims("e", std::to_string(i));
  const Result<Reply> reply = client().call(R"({"op":"import","ids":true})", lines);
  ASSERT_TRUE(reply.ok()) << reply.status().to_string();
  EXPECT_EQ(json::parse(reply->header)["added"], 20'000);
  const json written = json::parse(reply->blob);
  EXPECT_EQ(written["ids"].size(), 20'000u);
  EXPECT_EQ(written["seqs"].size(), 20'000u);
}

TEST_F(ControlTest, AWriteOfManyBadLinesIsAnsweredToo) {
  std::string lines;
  for (int i = 0; i < 2'000; ++i) lines += "\"" + std::string(4'000, '\x7f') + "\"\n";
  const Result<Reply> reply = client().call(R"({"op":"write"})", lines);
  ASSERT_TRUE(reply.ok()) << reply.status().to_string();
  EXPECT_EQ(json::parse(reply->header)["refused"], 2'000);
}

// Its answer was too large with it, and so was the error: nothing came at all.
TEST_F(ControlTest, AnIdThatAnAnswerHasNoRoomForIsRefused) {
  const int socket = raw();
  const std::string request = R"({"op":"digest","id":")" + std::string(1'048'000, 'x') + "\"}";
  ASSERT_TRUE(control::send_message(socket, request, {}).ok());
  control::Message message;
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  EXPECT_EQ(json::parse(message.header)["error"]["code"], "limit");
  ASSERT_TRUE(control::send_message(socket, R"({"op":"digest","id":7})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  EXPECT_EQ(json::parse(message.header)["id"], 7);
  ::close(socket);
}

TEST_F(ControlTest, ARefusedLineIsToldWithItsNumberAndTheRestGoesOn) {
  Client c = client();
  const auto written = c.write(claims("e", "1") + "{\"pointers\":[]}\n" + claims("e", "2"));
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->added, 2U);
  EXPECT_EQ(written->refused, 1U);
  ASSERT_EQ(written->problems.size(), 1U);
  EXPECT_EQ(written->problems[0].line, 2U);
  EXPECT_EQ(written->ids[1], "");
}

TEST_F(ControlTest, RequestsThatMakeNoSenseAreAnsweredWithWhatIsExpected) {
  Client c = client();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"op":"nonsense"})", "operation 'nonsense'; known: status, "},
      {R"({"op":"query","entitty":"e"})", "unknown field 'entitty'; known: filter, "},
      {R"({"op":"query","entity":5})", "query.entity: expected a string, found 5"},
      {R"({"op":"query","limit":-1})", "query.limit: expected a whole number"},
      {R"({"op":"query","filter":"{"})", ""},
      {R"({"op":"query","filter":"1","language":"klingon"})", "loaded: jsonlogic"},
      {R"({"op":"get"})", "expected an entity"},
      {R"({"op":"get","entity":"e","resolver":"guess"})", "known: last-write-wins"},
      {R"({"op":"negate","delta":"12"})", "68 hex digits"},
      {R"({"op":"write"})", "expected 1 to 60000 deltas, found 0"},
      {R"({"op":"subscribe","from":"then"})", "expected \"now\" or a position"},
      {R"([1])", "expected a JSON object"},
      {R"(nonsense)", "not JSON at byte 2"},
      {"", "not JSON at byte 1"},
  };
  for (const auto& [request, expected] : cases) {
    const Result<Reply> reply = c.call(request);
    ASSERT_FALSE(reply.ok()) << request;
    EXPECT_THAT(reply.status().message(), HasSubstr(expected)) << request;
  }
  EXPECT_TRUE(is_answered(c)) << "the connection goes on";
}

TEST_F(ControlTest, AnAnswerRepeatsItsRequestsId) {
  Client c = client();
  const Result<Reply> reply = c.call(R"({"op":"digest","id":{"any":"json"}})");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(json::parse(reply->header)["id"], json::parse(R"({"any":"json"})"));
}

TEST_F(ControlTest, SizesOverTheirBoundsEndTheConnectionWithAnError) {
  const std::string cases[] = {std::string("\xff\xff\xff\xff\x01\0\0\0", 8),
                               std::string("\x04\0\0\0\x10\0\0\0", 8),
                               std::string("\0\0\0\0\0\0\0\0", 8)};
  for (const std::string& bytes : cases) {
    const int socket = raw();
    ASSERT_EQ(::send(socket, bytes.data(), bytes.size(), 0), 8);
    control::Message message;
    ASSERT_TRUE(control::receive_message(socket, message).ok());
    EXPECT_EQ(json::parse(message.header)["error"]["code"], "invalid");
    EXPECT_EQ(control::receive_message(socket, message).code(), Code::kClosed);
    ::close(socket);
  }
  const int half = raw();  // one that leaves in the middle of a message
  ASSERT_EQ(::send(half, "\x20\0\0", 3, 0), 3);
  ::close(half);
  EXPECT_TRUE(is_answered(client()));
}

TEST_F(ControlTest, TheFilterMayBeTextOrJson) {
  Client c = client();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(c.write(claims("e", std::to_string(i))).ok());
  const std::string rule = R"({"some":[{"var":"pointers"},{"and":[{"==":[{"var":"role"},"value"]},)"
                           R"({">":[{"var":"target"},6]}]}]})";
  ClientQuery query;
  query.filter = rule;
  std::vector<std::string> lines;
  const auto collect = [&](ByteView line) {
    lines.emplace_back(line);
    return true;
  };
  const auto end = c.query(query, collect);
  ASSERT_TRUE(end.ok()) << end.status().to_string();
  EXPECT_THAT(values_of(lines), ElementsAre(7, 8, 9));
  EXPECT_EQ(end->examined, 10U);
  const Result<Reply> reply =
      c.stream(R"({"op":"query","filter":)" + rule + "}", [&](const Reply& r) {
        EXPECT_EQ(std::count(r.blob.begin(), r.blob.end(), '\n'), 3);
        return true;
      });
  EXPECT_TRUE(reply.ok());
}

TEST_F(ControlTest, APageTellsWhereTheNextOneBegins) {
  Client c = client();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(c.write(claims("e", std::to_string(i))).ok());
  ClientQuery query;
  query.limit = 4;
  std::vector<std::string> lines;
  for (bool more = true; more;) {
    const auto end = c.query(query, [&](ByteView line) {
      lines.emplace_back(line);
      return true;
    });
    ASSERT_TRUE(end.ok());
    query.after = end->last;
    more = end->has_more;
  }
  EXPECT_THAT(values_of(lines), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(ControlTest, AViewOverTheSizeOfAMessageComesInParts) {
  const std::string large = "\"" + std::string(900000, 'x') + "\"";
  Client c = client();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(c.write(claims("e", large)).ok());
  const auto view = c.get("e", true);
  ASSERT_TRUE(view.ok()) << view.status().to_string();
  EXPECT_GT(view->size(), control::kMaxMessage);
  EXPECT_EQ(json::parse(*view)["properties"]["p"].size(), 20U);
}

TEST_F(ControlTest, WhatIsExportedIsImportedElsewhereWithoutAnythingAdded) {
  Client from = client();
  ASSERT_TRUE(from.import(claims("a", "1") + claims("b", "2")).ok());
  ASSERT_TRUE(from.write(claims("c", "3")).ok());
  ASSERT_TRUE(from.write(claims("d", "4") + claims("e", "5"), /*transaction=*/true).ok());
  std::string lines;
  ASSERT_TRUE(from.stream(R"({"op":"export"})",
                          [&](const Reply& rows) {
                            lines += rows.blob;
                            return true;
                          })
                  .ok());
  Served elsewhere;
  const auto imported = elsewhere.client().import(lines);
  ASSERT_TRUE(imported.ok()) << imported.status().to_string();
  EXPECT_EQ(imported->refused, 0U);
  EXPECT_EQ(elsewhere.journal->state_digest(), journal->state_digest());
}

TEST_F(ControlTest, NegatingAnothersDeltaIsRecordedAndToldToTakeNothingBack) {
  const auto theirs = say(other, 1, "e", "p", 1.0);
  receive({theirs});
  Client c = client();
  const Result<Reply> reply =
      c.call(R"({"op":"negate","delta":")" + theirs.id().hex() + R"(","reason":"\"no\""})");
  ASSERT_TRUE(reply.ok()) << reply.status().to_string();
  const json answer = json::parse(reply->header);
  EXPECT_EQ(answer["effective"], false);
  EXPECT_EQ(answer["author"], other.author());
  EXPECT_EQ(json::parse(*c.get("e"))["properties"]["p"]["value"], 1);
}

TEST_F(ControlTest, DigestAndOriginsTellWhatIsHeld) {
  Client c = client();
  const auto written = c.write(claims("e", "1") + claims("e", "2"));
  ASSERT_TRUE(written.ok());
  const Result<Reply> digest = c.call(R"({"op":"digest"})");
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(json::parse(digest->header)["deltas"], 2);
  const Result<Reply> origins = c.call(R"({"op":"origins"})");
  ASSERT_TRUE(origins.ok());
  const json list = json::parse(origins->blob);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["origin"], node.author());
  EXPECT_EQ(list[0]["last"], 2);
  EXPECT_THAT(written->token, testing::EndsWith(list[0]["head"].get<std::string>().substr(0, 16)));
}

TEST_F(ControlTest, TheSocketIsPrivateAndASecondServerIsRefused) {
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  const auto second = start();
  EXPECT_EQ(second.code(), Code::kBusy);
  EXPECT_TRUE(is_answered(client())) << "the first goes on";
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ControlTest, ADeadSocketIsReplacedAndAnotherFileIsNot) {
  server.reset();
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  server = std::move(*start());
  EXPECT_TRUE(is_answered(client()));
  server.reset();
  std::ofstream(path) << "precious";
  const auto refused = start();
  EXPECT_EQ(refused.code(), Code::kBusy);
  EXPECT_THAT(refused.status().message(), HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

// Out of descriptors it could not ask whether a node listens, and took the socket away from it.
TEST_F(ControlTest, ANodesSocketStaysWhereItCannotBeAskedForWantOfDescriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto second = start();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(second.ok());
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(is_answered(client())) << "the first goes on";
}

TEST_F(ControlTest, ASocketOfAnotherKindIsNotReplaced) {
  server.reset();
  const int datagrams = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(datagrams, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_FALSE(start().ok());
  EXPECT_TRUE(std::filesystem::exists(path));
  ::close(datagrams);
  std::filesystem::remove(path);
}

TEST(Client, WithoutANodeSaysHowToStartOne) {
  const Status none = Client::connect("/nowhere/control.sock")->status().status();
  EXPECT_EQ(none.code(), Code::kNotFound);
  EXPECT_THAT(none.message(),
              HasSubstr("no node is running at /nowhere; start it with `rhizome run /nowhere`"));
}

}  // namespace
}  // namespace rhizome
