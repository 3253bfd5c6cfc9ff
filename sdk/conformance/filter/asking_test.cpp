// What a filter answers must not depend on how it is asked: alone or in a batch, in pairs, again,
// from several threads, with another budget, of a delta that a later host laid out.
#include <gmock/gmock.h>

#include <cstring>
#include <thread>

#include "harness.hpp"
#include "loading/suite.hpp"
#include "rhizome/delta/codec.hpp"
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
    ASSERT_TRUE(filter.match(pointers, all, counts).ok()) << shown(source);
    ASSERT_TRUE(filter.match(pointers, again, counts_again).ok()) << shown(source);
    EXPECT_EQ(all, again) << shown(source);
    EXPECT_EQ(counts.failed, counts_again.failed) << shown(source);
    rz_filter_counts sum{};
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      std::vector<std::uint64_t> one;
      ASSERT_TRUE(filter.match({&pointers[i], 1}, one, sum).ok()) << shown(source);
      ASSERT_EQ(one[0], all[i / 64] >> i % 64 & 1) << shown(source) << " delta " << i;
    }
    EXPECT_EQ(sum.failed, counts.failed) << shown(source);
    EXPECT_EQ(sum.stopped, counts.stopped) << shown(source);
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
      ASSERT_EQ((results[i] & RZ_PAIR_MATCHES) != 0, one.bits[0]) << shown(drawn.source);
      ASSERT_EQ((results[i] & RZ_PAIR_FAILED) != 0, one.counts.failed != 0) << shown(drawn.source);
      ASSERT_EQ((results[i] & RZ_PAIR_STOPPED) != 0, one.counts.stopped != 0)
          << shown(drawn.source);
      ASSERT_GE(results[i] & RZ_PAIR_STEPS, 1u) << shown(drawn.source);
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
    EXPECT_EQ(match(filter, pointers_to(deltas)).bits, match(filter, larger).bits) << shown(source);
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
    ASSERT_TRUE(poor.ok()) << shown(source);
    for (const rz_delta* delta : pointers_to(deltas)) {
      const Matches whole = match(filter, {delta}), cut = match(*poor, {delta});
      ASSERT_TRUE(cut.status.ok())
          << shown(source)
          << ": a budget that ends is no failure of the call: " << cut.status.to_string();
      if (cut.counts.stopped != 0) {
        ASSERT_FALSE(cut.bits[0]) << shown(source) << " was stopped and matches";
      } else {
        ASSERT_EQ(cut.bits[0], whole.bits[0]) << shown(source);
      }
    }
  }
}

Target target_of(PointerView pointer) {
  switch (pointer.kind()) {
    case RZ_TARGET_NUMBER:
      return pointer.number();
    case RZ_TARGET_BOOLEAN:
      return pointer.boolean();
    case RZ_TARGET_ENTITY:
      return EntityRef{pointer.target(), pointer.context()};
    case RZ_TARGET_DELTA:
      return DeltaRef{pointer.target(), pointer.context()};
    case RZ_TARGET_BYTES:
      return BytesTarget{pointer.context(), pointer.target()};
    default:
      return pointer.target();
  }
}

// A delta with a small one's pointers in the middle of many others that no source names.
void append_among_others(DeltaView small, std::size_t others, bool with_its_pointers,
                         DeltaBatch& batch) {
  static constexpr ByteView kRole = "zzz nothing asks for this role";
  const Pointer other{kRole, ByteView("zzz")};
  std::vector<Pointer> pointers(others, other);
  for (std::size_t i = 0; i < small.size(); ++i)
    pointers.push_back(with_its_pointers ? Pointer{small[i].role(), target_of(small[i])} : other);
  pointers.insert(pointers.end(), others, other);
  std::string claims;
  const Status made = encode_claims(small.author(), small.timestamp(), pointers, claims);
  if (made.ok()) (void)decode_claims(claims, batch);
}

// An answer that differs by pointers in the middle of a thousand cannot be had in one step: a step
// costs bounded time. So a budget of one step must stop it, in a language that counts steps.
TEST(Filter, WorkThatGrowsWithTheDeltaIsCountedInSteps) {
  constexpr std::size_t kOthers = 500;
  constexpr rz_filter_budget kEnough{100'000, 64u << 20}, kOneStep{1, 64u << 20};
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  int looked_into = 0;
  // Few sources of a small set may ask for what random deltas have: then it takes more rounds.
  for (int round = 0; round < 120 || (looked_into == 0 && round < 6000); ++round) {
    const auto [source, filter] = draw(chance, kEnough);
    const DeltaBatch small = random_deltas(chance, 4);
    const auto poor = use::Filter::compile(subject().language, source, kOneStep);
    ASSERT_TRUE(poor.ok()) << shown(source);
    for (std::size_t i = 0; i < small.size(); ++i) {
      DeltaBatch large;
      append_among_others(small[i], kOthers, true, large);
      append_among_others(small[i], kOthers, false, large);
      if (large.size() != 2) continue;
      const Matches whole = match(filter, pointers_to(large));
      if (whole.counts.stopped != 0 || whole.bits[0] == whole.bits[1]) continue;
      ++looked_into;
      const Matches cut = match(*poor, pointers_to(large));
      ASSERT_FALSE(cut.status.ok() && cut.counts.stopped == 0 && cut.bits == whole.bits)
          << shown(source) << " looks at " << 2 * kOthers << " pointers in a budget of one step";
    }
  }
  EXPECT_GT(looked_into, 0) << "no filter's answer depended on a pointer: nothing was tested";
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
    ASSERT_TRUE(status.ok()) << shown(source);
    ASSERT_EQ(called, nullptr) << shown(source) << " calls " << called;
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
    for (const Matches& one : found) EXPECT_EQ(one.bits, alone.bits) << shown(drawn.source);
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
      ASSERT_TRUE(there.ok()) << shown(source);
      EXPECT_EQ(match(*there, pointers_to(deltas)).bits, here.bits) << shown(source);
    }
    EXPECT_EQ(match(filter, pointers_to(deltas)).bits, here.bits) << shown(source);
  }
}

}  // namespace
}  // namespace rhizome::conformance
