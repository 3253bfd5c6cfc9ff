// Frames and their bodies: what is written is read back, and nothing else is taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "wire/cbor.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "wire/pack.hpp"

namespace rhizome::wire {
namespace {

SigningKey test_key(std::uint8_t first) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = first;
  return SigningKey::from_seed(seed);
}

TEST(Frame, IsReadBackAndBeginsWithItsKind) {
  Frame frame;
  frame.kind = Kind::kFetch;
  frame.lane = Lane::kCatchUp;
  frame.timeout_ms = 70'000;
  frame.body = "body";
  const std::string bytes = encode_frame(frame);
  EXPECT_EQ(bytes, std::string("\x12\x03\0\x01\x11\x70", 6) + "body");
  const Result<Frame> read = decode_frame(bytes);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->kind, Kind::kFetch);
  EXPECT_EQ(read->lane, Lane::kCatchUp);
  EXPECT_EQ(read->timeout_ms, 70'000u);
  EXPECT_EQ(read->body, "body");
}

TEST(Frame, ThatIsTooShortOrOfNoLaneIsRefused) {
  EXPECT_EQ(decode_frame("").code(), Code::kInvalid);
  EXPECT_EQ(decode_frame(std::string("\x12\x03\0\0\0", 5)).code(), Code::kInvalid);
  EXPECT_EQ(decode_frame(std::string("\x12\x05\0\0\0\0", 6)).code(), Code::kInvalid);
  EXPECT_TRUE(decode_frame(std::string("\xff\x04\0\0\0\0", 6)).ok()) << "of a kind to come";
}

TEST(Reader, TakesOnlyTheShortestForm) {
  Reader longer(std::string_view("\x18\x17", 2));  // 23 in two bytes
  longer.uint();
  EXPECT_FALSE(longer.ok());
  Reader shortest(std::string_view("\x18\x18", 2));
  EXPECT_EQ(shortest.uint(), 24u);
  EXPECT_TRUE(shortest.done());
}

TEST(Reader, ALengthBeyondTheEndIsRefusedWithoutReading) {
  Reader reader(std::string_view("\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9));
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.ok());
}

Statement test_statement(std::size_t count) {
  std::vector<DeltaId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(DeltaId::of_claims(std::to_string(i)));
  return make_statement(test_key(2), 7, 1, Hash256{}, ids);
}

TEST(Messages, AStatementTravelsWordForWord) {
  Delivery delivery;
  delivery.statement = test_statement(3);
  delivery.first = 1;
  const std::string signature(64, 's');
  delivery.bodies = {{"claims one", signature}, {"claims two", {}}};
  const std::string bytes = encode(delivery);
  const Result<Delivery> read = decode_delivery(bytes);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->statement.ids, delivery.statement.ids);
  EXPECT_EQ(read->statement.signature, delivery.statement.signature);
  EXPECT_TRUE(check_statement(read->statement).ok());
  EXPECT_EQ(read->first, 1u);
  ASSERT_EQ(read->bodies.size(), 2u);
  EXPECT_EQ(read->bodies[0].claims, "claims one");
  EXPECT_EQ(read->bodies[0].signature, signature);
  EXPECT_EQ(read->bodies[1].signature, "");
}

TEST(Messages, ADeliveryWithMoreBodiesThanItsStatementIsRefused) {
  Delivery delivery;
  delivery.statement = test_statement(1);
  delivery.bodies = {{"a", {}}, {"b", {}}};
  EXPECT_EQ(decode_delivery(encode(delivery)).code(), Code::kInvalid);
}

TEST(Messages, WhatASenderExpressesOfARecordIsReadBackWithinItsBounds) {
  Delivery delivery;
  delivery.statement = test_statement(2);
  delivery.bodies = {{"a", {}, 18}, {"b", {}, 0}};
  const std::string bytes = encode(delivery);
  const Result<Delivery> read = decode_delivery(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->bodies[0].confidence, 18);
  EXPECT_EQ(read->bodies[1].confidence, 0);
  delivery.bodies[0].confidence = kFullConfidence + 1;
  EXPECT_EQ(decode_delivery(encode(delivery)).code(), Code::kInvalid);
  delivery.bodies = {{"", {}, 1}};
  EXPECT_EQ(decode_delivery(encode(delivery)).code(), Code::kInvalid) << "of claims that it lacks";
}

TEST(Messages, AStatementWhoseIdsWereExchangedDoesNotCheckOut) {
  Statement statement = test_statement(2);
  std::swap(statement.ids[0], statement.ids[1]);
  EXPECT_EQ(check_statement(statement).code(), Code::kCorrupt);
}

TEST(Messages, IntroductionAnnounceFetchAndErrorAreReadBack) {
  Introduction own;
  own.name = "a";
  own.addresses = {"tcp://127.0.0.1:7001"};
  own.provides = {"fetch"};
  own.positions = {{test_key(3).public_key(), 1, 2, Hash256{}}};
  const Result<Introduction> read = decode_introduction(encode(own));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->addresses, own.addresses);
  EXPECT_EQ(read->positions[0].last, 2u);
  EXPECT_EQ(decode_announce(encode_announce(own.positions))->size(), 1u);
  const Result<Fetch> fetch = decode_fetch(encode(Fetch{test_key(3).public_key(), 1, 5, 9, 1000}));
  ASSERT_TRUE(fetch.ok());
  EXPECT_EQ(fetch->from, 5u);
  EXPECT_EQ(fetch->to, 9u);
  EXPECT_EQ(decode_fetched(encode_fetched(10)).value(), 10u);
  EXPECT_EQ(decode_error(encode(Error{Code::kDenied, "no"}))->message, "no");
  EXPECT_EQ(decode_error(encode(Error{Code::kWouldBlock, "later", 250}))->retry_after_ms, 250u);
  // Fault: an answer that named one of the newer codes was a malformed frame.
  for (const Code code : {Code::kAway, Code::kCanceled})
    EXPECT_EQ(decode_error(encode(Error{code, "newer"}))->code, code);
  EXPECT_EQ(decode_error(encode(Error{static_cast<Code>(4711), "of a later version"}))->code,
            Code::kInternal);
  EXPECT_FALSE(decode_error(encode(Error{Code::kOk, "no error"})).ok());
}

TEST(Messages, ASignedHeadIsReadBackAndChecksOutWithoutItsIds) {
  SignedHead head = signed_head(test_statement(3));
  const std::string bytes = encode_heads({head, head});
  const auto read = decode_heads(bytes);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(encode_heads(*read), bytes);
  EXPECT_EQ(read->back().last(), 3u);
  EXPECT_TRUE(check_signed_head(read->back()).ok());
  head.head[0] ^= 1;
  EXPECT_EQ(check_signed_head(head).code(), Code::kCorrupt);
  EXPECT_EQ(decode_heads(encode_heads({})).code(), Code::kInvalid);
  EXPECT_EQ(decode_heads(encode_heads(std::vector(kMaxHeads + 1, head))).code(), Code::kInvalid);
}

// Two statements: the end of one from its second id on, and the beginning of the next.
Pack test_pack(const std::string& signature, const std::string& withheld) {
  Pack pack;
  pack.origin = test_key(2).public_key();
  pack.epoch = 7;
  pack.from = 11;
  pack.first = 1;
  pack.runs = {{3, signature, {{"one", signature}, {"", withheld}}}, {2, signature, {{"two", {}}}}};
  return pack;
}

TEST(Messages, APackIsReadBackWithWhatItsSenderDoesNotHold) {
  const std::string signature(64, 's'), withheld(32, 'w');
  const std::string bytes = encode(test_pack(signature, withheld));
  const Result<Pack> read = decode_pack(bytes);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->number(), 12u);
  ASSERT_EQ(read->runs.size(), 2u);
  EXPECT_EQ(read->runs[0].count, 3u);
  EXPECT_EQ(read->runs[0].bodies[0].claims, "one");
  EXPECT_EQ(read->runs[0].bodies[0].signature, signature);
  EXPECT_EQ(withheld_id(read->runs[0].bodies[1]).raw().substr(2), withheld);
  EXPECT_EQ(read->runs[1].bodies[0].claims, "two");
}

TEST(Messages, APackWithAGapOrTooMuchIsRefused) {
  const std::string signature(64, 's'), withheld(32, 'w');
  Pack gap = test_pack(signature, withheld);
  gap.runs[0].bodies.pop_back();  // its statement ends behind it, yet another run follows
  EXPECT_EQ(decode_pack(encode(gap)).code(), Code::kInvalid);
  Pack more = test_pack(signature, withheld);
  more.runs[1].bodies.assign(3, {"two", {}});
  EXPECT_EQ(decode_pack(encode(more)).code(), Code::kInvalid);
  Pack unnamed = test_pack(signature, "");  // neither a body nor its id
  EXPECT_EQ(decode_pack(encode(unnamed)).code(), Code::kInvalid);
  Pack empty = test_pack(signature, withheld);
  empty.runs.clear();
  EXPECT_EQ(decode_pack(encode(empty)).code(), Code::kInvalid);
}

TEST(Messages, DamagedBodiesAreRefusedOrReadButNeverCrash) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Delivery delivery;
  delivery.statement = test_statement(5);
  delivery.bodies.assign(5, {"claims", {}});
  const std::string bytes = encode(delivery);
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged.resize(damaged.size() - random() % 3);
    if (const auto found = decode_delivery(damaged); found.ok())
      read += check_statement(found->statement).ok() ? 1 : 0;
    (void)decode_introduction(damaged).ok();
    (void)decode_announce(damaged).ok();
  }
  // Damage to a body's own bytes passes here (its hash is checked later); to the statement, never.
  EXPECT_LT(read, 20000);
}

}  // namespace
}  // namespace rhizome::wire
