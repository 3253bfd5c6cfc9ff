// The subscriber against publishers that do not keep to what they were granted: what they may cost
// in memory, and what they are believed. Real code, virtual time, a wire that the test answers on.
#include "feeds/follower.hpp"

#include <gtest/gtest.h>

#include "rhizome/delta/codec.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome::feeds {
namespace {

constexpr std::size_t kMiB = 1u << 20;

struct TestWire final : Wire {
  void subscribe(const Subscribe&, Answer answer) override { subscribed.push_back(answer); }
  void tail(const Tail& wanted, std::uint64_t, Frame frame) override {
    tails.push_back(wanted);
    tail_frames.push_back(std::move(frame));
  }
  void query(const Query& wanted, std::uint64_t, Frame frame) override {
    queries.push_back(wanted);
    query_frames.push_back(std::move(frame));
  }
  void blame(std::string_view) override { ++blamed; }

  std::vector<Answer> subscribed;
  std::vector<Tail> tails;
  std::vector<Query> queries;
  std::vector<Frame> tail_frames, query_frames;
  int blamed = 0;
};

struct Told {
  std::string claims, signature;
};

class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    auto made = std::make_unique<TestWire>();
    wire_ = made.get();
    follower_ =
        std::make_shared<Follower>(key_.public_key(), false, std::move(made), executor_, log_);
    follower_->linked(true);
  }
  std::shared_ptr<Feed> open(std::optional<std::uint64_t> query_limit = std::nullopt) {
    auto feed = std::make_shared<Feed>(Subscribe{});
    feed->query_limit = query_limit;
    follower_->open(feed);
    executor_.run_for(0);
    return feed;
  }
  std::shared_ptr<Feed> stand() {
    auto feed = open();
    Subscribed subscribed;
    subscribed.number = 1;
    wire_->subscribed.back()(subscribed);
    executor_.run_for(0);
    return feed;
  }
  Told tell(const std::vector<Pointer>& pointers, bool with_signature = true) {
    Told told;
    EXPECT_TRUE(encode_claims(key_.author(), ++told_, pointers, told.claims).ok());
    const Signature signature = key_.sign(DeltaId::of_claims(told.claims).raw());
    if (with_signature) told.signature = view(signature.data(), signature.size());
    return told;
  }
  Told say(const std::string& text, bool with_signature = true) {
    return tell({{"value", ByteView(text)}}, with_signature);
  }
  static Batch batch_of(const std::vector<Told>& deltas, std::uint64_t number = 1) {
    Batch batch;
    for (const Told& told : deltas)
      batch.items.push_back({{number}, 1, told.claims, told.signature});
    return batch;
  }
  void answer(const Wire::Frame& frame, const Batch& batch, bool last) {
    const auto bytes = std::make_shared<std::string>(encode(batch));
    frame(Status(), bytes, *bytes, last);
    executor_.run_for(0);
  }
  // A tail's next batch, which moves the subscription on by one.
  void answer_tail(const std::vector<Told>& deltas) {
    Batch batch = batch_of(deltas);
    batch.moved = {{1, {next_, 0}, {next_ + 1, 0}, {}, false}};
    ++next_;
    answer(wire_->tail_frames.front(), batch, false);
  }
  struct Taken {
    std::size_t deltas = 0, bytes = 0;
    std::uint64_t refused = 0;
    std::optional<Status> ended;
  };
  static Taken drain(Feed& feed) {
    Taken taken;
    while (const auto batch = feed.take()) {
      taken.deltas += batch->deltas.size();
      taken.bytes += batch->deltas.memory_bytes();
      taken.refused += batch->refused;
      if (batch->ended) taken.ended = batch->ended;
    }
    return taken;
  }

  const SigningKey key_ = SigningKey::from_seed({1});
  SimulatedExecutor executor_{1};
  Log log_{LogLevel::kError, Log::Format::kText, [](std::string_view) {}};
  TestWire* wire_ = nullptr;
  std::shared_ptr<Follower> follower_;
  double told_ = 0;
  Seq next_ = 1;
};

// Fault: the credit of a tail bound an honest publisher alone. One that answered without end filled
// the memory of a subscriber whose consumer had paused.
TEST_F(FollowerTest, APublisherThatSendsMoreThanATailGrantedIsBlamedAndNotKept) {
  const auto feed = stand();
  ASSERT_EQ(wire_->tails.size(), 1u);
  feed->pause(true);
  const std::string text(100'000, 'x');
  for (int i = 0; i < 200; ++i) answer_tail({say(text)});
  EXPECT_GT(wire_->blamed, 100);
  EXPECT_LT(drain(*feed).bytes, 6 * kMiB) << "what was granted, and one frame";
}

TEST_F(FollowerTest, APublisherThatKeepsToWhatATailGrantedIsNotBlamed) {
  const auto feed = stand();
  const std::uint64_t credit = wire_->tails.front().credit;
  feed->pause(true);
  const std::string text(10'000, 'x');
  const std::size_t batches = credit / (text.size() + 300) + 1;
  for (std::size_t i = 0; i < batches; ++i) answer_tail({say(text)});
  EXPECT_EQ(wire_->blamed, 0);
  EXPECT_EQ(drain(*feed).deltas, batches);
}

// Fault: what a batch says beside its deltas weighed nothing.
TEST(Feeds, AFeedIsFullOfNoticesToo) {
  Feed feed{Subscribe{}};
  FeedBatch notice;
  notice.dropped.resize(64);
  int pushed = 0;
  for (; pushed < 100'000 && feed.has_room(); ++pushed) {
    FeedBatch batch;
    batch.dropped = notice.dropped;
    feed.push(std::move(batch));
    if (pushed == 1000) {
      EXPECT_FALSE(feed.is_hungry());
    }
  }
  EXPECT_LT(pushed, 20'000);
}

// Fault: a query whose limit was reached without an end was asked on with limit 0, which is all.
TEST_F(FollowerTest, AQueryEndsWithItsLimitWhetherItsPublisherSaysSoOrNot) {
  const auto feed = open(2);
  ASSERT_EQ(wire_->queries.size(), 1u);
  answer(wire_->query_frames[0], batch_of({say("one"), say("two")}), true);
  executor_.run_for(1'000'000'000);
  EXPECT_EQ(wire_->queries.size(), 1u);
  const Taken taken = drain(*feed);
  EXPECT_EQ(taken.deltas, 2u);
  ASSERT_TRUE(taken.ended);
  EXPECT_EQ(taken.ended->code(), Code::kEnd);
}

TEST_F(FollowerTest, APublisherThatAnswersWithMoreThanAQuerysLimitIsBlamed) {
  const auto feed = open(2);
  answer(wire_->query_frames[0], batch_of({say("one"), say("two"), say("three")}), false);
  answer(wire_->query_frames[0], batch_of({say("four")}), false);
  EXPECT_EQ(wire_->blamed, 1);
  const Taken taken = drain(*feed);
  EXPECT_EQ(taken.deltas, 0u);
  ASSERT_TRUE(taken.ended);
  EXPECT_EQ(taken.ended->code(), Code::kInvalid);
}

// Fault: the manifests of queries were kept as those of tails are, and for good where a node has no
// tail.
TEST_F(FollowerTest, AManifestSpeaksInTheAnswerToOneQueryAndIsThenForgotten) {
  const Told covered = say("by a manifest", false);
  const std::string id = DeltaId::of_claims(covered.claims).hex();
  const Told manifest = tell({{kMemberRole, DeltaRef{id}}});
  Batch both;
  both.items = {{{}, 1, manifest.claims, manifest.signature}, {{1}, 1, covered.claims, {}}};
  const auto first = open(0), second = open(0);
  answer(wire_->query_frames[0], both, true);
  EXPECT_EQ(drain(*first).deltas, 1u);
  answer(wire_->query_frames[1], batch_of({covered}), true);
  const Taken taken = drain(*second);
  EXPECT_EQ(taken.deltas, 0u);
  EXPECT_EQ(taken.refused, 1u);
}

TEST(ManifestCovers, AreKeptOnceHoweverOftenTheyCome) {
  Covers covers;
  const DeltaId member = DeltaId::of_claims("member");
  for (int i = 0; i < 1000; ++i) covers.add(member, "ed25519:author");
  EXPECT_EQ(covers.size(), 1u);
  covers.begin();
  EXPECT_EQ(covers.size(), 1u) << "of the tail before";
  covers.begin();
  EXPECT_EQ(covers.size(), 0u);
}

}  // namespace
}  // namespace rhizome::feeds
