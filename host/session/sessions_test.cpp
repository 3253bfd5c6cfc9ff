// Two nodes' sessions over a connection that the test carries frames on: what a broker, a forger or
// another connection can and cannot do with them.
#include "session/sessions.hpp"

#include <gtest/gtest.h>

namespace rhizome::session {
namespace {

using wire::Kind;
using wire::Lane;

SigningKey key_of(std::uint8_t first) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = first;
  return SigningKey::from_seed(seed);
}

// One node with one connection to the other.
struct Side {
  explicit Side(std::uint8_t first) : key(key_of(first)) {
    Local local;
    local.key = &key;
    local.fabric = wire::fabric_id("default");
    local.fabric_name = "default";
    local.boot = new_boot_nonce();
    EXPECT_TRUE(link_key_of(key.public_key(), local.link.data()));
    sessions = std::make_unique<Sessions>(local, BucketOptions{});
  }
  void connect(const Side& to, std::uint64_t number, bool proven) {
    sessions->up({number, to.sessions->local().link, proven, false}, 1);
  }
  std::string request(std::uint64_t connection, std::uint64_t number, ByteView body,
                      Kind kind = Kind::kQuery) {
    std::string sent;
    EXPECT_TRUE(sessions
                    ->send_request(connection, frame_of(kind, body), number, RZ_LANE_LIVE,
                                   [&](const std::string& frame) {
                                     sent = frame;
                                     return Status();
                                   })
                    .ok());
    return sent;
  }
  std::string reply(const Inbound& in, ByteView body, bool last, std::uint32_t row = RZ_LANE_LIVE) {
    std::string sent;
    EXPECT_TRUE(sessions
                    ->send_reply(in.connection, frame_of(Kind::kQuery, body), in.number, last, row,
                                 [&](const std::string& frame) {
                                   sent = frame;
                                   return Status();
                                 })
                    .ok());
    return sent;
  }
  Ruling::Kind hear(std::uint64_t connection, ByteView bytes, Inbound& in) {
    in = {};
    return sessions->request(connection, bytes, 1, in).kind;
  }
  Ruling::Kind hear(std::uint64_t connection, ByteView bytes) {
    Inbound in;
    return hear(connection, bytes, in);
  }
  Ruling::Kind hear_reply(std::uint64_t request, ByteView bytes, bool& last) {
    Inbound in;
    return sessions->reply(request, bytes, last, in).kind;
  }
  static wire::Frame frame_of(Kind kind, ByteView body) {
    wire::Frame frame;
    frame.kind = kind;
    frame.lane = Lane::kRequest;
    frame.body = body;
    return frame;
  }
  SigningKey key;
  std::unique_ptr<Sessions> sessions;
};

void greet(Side& a, Side& b, std::uint64_t number, bool proven) {
  Handshake initiator(a.sessions->local(), b.sessions->local().link, proven);
  Handshake responder(b.sessions->local(), a.sessions->local().link, proven);
  const Result<std::string> reply = responder.answer(initiator.begin(), std::nullopt);
  ASSERT_TRUE(reply.ok());
  Agreed agreed;
  const Result<std::string> confirm = initiator.finish(*reply, std::nullopt, agreed);
  ASSERT_TRUE(confirm.ok());
  const Result<Agreed> agreed_too = responder.confirm(*confirm);
  ASSERT_TRUE(agreed_too.ok());
  a.sessions->make(number, agreed);
  b.sessions->make(number, *agreed_too);
}

struct SessionsTest : testing::TestWithParam<bool> {
  void SetUp() override {
    a.connect(b, 1, GetParam());
    b.connect(a, 1, GetParam());
  }
  Side a{1}, b{2};
  Inbound in;
};
INSTANTIATE_TEST_SUITE_P(Levels, SessionsTest, testing::Bool(),
                         [](const auto& level) { return level.param ? "Proven" : "Unproven"; });

TEST_P(SessionsTest, AFrameBeforeHelloIsOfNoSession) {
  std::string frame = wire::encode_frame(Side::frame_of(Kind::kQuery, "body"));
  EXPECT_EQ(b.hear(1, frame, in), Ruling::kTake);
  EXPECT_FALSE(in.in_session) << "it is answered that hello comes first";
}

TEST_P(SessionsTest, AFrameAfterHelloIsTheOtherNodes) {
  greet(a, b, 1, GetParam());
  const std::string frame = a.request(1, 7, "body");
  ASSERT_EQ(b.hear(1, frame, in), Ruling::kTake);
  EXPECT_TRUE(in.in_session);
  EXPECT_EQ(in.frame.sender, a.key.public_key());
  EXPECT_EQ(in.bytes.substr(in.body_at), "body");
  bool last = true;
  EXPECT_EQ(a.hear_reply(7, b.reply(in, "answer", true), last), Ruling::kTake);
}

TEST_P(SessionsTest, AFrameOfOneConnectionFindsNoSessionOnAnother) {
  greet(a, b, 1, GetParam());
  const std::string frame = a.request(1, 7, "body");
  b.connect(a, 2, GetParam());
  EXPECT_EQ(b.hear(2, frame, in), Ruling::kTake);
  EXPECT_FALSE(in.in_session);
  EXPECT_EQ(b.hear(3, frame, in), Ruling::kDrop) << "one that was never up";
  b.sessions->down(1);
  EXPECT_EQ(b.hear(1, frame, in), Ruling::kDrop) << "one that has ended";
}

TEST_P(SessionsTest, APlainFrameFromABrokerFindsNoSessionOfTheSamePeersProvenConnection) {
  greet(a, b, 1, GetParam());
  b.connect(a, 2, /*proven=*/false);
  const std::string plain = wire::encode_frame(Side::frame_of(Kind::kQuery, "body"));
  (void)b.hear(2, plain, in);
  EXPECT_FALSE(in.in_session);
}

struct Broker : testing::Test {
  Broker() {
    for (const std::uint64_t number : {1, 2}) {
      a.connect(b, number, false);
      b.connect(a, number, false);
    }
    greet(a, b, 1, false);
  }
  Side a{1}, b{2};
  Inbound in;
  bool last = false;
};

TEST_F(Broker, ThatRepeatsOrReordersRequestsIsHeardOncePerFrame) {
  const std::string first = a.request(1, 1, "one"), second = a.request(1, 2, "two");
  EXPECT_EQ(b.hear(1, second), Ruling::kTake);
  EXPECT_EQ(b.hear(1, second), Ruling::kDrop);
  EXPECT_EQ(b.hear(1, first), Ruling::kTake);
  EXPECT_EQ(b.hear(1, first), Ruling::kDrop);
}

// Fault: a transport orders the replies to one request and nothing else of a lane. A small reply
// that went behind a large one was overtaken by an answer to another request, and refused as one
// that came before.
TEST_F(Broker, AReplyThatHadToGoBehindALargeOneIsHeardThoughAnotherAnswerOvertookIt) {
  Inbound tail, other;
  ASSERT_EQ(b.hear(1, a.request(1, 41, "tail"), tail), Ruling::kTake);
  ASSERT_EQ(b.hear(1, a.request(1, 42, "other"), other), Ruling::kTake);
  const std::string large = b.reply(tail, std::string(20'000, 'x'), false, RZ_LANE_BULK);
  const std::string behind_it = b.reply(tail, "small", false);
  const std::string overtakes = b.reply(other, "answer", true);
  EXPECT_EQ(a.hear_reply(42, overtakes, last), Ruling::kTake);
  EXPECT_EQ(a.hear_reply(41, large, last), Ruling::kTake);
  EXPECT_EQ(a.hear_reply(41, behind_it, last), Ruling::kTake);
  EXPECT_EQ(a.hear_reply(41, behind_it, last), Ruling::kDrop) << "once";
}

TEST_F(Broker, ThatRedirectsARequestToAnotherConnectionIsNotHeard) {
  const std::string frame = a.request(1, 1, "one");
  greet(a, b, 2, false);
  EXPECT_EQ(b.hear(2, frame), Ruling::kDrop);
}

TEST_F(Broker, ThatGivesAReplyToAnotherRequestIsNotHeard) {
  ASSERT_EQ(b.hear(1, a.request(1, 41, "one"), in), Ruling::kTake);
  (void)a.request(1, 42, "two");
  const std::string reply = b.reply(in, "answer to 41", true);
  EXPECT_EQ(a.hear_reply(42, reply, last), Ruling::kDrop);
}

TEST_F(Broker, ThatSendsARequestBackAsItsReplyIsNotHeard) {
  const std::string request = a.request(1, 41, "one");
  EXPECT_EQ(a.hear_reply(41, request, last), Ruling::kDrop);
  ASSERT_EQ(b.hear(1, request, in), Ruling::kTake);
  EXPECT_EQ(b.hear(1, b.reply(in, "answer", true)), Ruling::kDrop) << "nor a reply as a request";
}

TEST_F(Broker, CannotCutARowOfRepliesShort) {
  ASSERT_EQ(b.hear(1, a.request(1, 41, "one"), in), Ruling::kTake);
  const std::string reply = b.reply(in, "the first of two", false);
  last = true;  // as the broker says
  ASSERT_EQ(a.hear_reply(41, reply, last), Ruling::kTake);
  EXPECT_FALSE(last) << "as its sender says";
}

TEST_F(Broker, ThatForgesFramesEndsNothingAndCostsItsVictimNothing) {
  std::string forged = a.request(1, 1, "one");
  forged.back() = static_cast<char>(forged.back() ^ 1);
  for (int i = 0; i < 40'000; ++i) ASSERT_EQ(b.hear(1, forged), Ruling::kDrop);
  // The subject's own bucket is not empty yet, and the peer's is full.
  for (int i = 0; i < 1500; ++i)
    ASSERT_EQ(b.hear(1, a.request(1, 1, "genuine")), Ruling::kTake) << i;
}

TEST_F(Broker, ThatForgesHellosReplacesNoSession) {
  Handshake responder(b.sessions->local(), a.sessions->local().link, false);
  Handshake forger(a.sessions->local(), b.sessions->local().link, false);
  ASSERT_TRUE(responder.answer(forger.begin(), std::nullopt).ok());
  EXPECT_FALSE(responder.confirm(encode_confirm({})).ok());
  EXPECT_EQ(b.hear(1, a.request(1, 1, "still in the session")), Ruling::kTake);
}

TEST_F(Broker, ThatFloodsOneClaimedConnectionDrainsNoOtherOfThatPeer) {
  const std::string forged(200, '\x14');
  int dropped = 0;
  for (int i = 0; i < 200'000; ++i) dropped += b.hear(1, forged) == Ruling::kDrop ? 1 : 0;
  EXPECT_EQ(dropped, 200'000);
  greet(a, b, 2, false);
  EXPECT_EQ(b.hear(2, a.request(2, 1, "over another connection")), Ruling::kTake);
}

TEST(UnprovenConnection, WithoutASessionMakesNobodySign) {
  Side a(1), b(2);
  a.connect(b, 1, false);
  EXPECT_FALSE(a.sessions->publishes_signed()) << "it takes nothing that is published yet";
}

TEST_F(Broker, FindsWhatIsPublishedSignedAndNothingElse) {
  EXPECT_TRUE(a.sessions->publishes_signed());
  const std::string publication = a.sessions->publish("t", "delivery");
  ASSERT_EQ(b.sessions->published(1, publication, 1, in).kind, Ruling::kTake);
  EXPECT_EQ(b.sessions->open_publication(1, "t", publication).value(), "delivery");
  EXPECT_FALSE(b.sessions->open_publication(1, "t", publication).ok()) << "repeated";
  std::string plain = wire::encode_frame(Side::frame_of(Kind::kPropagate, "delivery"));
  EXPECT_EQ(b.sessions->published(1, plain, 1, in).kind, Ruling::kDrop);
}

TEST(Buckets, OfOneLinkKeyAreOneForAllItsConnections) {
  Side a(1), b(2);
  for (std::uint64_t number = 1; number <= 2; ++number) {
    a.connect(b, number, true);
    b.connect(a, number, true);
    greet(a, b, number, true);
  }
  for (int i = 0; i < 2000; ++i)
    ASSERT_EQ(b.hear(1, a.request(1, 1, "x", Kind::kSubscribe)), Ruling::kTake);
  EXPECT_EQ(b.hear(2, a.request(2, 1, "x", Kind::kSubscribe)), Ruling::kRefuse);
  EXPECT_EQ(b.hear(2, a.request(2, 1, "x", Kind::kFetch)), Ruling::kTake);
}

// Fault: any account without a connection might go, the first in the order of the keys first, so
// that a peer could wash its own clean with connections under other keys.
TEST(Buckets, OfAPeerThatLeftAreKeptWhateverKeysComeAfterIt) {
  Side a(1), b(2);
  const auto come = [&](std::uint64_t number) {
    a.connect(b, number, true);
    b.connect(a, number, true);
    greet(a, b, number, true);
  };
  come(1);
  for (int i = 0; i < 2000; ++i) (void)b.hear(1, a.request(1, 1, "x", Kind::kSubscribe));
  b.sessions->down(1);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    LinkKey link{};
    link.fill(0xff);  // behind it in the order of the keys
    std::memcpy(link.data() + 8, &i, sizeof i);
    b.sessions->up({100 + i, link, true, false}, 1);
    b.sessions->down(100 + i);
  }
  come(2);
  EXPECT_EQ(b.hear(2, a.request(2, 1, "x", Kind::kSubscribe)), Ruling::kRefuse);
}

TEST(Buckets, RepliesToOnesOwnRequestsPayNothing) {
  Side a(1), b(2);
  a.connect(b, 1, true);
  b.connect(a, 1, true);
  greet(a, b, 1, true);
  const std::string reply = wire::encode_frame(Side::frame_of(Kind::kSubscribe, "x"));
  bool last = false;
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(a.hear_reply(1, reply, last), Ruling::kTake);
}

}  // namespace
}  // namespace rhizome::session
