// What is taken over of a damaged store, and what is not.
#include "journal/salvage.hpp"

#include <gtest/gtest.h>

#include "journal/testing.hpp"

namespace rhizome {
namespace {

using testing_support::add_to;
using testing_support::must;
using testing_support::say;
using testing_support::views_of;

class Salvage : public ::testing::Test {
 protected:
  use::Store open_store() const {
    return must(use::Store::open(testing_support::store_table("leveldb"), nullptr, "{}",
                                 directory_.path()));
  }
  std::unique_ptr<Journal> open_journal(use::Store store) const {
    Journal::Options options;
    options.self = self_.public_key();
    options.wall_ms = [] { return std::uint64_t{1'800'000'000'000}; };
    return must(Journal::open(std::move(store), options));
  }
  // Ours at the first `ours` positions, then a peer's.
  std::vector<DeltaId> fill(std::size_t ours, std::size_t others) const {
    const auto journal = open_journal(open_store());
    std::vector<DeltaId> ids;
    for (std::size_t i = 0; i < ours + others; ++i) {
      const auto made = say(i < ours ? self_ : peer_, "e", "p", static_cast<double>(i));
      DeltaBatch batch;
      add_to(batch, made);
      Append append;
      append.as_of = journal->last();
      append.deltas = views_of(batch);
      append.number_as = &self_;
      if (i < ours)
        append.number = {made.id};
      else
        append.source = peer_.public_key();
      must(journal->append(append));
      ids.push_back(made.id);
    }
    must(journal->set_note("author-clock", "1234"));
    return ids;
  }
  void overwrite(Seq seq, ByteView value) const {
    std::string key = "R";
    for (int byte = 5; byte >= 0; --byte) key.push_back(static_cast<char>(seq >> (8 * byte)));
    use::Store store = open_store();
    use::StoreBatch damage;
    if (value.empty())
      damage.remove(key);
    else
      damage.put(key, value);
    must(store.write(damage, use::Durability::kSynced));
  }
  // The ids that are found, those that say that they are ours, and how many were lost.
  struct Found {
    std::vector<DeltaId> ids;
    std::size_t ours = 0;
    std::uint64_t lost = 0;
  };
  Found found() const {
    Found found;
    found.lost = must(salvage(open_store(), [&](const SalvagedRecord& record, Seq) -> Status {
      found.ids.push_back(DeltaId::of_claims(record.claims));
      found.ours += record.ours ? 1 : 0;
      return {};
    }));
    return found;
  }
  const testing_support::TemporaryDirectory directory_;
  const SigningKey self_ = testing_support::key_of(1), peer_ = testing_support::key_of(2);
};

TEST_F(Salvage, DamageCostsOnlyWhatItHit) {
  std::vector<DeltaId> ids = fill(6, 4);
  overwrite(2, "\x18garbage that is no record");
  overwrite(9, {});
  const Found found = this->found();
  ids.erase(ids.begin() + 8);
  ids.erase(ids.begin() + 1);
  EXPECT_EQ(found.ids, ids);
  EXPECT_EQ(found.ours, 5u);
  EXPECT_EQ(found.lost, 2u);
}

TEST_F(Salvage, ARecordWhoseClaimsAreAnothersIsNotTaken) {
  (void)fill(3, 0);
  std::string second = must(open_store().get(ByteView("R\0\0\0\0\0\x02", 7))).value();
  second.back() = static_cast<char>(second.back() ^ 1);
  overwrite(2, second);
  EXPECT_EQ(found().ids.size(), 2u);
  EXPECT_EQ(found().lost, 1u);
}

// A flipped bit in the key of a log's last record once sent a repair through 2^34 positions.
TEST_F(Salvage, APositionThatDamageMadeUpEndsNothingLate) {
  const std::vector<DeltaId> ids = fill(3, 0);
  const std::string third = must(open_store().get(ByteView("R\0\0\0\0\0\x03", 7))).value();
  overwrite(Seq{1} << 34, third);
  const Found found = this->found();
  EXPECT_EQ(found.ids, ids);
  EXPECT_EQ(found.lost, 0u);
}

TEST_F(Salvage, TheAuthorsClockComesAlong) {
  (void)fill(1, 0);
  const auto fresh = open_journal(
      must(use::Store::open(testing_support::store_table("memory"), nullptr, "{}", "unused")));
  must(salvage_notes(open_store(), *fresh));
  EXPECT_EQ(must(fresh->note("author-clock")), "1234");
}

}  // namespace
}  // namespace rhizome
