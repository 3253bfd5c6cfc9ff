// The channel message's codec, and the config with its addresses.
#include "zeromq/message.hpp"

#include <gtest/gtest.h>

#include <random>

#include "zeromq/options.hpp"

namespace rhizome::zeromq {
namespace {

std::string encoded(const Message& message) {
  std::string bytes(encoded_size(message), '\0');
  encode(message, reinterpret_cast<std::uint8_t*>(bytes.data()));
  return bytes;
}

TEST(ChannelMessage, EveryKindComesBackAsItWas) {
  for (int kind = 1; kind <= kLastKind; ++kind) {
    Message message;
    message.kind = static_cast<Kind>(kind);
    message.lane = Lane::kBulk;
    message.last = true;
    message.value = 0x01020304;
    message.number = 0x0102030405060708U;
    message.session = "0123456789abcdef";
    message.topic = "a topic";
    message.frame = "a frame";
    const std::string bytes = encoded(message);
    Message back;
    ASSERT_TRUE(decode(bytes, &back)) << kind;
    EXPECT_EQ(back.kind, message.kind);
    EXPECT_EQ(encoded(back), bytes) << kind;
  }
}

TEST(ChannelMessage, APublishedFrameIsLaidOutAsDocumented) {
  Message message;
  message.kind = Kind::kPublished;
  message.topic = "ab";
  message.frame = "xyz";
  EXPECT_EQ(encoded(message), std::string("\x0e\x02"
                                          "abxyz"));
}

TEST(ChannelMessage, TruncatedOrExtendedOnesWithoutAFrameAreRefused) {
  Message message;
  for (const Kind kind : {Kind::kHello, Kind::kWelcome, Kind::kReady, Kind::kAck, Kind::kSubscribe,
                          Kind::kFailed, Kind::kCancel}) {
    message.kind = kind;
    message.session = "0123456789abcdef";
    message.topic = "topic";
    const std::string bytes = encoded(message);
    Message back;
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode(ByteView(bytes).substr(0, size), &back));
    EXPECT_FALSE(decode(bytes + "x", &back));
  }
}

TEST(ChannelMessage, WhatDecodesEncodesToTheSameBytes) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t good = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 48, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? random() : random() % 20);
    Message message;
    if (!decode(bytes, &message)) continue;
    ++good;
    ASSERT_EQ(encoded(message), bytes);
  }
  EXPECT_GT(good, 1000U);
}

TEST(ChannelMessage, AFrameOverTheLimitIsRefused) {
  Message back;
  std::string bytes(RZ_FRAME_MAX_SIZE + 11, '\0');  // kind, number, last, a byte too many
  bytes[0] = static_cast<char>(Kind::kReply);
  EXPECT_FALSE(decode(bytes, &back));
  bytes.pop_back();
  EXPECT_TRUE(decode(bytes, &back));
}

TEST(ZeromqConfig, AnErrorNamesTheKeyAndWhatWasExpected) {
  const auto message = [](const char* json) { return parse_options(json).status().message(); };
  EXPECT_NE(message(R"({"lisen":"tcp://127.0.0.1:1"})").find("'lisen'"), std::string::npos);
  EXPECT_NE(message(R"({"heartbeat_ms":"often"})").find("an integer from 50"), std::string::npos);
  EXPECT_NE(message(R"({"silence_ms":1000})").find("three times"), std::string::npos);
  EXPECT_NE(message(R"({"listen":"inproc://x"})").find("expected tcp://"), std::string::npos);
  EXPECT_NE(message("[]").find("not a JSON object"), std::string::npos);
  EXPECT_TRUE(parse_options("{}").ok());
}

TEST(ZeromqConfig, OnlyTcpAndIpcAddressesAreTaken) {
  for (const char* good : {"tcp://127.0.0.1:7001", "tcp://[::1]:7001", "tcp://host.example:1",
                           "ipc:///run/rhizome.sock"})
    EXPECT_TRUE(check_address(good, false).ok()) << good;
  for (const char* bad :
       {"", "tcp://", "tcp://host", "tcp://host:", "tcp://host:0", "tcp://host:*", "tcp://*:7001",
        "tcp://host:65536", "tcp://host:70x1", "tcp://:7001", "tcp://a:1;b:2", "udp://host:1",
        "inproc://name", "pgm://eth0;239.0.0.1:1", "vmci://1:1", "ipc://"})
    EXPECT_EQ(check_address(bad, false).code(), Code::kInvalid) << bad;
  EXPECT_TRUE(check_address("tcp://*:0", true).ok());
  EXPECT_TRUE(check_address("tcp://127.0.0.1:*", true).ok());
}

}  // namespace
}  // namespace rhizome::zeromq
