// Forks: which statements contradict each other, and what becomes of our own labels that one made
// void.
#include <gtest/gtest.h>

#include "journal/testing.hpp"

namespace rhizome {
namespace {

using namespace testing_support;

class ForksTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    journal_.reset();
    Journal::Options options;
    options.self = self();
    options.machine_id = "machine";
    options.boot_id = "boot";
    options.wall_ms = [this] { return wall_ms_; };
    journal_ = must(Journal::open(
        must(use::Store::open(store_table("leveldb"), nullptr, "{}", directory_.path())), options));
  }
  // So many new deltas of ours, under one statement.
  std::vector<DeltaId> write(int count) {
    DeltaBatch batch;
    Append append;
    append.as_of = journal_->last();
    append.number_as = &key_;
    for (int i = 0; i < count; ++i) {
      const Made made = say(key_, "e", "p", static_cast<double>(++said_));
      add_to(batch, made);
      append.number.push_back(made.id);
    }
    for (std::size_t i = 0; i < batch.size(); ++i) append.deltas.push_back(batch[i]);
    must(journal_->append(append));
    return append.number;
  }
  // What another life of ours signed in this epoch.
  Statement other(std::uint64_t epoch, std::uint64_t from, const Hash256& previous,
                  std::size_t count = 1) const {
    std::vector<DeltaId> ids;
    for (std::size_t i = 0; i < count; ++i)
      ids.push_back(DeltaId::of_claims("other " + std::to_string(from + i)));
    return make_statement(key_, epoch, from, previous, ids);
  }
  bool marks(const Statement& statement) {
    return must(journal_->mark_fork(signed_head(statement), statement.ids));
  }
  OriginPosition position(std::uint64_t epoch) const {
    return journal_->origin(self(), epoch).value_or(OriginPosition{});
  }
  // The numbers of this epoch that name it.
  std::vector<std::uint64_t> numbers_of(const DeltaId& id, std::uint64_t epoch) const {
    std::vector<Journal::Held> held;
    EXPECT_TRUE(journal_->find({&id, 1}, held).ok());
    std::vector<std::uint64_t> numbers;
    for (const Label& label : must(journal_->record(held[0].seq)).labels)
      if (label.epoch == epoch) numbers.push_back(label.n);
    return numbers;
  }
  void renumber_all(std::size_t limit) {
    while (must(journal_->renumber(key_, limit))) {
    }
  }
  const NodeKey& self() const { return key_.public_key(); }

  const SigningKey key_ = key_of(1);
  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t wall_ms_ = 1'800'000'000'000;
  int said_ = 0;
};

TEST_F(ForksTest, WhatIsHeldOrFollowsOrLiesAheadIsNone) {
  const std::uint64_t epoch = journal_->epoch();
  write(3);
  std::vector<Statement> ours;
  ASSERT_TRUE(journal_->statements(self(), epoch, 1, 1, ours).ok());
  EXPECT_FALSE(marks(ours[0]));
  EXPECT_FALSE(marks(other(epoch, 4, ours[0].head)));
  EXPECT_FALSE(marks(other(epoch, 6, Hash256{})));
  EXPECT_FALSE(marks(other(epoch + 1, 1, Hash256{})));
  EXPECT_EQ(journal_->epoch(), epoch);
}

TEST_F(ForksTest, AStatementThatOverlapsOursIsOneWhereverItBegins) {
  for (const std::uint64_t from : {1, 2, 3, 4}) {
    const std::uint64_t epoch = journal_->epoch();
    write(3);
    const Hash256 another = from == 1 ? Hash256{} : Hash256{7};
    EXPECT_TRUE(marks(other(epoch, from, another, 5)));
    EXPECT_TRUE(position(epoch).forked);
    EXPECT_EQ(position(epoch).void_from, 1u) << "heads before it differ, nobody knows since when";
    EXPECT_GT(journal_->epoch(), epoch);
  }
}

// Between the two a write would have been numbered in the void epoch, and a crash would have left
// the node in it for good.
TEST_F(ForksTest, ARunningEpochIsMarkedAndLeftInOneWrite) {
  const std::uint64_t epoch = journal_->epoch();
  write(1);
  ASSERT_TRUE(marks(other(epoch, 1, Hash256{})));
  const std::uint64_t next = journal_->epoch();
  EXPECT_GT(next, epoch);
  open();
  EXPECT_EQ(journal_->epoch(), next);
  EXPECT_TRUE(position(epoch).forked);
  EXPECT_EQ(position(epoch).void_from, 1u);
}

TEST_F(ForksTest, OurVoidLabelsAreReplacedInTheirOrderAndOnce) {
  const std::uint64_t epoch = journal_->epoch();
  const std::vector<DeltaId> kept = write(2), lost = write(5);
  const Hash256 before = **journal_->head_at(self(), epoch, 2);
  ASSERT_TRUE(marks(other(epoch, 3, before)));
  EXPECT_EQ(position(epoch).void_from, 3u);
  const std::vector<DeltaId> fresh = write(1);
  renumber_all(2);
  renumber_all(2);
  const std::uint64_t now = journal_->epoch();
  EXPECT_EQ(position(now).last, 6u);
  for (std::size_t i = 0; i < lost.size(); ++i) {
    EXPECT_EQ(numbers_of(lost[i], epoch), std::vector<std::uint64_t>{i + 3});
    EXPECT_EQ(numbers_of(lost[i], now), std::vector<std::uint64_t>{i + 2});
  }
  for (const DeltaId& id : kept) EXPECT_TRUE(numbers_of(id, now).empty()) << "its label stands";
  EXPECT_EQ(numbers_of(fresh[0], now), std::vector<std::uint64_t>{1});
}

TEST_F(ForksTest, ARestartInTheMiddleOfItGoesOnWhereItWas) {
  const std::uint64_t epoch = journal_->epoch();
  const std::vector<DeltaId> lost = write(7);
  ASSERT_TRUE(marks(other(epoch, 1, Hash256{})));
  open();
  EXPECT_TRUE(must(journal_->renumber(key_, 3)));
  open();
  renumber_all(3);
  const std::uint64_t now = journal_->epoch();
  EXPECT_EQ(position(now).last, 7u);
  for (std::size_t i = 0; i < lost.size(); ++i)
    EXPECT_EQ(numbers_of(lost[i], now), std::vector<std::uint64_t>{i + 1});
}

TEST_F(ForksTest, AnEpochThatForksAfterItWasRenumberedIntoIsRenumberedToo) {
  const std::uint64_t first = journal_->epoch();
  const std::vector<DeltaId> lost = write(2);
  ASSERT_TRUE(marks(other(first, 1, Hash256{})));
  renumber_all(10);
  const std::uint64_t second = journal_->epoch();
  ASSERT_TRUE(marks(other(second, 1, Hash256{})));
  renumber_all(10);
  const std::uint64_t third = journal_->epoch();
  EXPECT_GT(third, second);
  for (std::size_t i = 0; i < lost.size(); ++i)
    EXPECT_EQ(numbers_of(lost[i], third), std::vector<std::uint64_t>{i + 1});
}

TEST_F(ForksTest, AWriteOfADeltaWithAVoidLabelGivesItANewOne) {
  const std::uint64_t epoch = journal_->epoch();
  const std::vector<DeltaId> lost = write(1);
  ASSERT_TRUE(marks(other(epoch, 1, Hash256{})));
  Append again;
  again.as_of = journal_->last();
  again.number_as = &key_;
  again.number = lost;
  must(journal_->append(again));
  renumber_all(10);
  EXPECT_EQ(numbers_of(lost[0], journal_->epoch()), std::vector<std::uint64_t>{1});
  EXPECT_EQ(position(journal_->epoch()).last, 1u);
}

TEST_F(ForksTest, NoEpochIsBeyondTheGreatest) {
  const std::uint64_t epoch = journal_->epoch();
  ASSERT_TRUE(journal_->begin_epoch(epoch + 1000).ok());
  EXPECT_EQ(journal_->epoch(), epoch + 1001);
  ASSERT_TRUE(journal_->begin_epoch(epoch).ok());
  EXPECT_EQ(journal_->epoch(), epoch + 1001) << "it is beyond that already";
  EXPECT_EQ(journal_->begin_epoch(kMaxEpoch).code(), Code::kLimit);
  EXPECT_EQ(journal_->epoch(), epoch + 1001);
  ASSERT_TRUE(journal_->begin_epoch(kMaxEpoch - 1).ok());
  EXPECT_EQ(journal_->epoch(), kMaxEpoch);
  write(1);
  ASSERT_TRUE(marks(other(kMaxEpoch, 1, Hash256{})));
  write(1);
  EXPECT_EQ(position(kMaxEpoch).last, 1u) << "it wraps into no old one, and numbers nothing more";
  open();
  EXPECT_EQ(journal_->epoch(), kMaxEpoch);
}

}  // namespace
}  // namespace rhizome
