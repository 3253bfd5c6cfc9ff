// What floods, bursts and hostile filters may cost, and that history and live agree whatever order
// deltas come in. RHIZOME_SOAK runs the long sets.
#include <malloc.h>

#include <cstdlib>
#include <random>

#include "feeds/filters.hpp"
#include "feeds/testing.hpp"

namespace rhizome {
namespace {

using namespace feeds_testing;
using feeds::Policy;
using simulation::Network;
using simulation::Node;

bool is_soak() { return std::getenv("RHIZOME_SOAK") != nullptr; }

std::uint64_t allocated_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(FeedLimits, AFloodOfSubscriptionRequestsIsRefusedAndKeepsNothing) {
  const int requests = is_soak() ? 1'000'000 : 50'000;
  Network network(1);
  network.line(1);
  network.run_for(kSecond);
  feeds::Publisher& publisher = network.node(0).services().feeds->publisher();
  const std::uint64_t before = allocated_bytes();
  int accepted = 0, refused = 0;
  for (int i = 0; i < requests; ++i) {
    publisher.subscribe(
        "flood", false, Consumer::wanted(says("x" + std::to_string(i))),
        [&](const Result<feeds::Subscribed>& made) { ++(made.ok() ? accepted : refused); });
    if (i % 1000 == 0) network.run_for(kSecond / 10);
  }
  network.run_for(kSecond);
  EXPECT_EQ(accepted, 64);
  EXPECT_EQ(refused, requests - 64);
  EXPECT_LE(allocated_bytes(), before + (16u << 20));
  EXPECT_LE(publisher.stats().filters, 64u);
  publisher.gone("flood");
  network.run_for(kSecond);
  EXPECT_EQ(publisher.stats().subscriptions, 0u);
}

TEST(FeedLimits, ManyPeersTogetherAreBoundedToo) {
  Network network(2);
  network.line(1);
  network.run_for(kSecond);
  feeds::Publisher& publisher = network.node(0).services().feeds->publisher();
  int refused = 0;
  feeds::Subscribe greedy = Consumer::wanted(says("x"));
  greedy.policy = Policy::kDropOldest;
  greedy.room = 65'536;
  for (int peer = 0; peer < 2000; ++peer)
    publisher.subscribe(
        "peer " + std::to_string(peer), false, greedy,
        [&](const Result<feeds::Subscribed>& made) { refused += made.ok() ? 0 : 1; });
  network.run_for(kSecond);
  EXPECT_EQ(publisher.stats().subscriptions, 16u) << "as many as a million waiting events allow";
  EXPECT_LE(publisher.stats().sessions, 1024u);
  EXPECT_EQ(refused, 1984);
}

// Row 11 of the reliability figures: the journal is the buffer.
TEST(FeedLimits, ABurstWithAStalledConsumerKeepsPlacesOnlyAndLosesNothing) {
  const int burst = is_soak() ? 200'000 : 10'000;
  Network network(3);
  network.line(2);
  network.run_for(3 * kSecond);
  Node& node = network.node(0);
  Consumer stalled, brisk;
  stalled.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  brisk.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  network.run_for(kSecond);
  const feeds::Publisher& publisher = node.services().feeds->publisher();
  std::uint64_t most_places = 0, most_bytes = 0;
  for (int sent = 0; sent < burst;) {
    std::vector<Told> some;
    for (int i = 0; i < 500; ++i, ++sent)
      some.push_back(say(node, 1 + sent, "keep " + std::to_string(sent), /*with_signature=*/false));
    some.insert(some.begin(), manifest(node, 1 + sent, some));
    ASSERT_EQ(admit(node, some), 501u);
    network.run_for(kSecond / 50);
    brisk.drain();
    most_places = std::max(most_places, publisher.stats().kept_places);
    most_bytes = std::max(most_bytes, publisher.stats().kept_bytes);
  }
  run(network, 60 * kSecond, {&brisk});
  run(network, 60 * kSecond, {&stalled});
  const auto expected = static_cast<std::size_t>(burst);
  EXPECT_EQ(brisk.texts.size(), expected);
  EXPECT_EQ(stalled.texts, brisk.texts);
  EXPECT_LE(most_places, 16'384u) << "32 bytes each";
  EXPECT_LE(most_bytes, 2u << 20);
}

TEST(FeedLimits, ARuleThatCostsTooMuchIsStoppedAndTheOthersGoOn) {
  Network network(4);
  network.line(2);
  network.run_for(3 * kSecond);
  // Each turn doubles what it carries.
  std::string hungry = R"({"var":"pointers"})";
  for (int i = 0; i < 9; ++i)
    hungry = R"({"reduce":[)" + hungry +
             R"(,{"merge":[{"var":"accumulator"},{"var":"accumulator"},[1,2,3,4]]},[1]]})";
  Consumer hostile, honest;
  hostile.open(network.node(1), network.node(0).key(), Consumer::wanted(hungry));
  honest.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  run(network, kSecond, {&hostile, &honest});
  for (int i = 0; i < 100; ++i) network.node(0).write("keep " + std::to_string(i));
  run(network, 5 * kSecond, {&hostile, &honest});
  EXPECT_EQ(honest.texts.size(), 100u);
  ASSERT_TRUE(hostile.ended);
  EXPECT_EQ(hostile.ended->code(), Code::kLimit) << hostile.ended->to_string();
}

// Garbage, mutated rules, and rules that nest too far: each is refused or works within its budget.
TEST(FeedLimits, HostileRulesAreRefusedOrStayWithinTheirBudget) {
  const int rules = is_soak() ? 1'000'000 : 10'000;
  Network network(5);
  network.line(1);
  DeltaBatch batch;
  const Told told = say(network.node(0), 1, "keep this");
  ASSERT_EQ(decode_claims(told.claims, batch), DecodeError::kNone);
  const rz_delta* const block = batch.block(0);
  feeds::FilterBook book(simulation::json_logic(), 7);
  std::mt19937_64 random(7);
  const std::string seeds[] = {
      says("keep"), R"({"reduce":[{"var":"pointers"},{"+":[{"var":"accumulator"},1]},0]})",
      R"({"map":[{"var":"pointers"},{"cat":[{"var":"role"},{"var":"role"}]}]})",
      R"({"and":[{"===":[{"var":"author"},"a"]},{">":[{"var":"timestamp"},5]}]})"};
  int accepted = 0;
  for (int i = 0; i < rules; ++i) {
    std::string rule = seeds[random() % std::size(seeds)];
    if (random() % 8 == 0) rule = std::string(random() % 200, '[') + rule;
    if (random() % 8 == 0)
      for (int nest = static_cast<int>(random() % 80); nest > 0; --nest)
        rule = "{\"!\":[" + rule + "]}";
    for (int change = static_cast<int>(random() % 4); change > 0; --change)
      rule[random() % rule.size()] = static_cast<char>(random());
    const auto number = book.acquire(rule);
    if (!number.ok()) continue;
    ++accepted;
    std::vector<feeds::FilterSet> sets;
    book.match(std::span(&block, 1), sets);
    book.match_one(*number, std::span(&block, 1), sets);
    (void)book.take_stopped();
    book.release(*number);
  }
  EXPECT_GT(accepted, rules / 20);
  EXPECT_TRUE(book.empty());
}

// Reading history: a subscriber must hear that its filter was not asked, not take it for silence.
TEST(FeedLimits, AFilterWhosePluginGivesNoAnswerIsStoppedAndSaysSo) {
  static const rz_filter table = [] {
    rz_filter broken = *simulation::json_logic().tables().filter;
    broken.match = [](void*, const rz_delta* const*, std::uint64_t, std::uint64_t*,
                      rz_filter_counts*, rz_error*) { return std::int32_t{RZ_INTERNAL}; };
    return broken;
  }();
  Network network(5);
  network.line(1);
  DeltaBatch batch;
  const Told told = say(network.node(0), 1, "keep this");
  ASSERT_EQ(decode_claims(told.claims, batch), DecodeError::kNone);
  const rz_delta* const block = batch.block(0);
  feeds::FilterBook book(
      *use::FilterLanguage::open({&table}, std::make_shared<use::BareHost>(), "{}"), 7);
  const auto number = book.acquire(says("keep"));
  ASSERT_TRUE(number.ok());
  std::vector<feeds::FilterSet> sets;
  book.match_one(*number, std::span(&block, 1), sets);
  EXPECT_TRUE(sets[0].empty());
  EXPECT_EQ(book.unanswered(), 1u);
  const auto stopped = book.take_stopped();
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].number, *number);
  EXPECT_EQ(stopped[0].why.code(), Code::kInternal);
  book.release(*number);
}

// Deltas, negations of any depth, and transactions, in any order of arrival: who was there and who
// came later, or came back with a token from any place, get the same in the same order.
struct Story {
  std::vector<Told> deltas;
  Story(Node& node, std::mt19937_64& random) {
    double time = 1;
    for (int i = 0; i < 12; ++i) {
      const std::string text = (random() % 2 == 0 ? "keep " : "skip ") + std::to_string(i);
      deltas.push_back(say(node, time++, text));
    }
    for (int i = 0; i < 10; ++i)
      deltas.push_back(negate(node, time++, deltas[random() % deltas.size()].id));
    for (int t = 0; t < 4; ++t) {
      std::vector<Told> members;
      const bool with_signature = random() % 2 == 0;
      for (std::uint64_t m = 0; m < 1 + random() % 4; ++m)
        members.push_back(say(node, time++,
                              (random() % 2 == 0 ? "keep t" : "skip t") + std::to_string(m),
                              with_signature));
      deltas.push_back(manifest(node, time++, members));
      for (const Told& member : members) {
        deltas.push_back(member);
        if (random() % 3 == 0) deltas.push_back(negate(node, time++, member.id));
      }
    }
    std::shuffle(deltas.begin(), deltas.end(), random);
  }
};

TEST(FeedLimits, HistoryAndLiveAgreeWhateverOrderDeltasComeIn) {
  const std::uint64_t seeds = is_soak() ? 2000 : 40;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Network network(1000 + seed);
    network.line(2);
    network.run_for(2 * kSecond);
    Node& node = network.node(0);
    const Story story(node, random);
    const feeds::Subscribe wanted = Consumer::wanted(says("keep"));
    Consumer live, restless;
    live.open(network.node(1), node.key(), wanted);
    restless.open(network.node(1), node.key(), wanted);
    run(network, kSecond, {&live, &restless});
    for (const Told& told : story.deltas) {
      admit(node, {told});
      network.run_for(kSecond / 20);
      live.drain();
      restless.drain();
      if (random() % 4 != 0) continue;
      restless.feed->close();
      restless.resume(network.node(1), node.key(), wanted);
    }
    Consumer later, indexed;  // the latter finds its history by the entity
    later.open(network.node(1), node.key(), wanted);
    indexed.open(network.node(1), node.key(),
                 Consumer::wanted(R"({"and":[{"@entity":"story"},)" + says("keep") + "]}"));
    run(network, 3 * kSecond, {&live, &restless, &later, &indexed});
    EXPECT_EQ(live.texts, later.texts);
    EXPECT_EQ(live.ids, later.ids);
    EXPECT_EQ(restless.ids, later.ids);
    EXPECT_EQ(indexed.ids, later.ids);
    const std::set<std::string> once(later.ids.begin(), later.ids.end());
    EXPECT_EQ(once.size(), later.ids.size()) << "nothing twice";
    // Exactly the deltas that match and are no part of what is incomplete.
    for (const Told& told : story.deltas) {
      const bool matches = told.claims.find("keep") != std::string::npos;
      if (matches) {
        EXPECT_TRUE(once.contains(told.id.hex()));
      }
      if (told.claims.find("skip") != std::string::npos) {
        EXPECT_FALSE(once.contains(told.id.hex()));
      }
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rhizome
