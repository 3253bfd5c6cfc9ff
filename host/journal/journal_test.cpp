// The journal over both stores: order, indexes, labels, restarts and damage.
#include "journal/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "journal/testing_fixture.hpp"

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using testing_support::id_of;
using testing_support::key_of;
using testing_support::store_table;

class JournalTest : public testing_support::JournalFixture {};
INSTANTIATE_TEST_SUITE_P(Stores, JournalTest, testing::Values("memory", "leveldb"),
                         [](const auto& store) { return std::string(store.param); });

TEST_P(JournalTest, KeepsTheOrderOfAcceptanceAndFindsByEveryIndex) {
  DeltaBatch batch;
  writer_.say(batch, "film", "title", ByteView("Matrix"));
  writer_.say(batch, "film", "year", 1999.0);
  writer_.say(batch, "actor", "title", ByteView("Matrix"));
  const std::string first = id_of(batch[0]).hex();
  writer_.add(batch, {{"negates", DeltaRef{first}}});
  writer_.add(batch, {{"rhizomatic.txn.member", DeltaRef{first}}});
  EXPECT_THAT(append(batch).seqs, ElementsAre(1, 2, 3, 4, 5));
  std::vector<Seq> found;
  ASSERT_TRUE(journal_->by_entity("film", std::nullopt, found).ok());
  EXPECT_THAT(found, ElementsAre(1, 2));
  found.clear();
  ASSERT_TRUE(journal_->by_entity("film", "year", found).ok());
  EXPECT_THAT(found, ElementsAre(2));
  found.clear();
  ASSERT_TRUE(journal_->negations_of(id_of(batch[0]), found).ok());
  EXPECT_THAT(found, ElementsAre(4));
  found.clear();
  ASSERT_TRUE(journal_->manifests_of(id_of(batch[0]), found).ok());
  EXPECT_THAT(found, ElementsAre(5));
}

TEST_P(JournalTest, ReadsBackTheVeryBytesAndTheSignature) {
  DeltaBatch batch, read;
  writer_.say(batch, "film", "title", ByteView("Matrix"));
  append(batch);
  ASSERT_TRUE(journal_->read(std::vector<Seq>{1}, read).ok());
  EXPECT_EQ(read[0].claims(), batch[0].claims());
  EXPECT_EQ(read[0].signature(), batch[0].signature());
  EXPECT_EQ(read[0].signature_state(), RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(journal_->read(std::vector<Seq>{7}, read).code(), Code::kNotFound);
}

TEST_P(JournalTest, KeepsWhoBroughtADeltaAndWhatItExpressed) {
  DeltaBatch batch;
  writer_.say(batch, "film", "title", ByteView("Matrix"));
  writer_.say(batch, "film", "year", 1999.0);
  Append given;
  given.as_of = journal_->last();
  given.deltas = {batch[0], batch[1]};
  given.source = writer_.key().public_key();
  given.confidence = {18, 0};
  ASSERT_TRUE(journal_->append(given).ok());
  EXPECT_EQ(journal_->record(1)->source, writer_.key().public_key());
  EXPECT_EQ(journal_->record(1)->confidence, 18);
  EXPECT_EQ(journal_->record(2)->confidence, 0);
}

TEST_P(JournalTest, AStatementComesBackWordForWord) {
  DeltaBatch batch;
  for (int i = 0; i < 300; ++i)
    writer_.say(batch, "e" + std::to_string(i % 7), "p", static_cast<double>(i));
  const Appended appended = append(batch);
  ASSERT_EQ(appended.numbered.size(), 1u);
  std::vector<Statement> stored;
  ASSERT_TRUE(journal_->statements(self_.public_key(), journal_->epoch(), 1, 10000, stored).ok());
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].ids, appended.numbered[0].ids);
  EXPECT_TRUE(check_statement(stored[0]).ok());
  const Result<Record> record = journal_->record(5);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->labels.at(0).n, 5u);
  EXPECT_EQ(record->labels.at(0).origin, self_.public_key());
}

TEST_P(JournalTest, ALongNumberingIsCutIntoStatementsThatChain) {
  DeltaBatch batch;
  for (std::size_t i = 0; i < kStatementMaxIds + 10; ++i)
    writer_.say(batch, "e", "p", static_cast<double>(i));
  const Appended appended = append(batch);
  ASSERT_EQ(appended.numbered.size(), 2u);
  EXPECT_EQ(appended.numbered[1].previous_head, appended.numbered[0].head);
  EXPECT_EQ(journal_->origin(self_.public_key(), journal_->epoch())->last, kStatementMaxIds + 10);
}

TEST_P(JournalTest, ForeignStatementsHolesAndExtraLabelsAreKept) {
  const SigningKey other = key_of(50);
  DeltaBatch batch;
  writer_.say(batch, "e", "p", 1.0);
  append(batch);  // held under our own label already
  DeltaBatch fresh;
  writer_.say(fresh, "e", "p", 2.0);
  const DeltaId refused = DeltaId::of_claims("never seen here");
  Append append;
  append.as_of = journal_->last();
  append.source = other.public_key();
  append.deltas = {fresh[0]};
  append.statements = {
      make_statement(other, 7, 1, Hash256{}, {id_of(batch[0]), refused, id_of(fresh[0])})};
  append.holes = {{{other.public_key(), 7, 2}, refused, "bad_signature"}};
  ASSERT_TRUE(journal_->append(append).ok());
  EXPECT_EQ(journal_->origin(other.public_key(), 7)->last, 3u) << "the hole moved the cursor on";
  ASSERT_EQ(journal_->holes().size(), 1u);
  EXPECT_EQ(journal_->holes()[0].reason, "bad_signature");
  EXPECT_EQ(journal_->record(1)->labels.size(), 2u) << "ours and the other's";
  EXPECT_EQ(journal_->record(2)->source, other.public_key());
  std::vector<Statement> stored;
  ASSERT_TRUE(journal_->statements(other.public_key(), 7, 2, 100, stored).ok());
  EXPECT_EQ(stored.at(0).ids.at(1), refused);
  EXPECT_TRUE(check_statement(stored[0]).ok()) << "holes travel with their ids";
}

TEST_P(JournalTest, AStatementThatDoesNotFollowIsPassedOver) {
  const SigningKey other = key_of(50);
  DeltaBatch batch;
  writer_.say(batch, "e", "p", 1.0);
  Append append;
  append.deltas = {batch[0]};
  append.statements = {make_statement(other, 7, 5, Hash256{}, {id_of(batch[0])})};
  ASSERT_TRUE(journal_->append(append).ok());
  EXPECT_FALSE(journal_->origin(other.public_key(), 7).has_value() &&
               journal_->origin(other.public_key(), 7)->last != 0);
  EXPECT_EQ(journal_->last(), 1u);
}

TEST_P(JournalTest, AnUpgradeChangesTheStateAndNothingElse) {
  DeltaBatch batch;
  writer_.say(batch, "e", "p", 1.0);
  batch.mutable_block(0)->signature_state = RZ_SIGNATURE_UNSIGNED;
  append(batch, false);
  batch.mutable_block(0)->signature_state = RZ_SIGNATURE_VERIFIED;
  Append upgrade;
  upgrade.upgrades = {batch[0]};
  ASSERT_TRUE(journal_->append(upgrade).ok());
  std::vector<Journal::Held> held;
  ASSERT_TRUE(journal_->find(std::vector<DeltaId>{id_of(batch[0])}, held).ok());
  EXPECT_EQ(held[0].seq, 1u);
  EXPECT_EQ(held[0].signature_state, RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(journal_->last(), 1u);
}

TEST_P(JournalTest, TheDigestIsThatOfTheSetInWhateverOrderItCame) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  DeltaBatch batch;
  for (int i = 0; i < 50; ++i) writer_.say(batch, "e", "p", static_cast<double>(i));
  LtHash expected;
  for (std::size_t i = 0; i < batch.size(); ++i) expected.add(DeltaId::from_raw(batch[i].id()));
  std::vector<std::size_t> order(batch.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  for (const std::size_t i : order) {
    DeltaBatch one;
    one.append(batch[i]);
    append(one);
  }
  EXPECT_EQ(journal_->state_digest(), expected.digest());
}

TEST_P(JournalTest, ARestartFindsAllOfIt) {
  if (!durable()) GTEST_SKIP() << "the memory store keeps nothing: it says so in its manifest";
  DeltaBatch batch;
  for (int i = 0; i < 100; ++i) writer_.say(batch, "e", "p", static_cast<double>(i));
  append(batch);
  ASSERT_TRUE(journal_->set_cursor("views", 42).ok());
  const Hash256 digest = journal_->state_digest();
  const std::uint64_t epoch = journal_->epoch();
  reopen();
  EXPECT_EQ(journal_->state_digest(), digest);
  EXPECT_EQ(journal_->last(), 100u);
  EXPECT_EQ(journal_->epoch(), epoch);
  EXPECT_EQ(*journal_->cursor("views"), 42u);
  EXPECT_EQ(journal_->origin(self_.public_key(), epoch)->last, 100u);
  DeltaBatch more;
  writer_.say(more, "e", "p", ByteView("after"));
  EXPECT_EQ(append(more).numbered.at(0).from, 101u);
}

TEST_P(JournalTest, ABufferedWriteIsSyncedByTheNextSyncedOne) {
  const auto write = [&](ByteView value, use::Durability durability) {
    DeltaBatch batch;
    const DeltaView delta = writer_.say(batch, "e", "p", value);
    Append append;
    append.as_of = journal_->last();
    append.deltas = {delta};
    append.number_as = &self_;
    append.number = {id_of(delta)};
    append.durability = durability;
    EXPECT_TRUE(journal_->append(append).ok());
    return journal_->origin(self_.public_key(), journal_->epoch())->synced;
  };
  EXPECT_EQ(write("a", use::Durability::kSynced), 1u);
  EXPECT_EQ(write("b", use::Durability::kBuffered), 1u);
  EXPECT_EQ(write("c", use::Durability::kSynced), 3u);
}

TEST_P(JournalTest, KnowsTheHeadAtEachNumberAndWhereAForkBegins) {
  DeltaBatch batch;
  for (const char* value : {"a", "b", "c"}) writer_.say(batch, "e", "p", ByteView(value));
  const Statement ours = append(batch).numbered.at(0);
  const Hash256 first = next_head({}, 1, ours.ids[0]);
  const NodeKey& self = self_.public_key();
  EXPECT_EQ(*journal_->head_at(self, ours.epoch, 1), first);
  EXPECT_EQ(*journal_->head_at(self, ours.epoch, 3), ours.head);
  EXPECT_FALSE(journal_->head_at(self, ours.epoch, 4)->has_value());
  EXPECT_FALSE(journal_->fork(self, ours.epoch)->has_value());
  // The same first number, then another second one.
  const Statement other = make_statement(self_, ours.epoch, 2, first, {ours.ids[2]});
  ASSERT_TRUE(*journal_->mark_fork(signed_head(other)));
  EXPECT_EQ(journal_->origin(self, ours.epoch)->void_from, 2u);
  const auto evidence = journal_->fork(self, ours.epoch);
  ASSERT_TRUE(evidence->has_value());
  EXPECT_EQ((**evidence).first.head, ours.head);
  EXPECT_EQ((**evidence).second.head, other.head);
  EXPECT_TRUE(check_signed_head((**evidence).second).ok());
}

TEST_P(JournalTest, AnotherMachineUnderTheKeyBeginsANewEpoch) {
  if (!durable()) GTEST_SKIP() << "the memory store keeps nothing: it says so in its manifest";
  const std::uint64_t epoch = journal_->epoch();
  machine_ = "another";
  reopen();
  EXPECT_GT(journal_->epoch(), epoch);
}

TEST_P(JournalTest, ANewStoreNeverComesBackWithAnOldEpoch) {
  const std::uint64_t epoch = journal_->epoch();
  journal_.reset();
  fs::remove_all(directory_);
  fs::create_directories(directory_);
  wall_ms_ += 5000;
  reopen();
  EXPECT_GT(journal_->epoch(), epoch);
}

TEST_P(JournalTest, AnotherFormatIsRefusedWithBothNumbersAndWhatToDo) {
  if (!durable()) GTEST_SKIP() << "the memory store keeps nothing: it says so in its manifest";
  const auto refused = [this](char version) {
    journal_.reset();
    {
      auto store = use::Store::open(store_table(GetParam()), nullptr, "{}", directory_);
      use::StoreBatch other;
      other.put("mformat", std::string(3, '\0') + version);
      EXPECT_TRUE(store->write(other, use::Durability::kSynced).ok());
    }
    const Status opened = try_open();
    EXPECT_EQ(opened.code(), Code::kUnsupported);
    return opened.message();
  };
  EXPECT_THAT(refused(9), HasSubstr("format version 9; this program reads version 2: run a newer"));
  EXPECT_THAT(refused(1),
              HasSubstr("format version 1; this program reads version 2: older stores"));
}

TEST_P(JournalTest, ADamagedRecordIsReportedAndNeverAWrongValue) {
  if (!durable()) GTEST_SKIP() << "the memory store keeps nothing: it says so in its manifest";
  DeltaBatch batch, read;
  writer_.say(batch, "e", "p", 1.0);
  append(batch);
  journal_.reset();
  {
    auto store = use::Store::open(store_table(GetParam()), nullptr, "{}", directory_);
    use::StoreBatch damage;
    damage.put(ByteView("R\0\0\0\0\0\x01", 7), "\x01garbage that is no record");
    ASSERT_TRUE(store->write(damage, use::Durability::kSynced).ok());
  }
  reopen();
  EXPECT_EQ(journal_->read(std::vector<Seq>{1}, read).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace rhizome
