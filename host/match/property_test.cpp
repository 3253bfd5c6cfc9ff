// Whatever comes, goes and grows long, the index finds what asking every filter finds.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "match/testing.hpp"
#include "rhizome/use/atoms.hpp"

namespace rhizome {
namespace {

using match_testing::append_random;
using match_testing::random_rule;

using Found = std::vector<std::array<std::uint64_t, 3>>;  // group, delta, id

struct Standing {
  Subscription subscription;
  std::shared_ptr<const use::Filter> filter;
  std::string rule;
};

class World {
 public:
  // `languages`: 0 asks many pairs with one call, 1 asks each, 2 has filters of both kinds.
  World(std::uint64_t seed, std::uint64_t languages) : state_(seed), languages_(languages) {}

  std::uint32_t number(std::uint32_t below) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33) % below;
  }
  void add(int depth) {
    const std::string rule =
        random_rule([this](std::uint32_t below) { return number(below); }, depth);
    const bool single = languages_ == 1 || (languages_ == 2 && number(2) == 0);
    auto filter = match_testing::compile(
        rule, single ? match_testing::language_without_pairs() : match_testing::language());
    const Subscription subscription{number(5), next_++};
    const auto ticket = index_.add(subscription, filter);
    RC_ASSERT(ticket.ok());
    standing_.emplace(*ticket, Standing{subscription, filter, rule});
  }
  void remove() {
    if (standing_.empty()) return;
    const auto gone =
        std::next(standing_.begin(), number(static_cast<std::uint32_t>(standing_.size())));
    RC_ASSERT(index_.remove(gone->first));
    RC_ASSERT(!index_.remove(gone->first));
    standing_.erase(gone);
  }
  void remove_group() {
    const std::uint32_t group = number(5);
    const std::size_t here = std::erase_if(
        standing_, [group](const auto& one) { return one.second.subscription.group == group; });
    RC_ASSERT(index_.remove_group(group) == here);
  }
  void compare() {
    DeltaBatch batch;
    const std::uint32_t count = 1 + number(8);
    for (std::uint32_t i = 0; i < count; ++i)
      append_random([this](std::uint32_t below) { return number(below); }, batch);
    std::vector<const rz_delta*> deltas;
    for (std::size_t i = 0; i < batch.size(); ++i) deltas.push_back(batch.block(i));
    Matches found;
    index_.match(deltas, found);
    RC_ASSERT(found.ended.empty());
    Found indexed, asked;
    for (const Hit& hit : found.hits) indexed.push_back({hit.group, hit.delta, hit.id});
    RC_ASSERT(std::is_sorted(indexed.begin(), indexed.end(), [](const auto& a, const auto& b) {
      return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
    }));
    for (const auto& [ticket, one] : standing_) {
      std::vector<std::uint64_t> bitmap;
      rz_filter_counts counts{};
      RC_ASSERT(one.filter->match(deltas, bitmap, counts).ok());
      for (std::size_t i = 0; i < deltas.size(); ++i)
        if ((bitmap[i / 64] >> i % 64 & 1) != 0)
          asked.push_back({one.subscription.group, i, one.subscription.id});
    }
    std::sort(indexed.begin(), indexed.end());
    std::sort(asked.begin(), asked.end());
    if (indexed != asked) RC_FAIL(difference(indexed, asked));
  }
  MatchStats stats() const { return index_.stats(); }
  std::size_t standing() const { return standing_.size(); }

 private:
  static MatchLimits limits() {
    MatchLimits limits;
    limits.scanned = limits.scanned_a_group = SIZE_MAX;
    limits.wasted_steps = UINT32_MAX;
    return limits;
  }
  std::string difference(const Found& indexed, const Found& asked) const {
    Found missed, extra;
    std::set_difference(asked.begin(), asked.end(), indexed.begin(), indexed.end(),
                        std::back_inserter(missed));
    std::set_difference(indexed.begin(), indexed.end(), asked.begin(), asked.end(),
                        std::back_inserter(extra));
    std::string text =
        std::to_string(missed.size()) + " missed, " + std::to_string(extra.size()) + " extra";
    for (const auto& entry : standing_) {
      const auto& one = entry.second;
      if (missed.empty() || one.subscription.id != missed[0][2]) continue;
      (void)one.filter->atoms([&](std::span<const rz_atom> alternative) {
        text += "; missed: " + one.rule + " with " + use::to_text(alternative);
        return Status();
      });
    }
    return text;
  }

  std::uint64_t state_, languages_, next_ = 1;
  FilterIndex index_{limits()};
  std::map<Ticket, Standing> standing_;
};

RC_GTEST_PROP(FilterIndexProperty, FindsWhatAskingEveryFilterFinds, (std::uint64_t seed)) {
  World world(seed, seed % 3);
  for (int step = 0; step < 150; ++step) {
    const std::uint32_t what = world.number(16);
    if (what < 9) {
      world.add(3);
    } else if (what < 11) {
      world.remove();
    } else if (what == 11 && world.number(10) == 0) {
      world.remove_group();
    } else {
      world.compare();
    }
  }
  RC_ASSERT(world.stats().subscriptions == world.standing());
}

// Few words and many filters: lists grow long, are spread over pairs, emptied and swept.
TEST(FilterIndex, FindsTheSameWhileListsAreSpreadAndSwept) {
  World world(7, 0);
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 1500; ++i) world.add(4);
    for (int i = 0; i < 60; ++i) world.compare();
    for (int i = 0; i < 1200; ++i) world.remove();
    for (int i = 0; i < 20; ++i) world.compare();
  }
  EXPECT_GT(world.stats().rekeyed, 0u);
}

}  // namespace
}  // namespace rhizome
