// What may go to peers: its count, digest and sketch, however it came to be known.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "journal/sketch.hpp"
#include "journal/testing.hpp"

namespace rhizome {
namespace {

using namespace testing_support;

class ShareableTest : public testing::Test {
 protected:
  void open(const char* store = "leveldb") {
    journal_.reset();
    Journal::Options options;
    options.self = key_.public_key();
    journal_ = must(Journal::open(
        must(use::Store::open(store_table(store), nullptr, "{}", directory_.path())), options));
  }

  std::vector<DeltaId> append(std::size_t count, std::uint32_t state = RZ_SIGNATURE_VERIFIED) {
    DeltaBatch batch;
    std::vector<DeltaId> ids;
    for (std::size_t i = 0; i < count; ++i) {
      const Made made = say(key_, "e", "c", static_cast<double>(++written_));
      add_to(batch, made, state);
      ids.push_back(made.id);
    }
    Append append;
    append.as_of = journal_->last();
    append.deltas = views_of(batch);
    must(journal_->append(append));
    return ids;
  }

  void expect_exactly(const std::vector<DeltaId>& ids) {
    const auto found = must(journal_->shareable());
    Sketch sketch(kSharedSketchKey, kKeptSketchCells);
    LtHash digest;
    for (const DeltaId& id : ids) {
      sketch.add(short_id(id));
      digest.add(id);
    }
    EXPECT_EQ(found->count, ids.size());
    EXPECT_EQ(found->digest, digest.digest());
    EXPECT_EQ(found->sketch.bytes(0, kKeptSketchCells), sketch.bytes(0, kKeptSketchCells));
  }

  const SigningKey key_ = key_of(1);
  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t written_ = 0;
};

TEST_F(ShareableTest, FollowsWhatIsAppendedOnceItWasAskedFor) {
  open();
  std::vector<DeltaId> all = append(10);
  expect_exactly(all);
  for (const DeltaId& id : append(3000)) all.push_back(id);
  expect_exactly(all);
}

TEST_F(ShareableTest, IsGatheredAgainAfterARestart) {
  open();
  std::vector<DeltaId> all = append(500);
  expect_exactly(all);
  open();
  for (const DeltaId& id : append(5)) all.push_back(id);
  expect_exactly(all);
}

TEST_F(ShareableTest, IsStoredByAStoreThatIsTooLargeToReadAtEachStart) {
  open();
  std::vector<DeltaId> all = append(60'000);
  must(journal_->shareable());
  for (const DeltaId& id : append(6'000)) all.push_back(id);
  open();
  for (const DeltaId& id : append(100)) all.push_back(id);
  expect_exactly(all);
}

TEST_F(ShareableTest, LeavesOutWhatIsUnsignedUntilSomebodyVouches) {
  open();
  std::vector<DeltaId> all = append(20);
  const std::vector<DeltaId> local = append(2, RZ_SIGNATURE_UNSIGNED);
  expect_exactly(all);
  for (const bool is_ready : {true, false}) {
    if (!is_ready) open();
    std::vector<Journal::Held> held;
    must(journal_->find({&local[is_ready ? 0 : 1], 1}, held));
    DeltaBatch batch;
    must(journal_->read({&held[0].seq, 1}, batch));
    batch.mutable_block(0)->signature_state = RZ_SIGNATURE_VOUCHED;
    Append append;
    append.as_of = journal_->last();
    append.upgrades = views_of(batch);
    must(journal_->append(append));
    all.push_back(local[is_ready ? 0 : 1]);
    expect_exactly(all);
  }
}

TEST_F(ShareableTest, MissesNothingThatIsWrittenWhileItIsGathered) {
  for (int round = 0; round < 5; ++round) {
    open("memory");  // ThreadSanitizer sees into it, and not into LevelDB
    append(2000);
    std::thread writer([&] {
      for (int i = 0; i < 200; ++i) append(5);
    });
    must(journal_->shareable());
    writer.join();
    std::vector<DeltaId> all;
    DeltaBatch batch;
    std::vector<Seq> seqs;
    must(journal_->scan(1, SIZE_MAX, batch, seqs));
    for (const DeltaView delta : views_of(batch)) all.push_back(DeltaId::from_raw(delta.id()));
    expect_exactly(all);
  }
}

TEST_F(ShareableTest, IsFoundByShortIdsAndInTheOrderOfIds) {
  open();
  std::vector<DeltaId> all = append(300);
  const DeltaId local = append(1, RZ_SIGNATURE_UNSIGNED)[0];
  std::vector<Journal::Held> held;
  must(journal_->find_short(std::vector{short_id(all[7]), short_id(local), ShortId{}}, held));
  EXPECT_EQ(held[0].seq, 8u);
  EXPECT_EQ(held[1].signature_state, RZ_SIGNATURE_UNSIGNED);
  EXPECT_EQ(held[2].seq, 0u);
  std::sort(all.begin(), all.end());
  std::size_t next = 100;
  must(journal_->each_shareable(all[next].raw().substr(2, 20), [&](ByteView id20, Seq) {
    EXPECT_EQ(id20, all[next].raw().substr(2, 20));
    return ++next < all.size();
  }));
  EXPECT_EQ(next, all.size());
}

}  // namespace
}  // namespace rhizome
