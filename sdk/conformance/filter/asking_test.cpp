// What a filter answers must not depend on how it is asked: alone or in a batch, in pairs, again,
// from several threads, with another budget, of a delta that a later host laid out.
#include <gmock/gmock.h>

#include <cstring>
#include <thread>

#include "harness.hpp"
#include "rhizome/testing/relaid.hpp"
#include "watch.hpp"

namespace rhizome::conformance {
namespace {

TEST(Filter, ABatchAnswersAsItsDeltasOneByOneAndAgain) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 150);
  const auto pointers = pointers_to(deltas);
  for (int round = 0; round < 500; ++round) {
    const auto [source, filter] = draw(chance);
    std::vector<std::uint64_t> all, again;
    rz_filter_counts counts{}, counts_again{};
    ASSERT_TRUE(filter.match(pointers, all, counts).ok()) << source;
    ASSERT_TRUE(filter.match(pointers, again, counts_again).ok()) << source;
    EXPECT_EQ(all, again) << source;
    EXPECT_EQ(counts.failed, counts_again.failed) << source;
    rz_filter_counts sum{};
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      std::vector<std::uint64_t> one;
      ASSERT_TRUE(filter.match({&pointers[i], 1}, one, sum).ok()) << source;
      ASSERT_EQ(one[0], all[i / 64] >> i % 64 & 1) << source << " delta " << i;
    }
    EXPECT_EQ(sum.failed, counts.failed) << source;
    EXPECT_EQ(sum.stopped, counts.stopped) << source;
  }
}

// A block of pairs with all that it names inside, so that it can be copied to another place.
class PairsBlock {
 public:
  PairsBlock(const std::vector<Drawn>& filters, const DeltaBatch& deltas,
             const std::vector<rz_filter_pair>& pairs) {
    rz_filter_pairs_block head{};
    head.header_size = sizeof head;
    head.filter_count = static_cast<std::uint32_t>(filters.size());
    head.delta_count = static_cast<std::uint32_t>(deltas.size());
    head.pair_count = static_cast<std::uint32_t>(pairs.size());
    take(sizeof head);
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < deltas.size(); ++i)
      places.push_back(put(deltas.block(i), deltas.block(i)->block_size));
    std::vector<std::uint64_t> handles;
    for (const Drawn& drawn : filters)
      handles.push_back(reinterpret_cast<std::uintptr_t>(drawn.filter.handle()));
    head.deltas = put(places.data(), places.size() * sizeof places[0]);
    head.filters = put(handles.data(), handles.size() * sizeof handles[0]);
    head.pairs = put(pairs.data(), pairs.size() * sizeof pairs[0]);
    const std::vector<std::uint32_t> unwritten(pairs.size(), 0xA5A5A5A5u);
    head.results = put(unwritten.data(), unwritten.size() * sizeof unwritten[0]);
    results_ = head.results;
    count_ = pairs.size();
    std::memcpy(words_.data(), &head, sizeof head);
  }
  std::int32_t ask() {
    rz_error error{};
    return subject().tables.pairs->match(subject().language.handle(),
                                         reinterpret_cast<rz_filter_pairs_block*>(words_.data()),
                                         &error);
  }
  std::vector<std::uint32_t> results() const {
    std::vector<std::uint32_t> results(count_);
    std::memcpy(results.data(), reinterpret_cast<const char*>(words_.data()) + results_,
                count_ * sizeof results[0]);
    return results;
  }

 private:
  std::int64_t take(std::size_t bytes) {
    const std::size_t at = words_.size();
    words_.resize(at + (bytes + 7) / 8);
    return static_cast<std::int64_t>(at * 8);
  }
  std::int64_t put(const void* from, std::size_t bytes) {
    const std::int64_t at = take(bytes);
    if (bytes != 0) std::memcpy(reinterpret_cast<char*>(words_.data()) + at, from, bytes);
    return at;
  }
  std::vector<std::uint64_t> words_;
  std::int64_t results_ = 0;
  std::size_t count_ = 0;
};

TEST(Filter, PairsAnswerAsEachFilterOnEachDelta) {
  if (subject().tables.pairs == nullptr) GTEST_SKIP() << "no " << RZ_FILTER_PAIRS_ID;
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  for (int round = 0; round < 30; ++round) {
    const DeltaBatch deltas = random_deltas(chance, 1 + chance.below(20));
    std::vector<Drawn> filters;
    for (std::uint64_t i = 1 + chance.below(60); i > 0; --i) filters.push_back(draw(chance));
    std::vector<rz_filter_pair> pairs;
    for (std::uint64_t i = 1 + chance.below(300); i > 0; --i)
      pairs.push_back({static_cast<std::uint32_t>(chance.below(filters.size())),
                       static_cast<std::uint32_t>(chance.below(deltas.size()))});
    PairsBlock block(filters, deltas, pairs);
    PairsBlock moved = block;  // the same bytes at another place
    ASSERT_EQ(block.ask(), RZ_OK);
    ASSERT_EQ(moved.ask(), RZ_OK);
    const auto results = block.results();
    EXPECT_EQ(results, moved.results());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Drawn& drawn = filters[pairs[i].filter];
      const Matches one = match(drawn.filter, {deltas.block(pairs[i].delta)});
      ASSERT_EQ((results[i] & RZ_PAIR_MATCHES) != 0, one.bits[0]) << drawn.source;
      ASSERT_EQ((results[i] & RZ_PAIR_FAILED) != 0, one.counts.failed != 0) << drawn.source;
      ASSERT_EQ((results[i] & RZ_PAIR_STOPPED) != 0, one.counts.stopped != 0) << drawn.source;
      ASSERT_GE(results[i] & RZ_PAIR_STEPS, 1u) << drawn.source;
    }
  }
}

TEST(Filter, ADeltaOfALaterHostReadsTheSame) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 150);
  std::vector<testing_support::Relaid> relaid;
  for (std::size_t i = 0; i < deltas.size(); ++i) relaid.emplace_back(deltas[i]);
  std::vector<const rz_delta*> larger;
  for (const auto& one : relaid) larger.push_back(one.block());
  for (int round = 0; round < 500; ++round) {
    const auto [source, filter] = draw(chance);
    EXPECT_EQ(match(filter, pointers_to(deltas)).bits, match(filter, larger).bits) << source;
  }
}

// The only place where a budget shows is the count of what it stopped.
TEST(Filter, ABudgetStopsADeltaOrLeavesItsAnswerAlone) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 24);
  for (int round = 0; round < 500; ++round) {
    const auto [source, filter] = draw(chance, kAmple);
    const rz_filter_budget small{1 + chance.below(60), 1 + chance.below(2000)};
    const auto poor = use::Filter::compile(subject().language, source, small);
    ASSERT_TRUE(poor.ok()) << source;
    for (const rz_delta* delta : pointers_to(deltas)) {
      const Matches whole = match(filter, {delta}), cut = match(*poor, {delta});
      ASSERT_TRUE(cut.status.ok())
          << source << ": a budget that ends is no failure of the call: " << cut.status.to_string();
      if (cut.counts.stopped != 0) {
        ASSERT_FALSE(cut.bits[0]) << source << " was stopped and matches";
      } else {
        ASSERT_EQ(cut.bits[0], whole.bits[0]) << source;
      }
    }
  }
}

TEST(Filter, EvaluationReadsNoClockAndNoChance) {
  if (!watch_works()) GTEST_SKIP() << "this build cannot see what a plugin calls";
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 64);
  for (int round = 0; round < 300; ++round) {
    const auto [source, filter] = draw(chance);
    const auto pointers = pointers_to(deltas);
    std::vector<std::uint64_t> bitmap;
    rz_filter_counts counts{};
    watch_begin();
    const Status status = filter.match(pointers, bitmap, counts);
    const char* called = watch_end();
    ASSERT_TRUE(status.ok()) << source;
    ASSERT_EQ(called, nullptr) << source << " calls " << called;
  }
}

TEST(Filter, ThreadsAskOneFilterAtTheSameTime) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 64);
  const auto pointers = pointers_to(deltas);
  for (int round = 0; round < 40; ++round) {
    const Drawn drawn = draw(chance);
    const Matches alone = match(drawn.filter, pointers);
    std::vector<Matches> found(4);
    std::vector<std::thread> threads;
    for (Matches& one : found)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) one = match(drawn.filter, pointers);
      });
    for (std::thread& thread : threads) thread.join();
    for (const Matches& one : found) EXPECT_EQ(one.bits, alone.bits) << drawn.source;
  }
}

// ---- instances

TEST(Filter, InstancesComeAndGoBesideEachOther) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 64);
  const auto open = [] {
    return use::FilterLanguage::open(subject().tables, std::make_shared<use::BareHost>(),
                                     subject().config);
  };
  for (int round = 0; round < 100; ++round) {
    const auto [source, filter] = draw(chance);
    const Matches here = match(filter, pointers_to(deltas));
    {
      const auto one = open(), other = open();
      ASSERT_TRUE(one.ok()) << one.status().to_string();
      ASSERT_TRUE(other.ok()) << other.status().to_string();
      const auto there = use::Filter::compile(*one, source);
      ASSERT_TRUE(there.ok()) << source;
      EXPECT_EQ(match(*there, pointers_to(deltas)).bits, here.bits) << source;
    }
    EXPECT_EQ(match(filter, pointers_to(deltas)).bits, here.bits) << source;
  }
}

}  // namespace
}  // namespace rhizome::conformance
