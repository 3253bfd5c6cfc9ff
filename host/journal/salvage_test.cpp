// What is taken over of a damaged store, and what is not.
#include "journal/salvage.hpp"

#include <gtest/gtest.h>

#include "journal/testing.hpp"

namespace rhizome {
namespace {

using rhizome::testing::add_to;
using rhizome::testing::must;
using rhizome::testing::say;
using rhizome::testing::views_of;

class Salvage : public ::testing::Test {
 protected:
  use::Store open_store() const {
    return must(
        use::Store::open(rhizome::testing::store_table("leveldb"), directory_.path(), "{}"));
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
  std::unique_ptr<Journal> salvaged(Salvaged& figures) const {
    auto fresh = open_journal(
        must(use::Store::open(rhizome::testing::store_table("memory"), "unused", "{}")));
    figures = must(salvage(open_store(), *fresh, self_, {}));
    return fresh;
  }
  const rhizome::testing::TemporaryDirectory directory_;
  const SigningKey self_ = rhizome::testing::key_of(1), peer_ = rhizome::testing::key_of(2);
};

TEST_F(Salvage, DamageCostsOnlyWhatItHit) {
  const std::vector<DeltaId> ids = fill(6, 4);
  overwrite(2, "\x18garbage that is no record");
  overwrite(9, {});
  Salvaged figures;
  const auto fresh = salvaged(figures);
  EXPECT_EQ(figures.kept, 8u);
  EXPECT_EQ(figures.lost, 2u);
  std::vector<Journal::Held> held;
  must(fresh->find(ids, held));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(held[i].seq == 0, i == 1 || i == 8) << "position " << i + 1;
    if (held[i].seq == 0) continue;
    EXPECT_EQ(held[i].signature_state, RZ_SIGNATURE_VERIFIED);
  }
}

TEST_F(Salvage, OnlyWhatCameInByOurDoorIsNumberedAgain) {
  (void)fill(6, 4);
  Salvaged figures;
  const auto fresh = salvaged(figures);
  EXPECT_EQ(figures.numbered, 6u);
  const auto position = fresh->origin(self_.public_key(), fresh->epoch());
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->last, 6u);
}

TEST_F(Salvage, TheAuthorsClockComesAlong) {
  (void)fill(1, 0);
  Salvaged figures;
  EXPECT_EQ(must(salvaged(figures)->note("author-clock")), "1234");
}

TEST_F(Salvage, ARecordWhoseClaimsAreAnothersIsNotTaken) {
  (void)fill(3, 0);
  std::string second = must(open_store().get(ByteView("R\0\0\0\0\0\x02", 7))).value();
  second.back() = static_cast<char>(second.back() ^ 1);
  overwrite(2, second);
  Salvaged figures;
  (void)salvaged(figures);
  EXPECT_EQ(figures.kept, 2u);
  EXPECT_EQ(figures.lost, 1u);
}

}  // namespace
}  // namespace rhizome
