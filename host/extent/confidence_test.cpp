// The two confidences: what must hold of the belief in a record, whatever is claimed, and whether
// what the durability predicts is what comes to pass.
#include "extent/confidence.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "extent/testing.hpp"

namespace rhizome {
namespace {

using extent_testing::Desk;

const std::string_view kDomains[] = {"", "a", "b", "c"};

double probability() { return *rc::gen::inRange(0, 1001) / 1000.0; }

std::vector<Claim> claims() {
  std::vector<Claim> claims;
  const int count = *rc::gen::inRange(0, 8);
  for (int i = 0; i < count; ++i)
    claims.push_back({kDomains[*rc::gen::inRange(0, 4)], probability(), probability()});
  return claims;
}

RC_GTEST_PROP(Belief, AnUntrustedClaimChangesNothing, ()) {
  const double author = probability();
  std::vector<Claim> given = claims();
  const double before = belief(author, given);
  given.push_back({kDomains[*rc::gen::inRange(0, 4)], 0.0, probability()});
  RC_ASSERT(belief(author, given) == before);
}

RC_GTEST_PROP(Belief, AClaimNeverLowersAnothers, ()) {
  const double author = probability();
  std::vector<Claim> given = claims();
  const double before = belief(author, given);
  given.push_back({kDomains[*rc::gen::inRange(0, 4)], probability(), probability()});
  RC_ASSERT(belief(author, given) >= before - 1e-12);
}

RC_GTEST_PROP(Belief, AClaimNeverCountsPastItsOwnWeight, ()) {
  const double author = probability(), weight = probability();
  std::vector<Claim> given = claims();
  const double before = belief(author, given);
  given.push_back({kDomains[*rc::gen::inRange(0, 4)], weight, probability()});
  RC_ASSERT(belief(author, given) <= 1 - (1 - before) * (1 - weight) + 1e-12);
}

RC_GTEST_PROP(Belief, GrowsWithTheAuthorTheWeightAndWhatIsExpressed, ()) {
  const double author = probability();
  std::vector<Claim> given = claims();
  RC_PRE(!given.empty());
  const double before = belief(author, given);
  RC_ASSERT(belief(std::min(1.0, author + 0.1), given) >= before - 1e-12);
  Claim& one = given[*rc::gen::inRange<std::size_t>(0, given.size())];
  one.expressed = std::min(1.0, one.expressed + 0.1);
  RC_ASSERT(belief(author, given) >= before - 1e-12);
  one.weight = std::min(1.0, one.weight + 0.1);
  RC_ASSERT(belief(author, given) >= before - 1e-12);
}

RC_GTEST_PROP(Belief, TheOrderOfClaimsDoesNotMatter, ()) {
  std::vector<Claim> given = claims();
  const double before = belief(0.5, given);
  std::reverse(given.begin(), given.end());
  RC_ASSERT(std::abs(belief(0.5, given) - before) < 1e-12);
}

TEST(Belief, ManyVoicesOfOneDomainAreOneWitness) {
  const Claim one{"house", 0.5, 1.0};
  const std::vector<Claim> many(100, one);
  EXPECT_DOUBLE_EQ(belief(0.2, many), belief(0.2, {&one, 1}));
}

TEST(Durability, IsTheFormulaOfTheDocument) {
  const auto survival = [](const void*, std::string_view domain) {
    return domain == "a" ? 0.9 : 0.8;
  };
  EXPECT_DOUBLE_EQ(durability({}, survival, nullptr), 0.0);
  EXPECT_NEAR(durability({{"a", 0.5}}, survival, nullptr), 0.45, 1e-12);
  EXPECT_NEAR(durability({{"a", 0.5}, {"b", 0.5}, {"a", 0.5}}, survival, nullptr),
              1 - (1 - 0.9 * 0.75) * (1 - 0.8 * 0.5), 1e-12);
  EXPECT_LE(durability(std::vector<HolderOdds>(64, {"a", 0.99}), survival, nullptr), 0.9)
      << "copies in one domain are never surer than the domain";
}

// ---- calibration

struct Bin {
  double centre, least, most;
  std::size_t runs = 0, lost = 0;
  double predicted = 0;
};

constexpr std::size_t kPeers = 6;

// A world: peers in domains with odds of their own. The node knows the odds; the dice are the
// world's.
ExtentOptions random_world(const Desk& desk, std::mt19937_64& chance) {
  std::uniform_real_distribution<double> unit(0, 1);
  ExtentOptions options = desk.options;
  const std::size_t domains = 1 + chance() % 4;
  for (std::size_t d = 0; d < domains; ++d)
    options.domains["d" + std::to_string(d)] = 1 - 0.3 * unit(chance);
  for (PeerJudgement& peer : options.peers) {
    peer.domain = "d" + std::to_string(chance() % domains);
    peer.trust = 1 - 0.5 * unit(chance) * unit(chance);
    peer.survival = 1 - 0.6 * unit(chance);
  }
  options.self.domain = "d" + std::to_string(chance() % domains);
  options.self.trust = 1;
  options.self.survival = 1 - 0.6 * unit(chance);
  return options;
}

// Does any holder that the extent names keep it through the horizon?
bool survives(const Extent& extent, const ExtentBook& book, std::mt19937_64& chance) {
  std::uniform_real_distribution<double> unit(0, 1);
  std::map<std::string, bool> stands;
  bool kept = false;
  for (const NodeKey& holder : extent.holders) {
    const PeerJudgement& odds = book.judge(holder);
    if (!stands.contains(odds.domain))
      stands[odds.domain] = unit(chance) < book.domain_survival(odds.domain);
    const bool honest = unit(chance) < odds.trust, lives = unit(chance) < odds.survival;
    kept = kept || (stands[odds.domain] && honest && lives);
  }
  return kept;
}

// One delta a run, through real receipts and the real book; 2,000 runs in each bin.
TEST(Durability, WhatIsPredictedIsWhatComesToPass) {
  const char* given = std::getenv("RHIZOME_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 chance(seed);
  constexpr std::size_t kRuns = 2000;
  std::array<Bin, 5> bins{{{0.5, 0.4, 0.6},
                           {0.7, 0.63, 0.77},
                           {0.9, 0.88, 0.92},
                           {0.97, 0.96, 0.98},
                           {0.99, 0.985, 0.995}}};
  const auto full = [&] {
    return std::all_of(bins.begin(), bins.end(), [](const Bin& b) { return b.runs >= kRuns; });
  };
  Desk desk(kPeers);
  const Label label = desk.write();
  std::vector<std::string> receipts;
  for (std::uint8_t peer = 1; peer <= kPeers; ++peer)
    receipts.push_back(encode(desk.receipt(peer, 1)));
  for (std::size_t run = 0; run < 400'000 && !full(); ++run) {
    ExtentBook book(random_world(desk, chance), *desk.journal, desk.clock);
    // Of those who could hold it some do.
    const std::size_t holders = chance() % (kPeers + 1);
    for (std::size_t p = 0; p < holders; ++p)
      ASSERT_TRUE(book.take(receipts[p], [](const NodeKey&) { return true; }).ok());
    ExtentSnapshot snapshot(book);
    const Extent extent = snapshot.of({&label, 1});
    ASSERT_EQ(extent.held, holders + 1);
    const double predicted = snapshot.durability_of(extent);
    for (Bin& bin : bins) {
      if (predicted < bin.least || predicted >= bin.most || bin.runs >= kRuns) continue;
      ++bin.runs;
      bin.predicted += predicted;
      bin.lost += survives(extent, book, chance) ? 0 : 1;
    }
  }
  for (const Bin& bin : bins) {
    ASSERT_GE(bin.runs, kRuns) << "bin " << bin.centre;
    const double runs = static_cast<double>(bin.runs), losses = static_cast<double>(bin.lost);
    const double predicted = bin.predicted / runs, observed = 1 - losses / runs;
    std::printf("bin %.2f: predicted %.4f, observed %.4f over %zu runs\n", bin.centre, predicted,
                observed, bin.runs);
    EXPECT_NEAR(predicted, observed, 0.05);
    if (bin.centre <= 0.9) continue;
    const double interval = 2.6 * std::sqrt(predicted * (1 - predicted) / runs);  // 99%
    EXPECT_LE(losses / runs, 2 * (1 - predicted) + interval);
  }
}

}  // namespace
}  // namespace rhizome
