// Sealed frames and publications: what is opened, and what a broker between the nodes can do.
#include "session/cipher.hpp"

#include <gtest/gtest.h>

#include "session/publication.hpp"

namespace rhizome::session {
namespace {

SecretKey secret(std::uint8_t first) {
  SecretKey key{};
  key[0] = first;
  return key;
}

wire::Frame frame_of(ByteView body, wire::Lane lane = wire::Lane::kRequest) {
  wire::Frame frame;
  frame.kind = wire::Kind::kQuery;
  frame.lane = lane;
  frame.timeout_ms = 500;
  frame.body = body;
  return frame;
}

struct SealedFrames : testing::Test {
  Sealer sealer{secret(1)};
  Opener opener{secret(1)};
};

TEST_F(SealedFrames, AreOpenedAsTheyWereSealed) {
  const std::string bytes = sealer.seal(frame_of("body"), Pattern::kRequest, 77, RZ_LANE_LIVE);
  EXPECT_EQ(bytes.size(), kSealOverhead + 4);
  EXPECT_EQ(bytes[0], static_cast<char>(wire::Kind::kQuery)) << "buckets see the kind";
  EXPECT_EQ(bytes.find("body"), std::string::npos) << "and no one the body";
  const Result<Opened> opened = opener.open(bytes);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->body, "body");
  EXPECT_EQ(opened->frame.kind, wire::Kind::kQuery);
  EXPECT_EQ(opened->frame.lane, wire::Lane::kRequest);
  EXPECT_EQ(opened->frame.timeout_ms, 500u);
  EXPECT_EQ(opened->pattern, Pattern::kRequest);
  EXPECT_EQ(opened->number, 77u);
}

TEST_F(SealedFrames, WithAnyBitFlippedAreRefusedAndTheNextOneIsOpened) {
  const std::string bytes =
      sealer.seal(frame_of("some body"), Pattern::kLastReply, 1, RZ_LANE_LIVE);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(opener.open(damaged).code(), Code::kCorrupt) << "bit " << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(opener.open(ByteView(bytes).substr(0, size)).ok());
  EXPECT_TRUE(opener.open(bytes).ok());
}

TEST_F(SealedFrames, OfTheOtherDirectionOrSessionAreRefused) {
  Sealer other(secret(2));
  EXPECT_FALSE(opener.open(other.seal(frame_of("x"), Pattern::kRequest, 1, RZ_LANE_LIVE)).ok());
}

TEST_F(SealedFrames, ComeOnce) {
  const std::string bytes = sealer.seal(frame_of("x"), Pattern::kRequest, 1, RZ_LANE_LIVE);
  EXPECT_TRUE(opener.open(bytes).ok());
  EXPECT_FALSE(opener.open(bytes).ok());
}

TEST_F(SealedFrames, MayBeLostAndOvertakeEachOtherWithinAWindow) {
  std::vector<std::string> frames;
  for (std::size_t i = 0; i < kRowWindow + 20; ++i)
    frames.push_back(sealer.seal(frame_of("x"), Pattern::kRequest, 1, RZ_LANE_LIVE));
  EXPECT_TRUE(opener.open(frames[10]).ok()) << "ten were lost, or are late";
  EXPECT_TRUE(opener.open(frames[9]).ok());
  const std::size_t highest = kRowWindow + 19;
  EXPECT_TRUE(opener.open(frames[highest]).ok());
  EXPECT_TRUE(opener.open(frames[highest - 1]).ok());
  EXPECT_TRUE(opener.open(frames[highest - kRowWindow + 1]).ok()) << "the last one of the window";
  EXPECT_FALSE(opener.open(frames[highest - kRowWindow]).ok()) << "one behind it";
  EXPECT_FALSE(opener.open(frames[highest - kRowWindow + 1]).ok());
}

TEST_F(SealedFrames, OfAnotherLaneOfTheTransportHaveTheirOwnCounter) {
  const std::string bulk = sealer.seal(frame_of("bulk"), Pattern::kRequest, 1, RZ_LANE_BULK);
  const std::string control =
      sealer.seal(frame_of("control"), Pattern::kRequest, 2, RZ_LANE_CONTROL);
  EXPECT_TRUE(opener.open(control).ok()) << "it overtook";
  EXPECT_TRUE(opener.open(bulk).ok());
}

struct Publications : testing::Test {
  Publications() {
    local.key = &key;
    local.fabric = wire::fabric_id("default");
    local.boot = new_boot_nonce();
  }
  Code take(ByteView topic, ByteView frame) {
    return subscriber.take(topic, frame, local.fabric, key.public_key(), local.boot).code();
  }
  const SigningKey key = SigningKey::generate();
  Local local;
  Publisher publisher{local};
  Subscriber subscriber;
};

TEST_F(Publications, AreTakenOnce) {
  const std::string first = publisher.publish("t", "one"), second = publisher.publish("t", "two");
  EXPECT_EQ(subscriber.take("t", first, local.fabric, key.public_key(), local.boot).value(), "one");
  EXPECT_EQ(take("t", first), Code::kCorrupt) << "repeated";
  EXPECT_EQ(take("t", second), Code::kOk);
  EXPECT_EQ(take("t", first), Code::kCorrupt);
}

TEST_F(Publications, MayOvertakeEachOther) {
  const std::string first = publisher.publish("t", "one"), second = publisher.publish("t", "two");
  EXPECT_EQ(take("t", second), Code::kOk);
  EXPECT_EQ(take("t", first), Code::kOk);
  EXPECT_EQ(take("t", first), Code::kCorrupt);
}

TEST_F(Publications, OfAnotherTopicFabricPublisherOrBootAreRefused) {
  const std::string frame = publisher.publish("t", "body");
  EXPECT_EQ(take("u", frame), Code::kCorrupt) << "redirected";
  const SigningKey other = SigningKey::generate();
  EXPECT_FALSE(subscriber.take("t", frame, local.fabric, other.public_key(), local.boot).ok());
  EXPECT_FALSE(subscriber.take("t", frame, local.fabric, key.public_key(), new_boot_nonce()).ok())
      << "from before its last start";
  EXPECT_FALSE(
      subscriber.take("t", frame, wire::fabric_id("another"), key.public_key(), local.boot).ok());
  EXPECT_EQ(take("t", frame), Code::kOk) << "what was refused used nothing up";
}

TEST_F(Publications, WithAnyBitFlippedAreRefused) {
  const std::string bytes = publisher.publish("t", "body");
  // Byte 1, the lane, is the receiver's to believe or not.
  for (std::size_t bit = 16; bit < bytes.size() * 8; bit += 3) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(take("t", damaged), Code::kCorrupt) << "bit " << bit;
  }
}

TEST_F(Publications, OfEverNewTopicsAreBounded) {
  for (std::size_t i = 0; i < Subscriber::kMaxTopics; ++i) {
    const std::string topic = std::to_string(i);
    ASSERT_EQ(take(topic, publisher.publish(topic, "x")), Code::kOk);
  }
  EXPECT_EQ(take("one more", publisher.publish("one more", "x")), Code::kLimit);
}

}  // namespace
}  // namespace rhizome::session
