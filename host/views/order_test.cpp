// Figure 12 of the reliability tests: one set of deltas, whatever the order and however often each
// arrives, gives the same bytes of digest and views. The long set runs with RHIZOME_SOAK.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "authoring/testing.hpp"
#include "views/entity_json.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing_support::Doors;
using testing_support::Made;
using testing_support::make;
using testing_support::manifest;
using testing_support::negation;
using testing_support::say;

constexpr const char* kEntities[] = {"a", "b", "c"};
constexpr const char* kResolvers[] = {"last-write-wins", "first-write", "all"};

class OrderTest : public testing::Test, protected Doors {
 protected:
  std::mt19937 random_;

  // Values with many ties, negations of values and of negations, transactions that are complete and
  // ones that never will be, members that only their manifest vouches for.
  std::vector<Made> draw_set() {
    std::vector<Made> deltas;
    const std::size_t count = 4 + random_() % 20;
    while (deltas.size() < count) {
      const SigningKey& key = random_() % 2 == 0 ? author : other;
      const auto time = static_cast<double>(random_() % 4);
      const unsigned kind = random_() % 10;
      if (kind < 3 && !deltas.empty()) {
        deltas.push_back(negation(key, time, deltas[random_() % deltas.size()].id()));
      } else if (kind == 3) {
        std::vector<Made> members{draw_value(key, time, false), draw_value(key, time, false)};
        deltas.push_back(manifest(key, time, members));
        if (random_() % 3 != 0) deltas.push_back(members[0]);
        deltas.push_back(members[1]);
      } else {
        deltas.push_back(draw_value(key, time, true));
      }
    }
    return deltas;
  }
  Made draw_value(const SigningKey& key, double time, bool sign) {
    const std::string context = "p" + std::to_string(random_() % 2);
    return make(key, time,
                {{"subject", EntityRef{kEntities[random_() % 3], context}},
                 {"value", static_cast<double>(random_() % 5)},
                 {"mark", static_cast<double>(random_() % 1000)}},
                sign);
  }

  // Into an empty journal, in runs of any length.
  void arrive(const std::vector<Made>& deltas) {
    journal = open();
    Admission door(*journal, executor, {});
    for (std::size_t begin = 0; begin < deltas.size();) {
      const std::size_t end = std::min<std::size_t>(begin + 1 + random_() % 9, deltas.size());
      std::vector<Arrival> arrivals;
      for (; begin < end; ++begin)
        arrivals.push_back({deltas[begin].claims, deltas[begin].signature});
      Batch batch;
      batch.arrivals = arrivals;
      ASSERT_TRUE(door.admit(batch).ok());
    }
  }

  // All that can be seen of the set, as bytes; what is this journal's own (seqs) left out.
  std::string seen() {
    const Hash256 digest = journal->state_digest();
    std::string bytes(view(digest.data(), digest.size()));
    for (const char* entity : kEntities) {
      for (const char* name : kResolvers) {
        const auto resolver = use::Resolver::create(testing_support::standard_resolvers(), name);
        const Result<EntityView> view = entity_view(*journal, entity, *resolver);
        bytes += view.ok() ? to_json(*view) : view.status().message();
      }
      bytes += lossless(entity);
    }
    return bytes;
  }
  std::string lossless(const char* entity) {
    const Result<LosslessView> found = lossless_view(*journal, entity);
    if (!found.ok()) return found.status().message();
    json view = json::parse(to_json(*found));
    for (auto& [context, entries] : view["properties"].items()) {
      for (json& entry : entries) entry.erase("seq");
      std::sort(entries.begin(), entries.end());
    }
    return view.dump();
  }
};

TEST_F(OrderTest, AnyOrderAndAnyRepetitionGiveTheSameBytes) {
  const bool soak = std::getenv("RHIZOME_SOAK") != nullptr;
  const unsigned first_seed = soak ? std::random_device()() : 1;
  const unsigned sets = soak ? 5000 : 50, orders = 20;
  for (unsigned set = 0; set < sets; ++set) {
    SCOPED_TRACE("seed " + std::to_string(first_seed + set));
    random_.seed(first_seed + set);
    const std::vector<Made> deltas = draw_set();
    arrive(deltas);
    const std::string expected = seen();
    for (unsigned order = 0; order < orders; ++order) {
      std::vector<Made> shuffled = deltas;
      for (std::size_t again = random_() % 12; again != 0; --again)
        shuffled.push_back(deltas[random_() % deltas.size()]);
      std::shuffle(shuffled.begin(), shuffled.end(), random_);
      arrive(shuffled);
      ASSERT_EQ(seen(), expected);
    }
  }
}

TEST_F(OrderTest, AnotherSetGivesOtherBytes) {
  const Made one = say(author, 1, "a", "p0", 1.0), two = say(author, 1, "a", "p0", 2.0);
  arrive({one});
  const std::string without = seen();
  arrive({one, two});
  EXPECT_NE(seen(), without);
}

}  // namespace
}  // namespace rhizome
