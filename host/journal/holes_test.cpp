// Holes: how a delta that comes after all fills them, and what is then told of its numbers.
#include <gtest/gtest.h>

#include "journal/testing.hpp"

namespace rhizome {
namespace {

using namespace testing_support;

class HolesTest : public testing::Test {
 protected:
  void SetUp() override {
    open();
    for (int i = 0; i < 4; ++i) {
      const Made made = say(key_, "e", "p", static_cast<double>(i));
      add_to(batch_, made);
      ids_.push_back(made.id);
    }
  }
  void open() {
    journal_.reset();
    Journal::Options options;
    options.self = key_.public_key();
    journal_ = must(Journal::open(
        must(use::Store::open(store_table("leveldb"), nullptr, "{}", directory_.path())), options));
  }
  void append(std::vector<DeltaView> deltas, std::vector<Statement> statements) {
    Append append;
    append.as_of = journal_->last();
    append.deltas = std::move(deltas);
    append.statements = std::move(statements);
    must(journal_->append(append));
  }

  const SigningKey key_ = key_of(1), one_ = key_of(50), two_ = key_of(51);
  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
  DeltaBatch batch_;
  std::vector<DeltaId> ids_;
};

TEST_F(HolesTest, ADeltaThatComesAfterAllFillsThem) {
  append({batch_[0]}, {make_statement(one_, 7, 1, Hash256{}, {ids_[0], ids_[1], ids_[2]}),
                       make_statement(two_, 9, 1, Hash256{}, {ids_[3], ids_[2]})});
  ASSERT_EQ(journal_->holes().size(), 4u);
  append({batch_[2], batch_[1]}, {});
  open();
  ASSERT_EQ(journal_->holes().size(), 1u) << "the one that is still lacking";
  EXPECT_EQ(journal_->holes()[0].id, ids_[3]);
  EXPECT_EQ(journal_->stats().holes, 1u);
  EXPECT_EQ(journal_->origin(one_.public_key(), 7)->holes, 0u) << "they count as held";
  EXPECT_EQ(journal_->record(2)->labels.size(), 2u) << "two origins had numbered it";
  std::vector<Statement> stored;
  ASSERT_TRUE(journal_->statements(one_.public_key(), 7, 1, 100, stored).ok());
  EXPECT_TRUE(check_statement(stored.at(0)).ok()) << "word for word as before";
  std::vector<Numbers> numbers;
  ASSERT_TRUE(journal_->numbers(two_.public_key(), 9, 1, 100, numbers).ok());
  EXPECT_EQ(numbers.at(0).seqs, (std::vector<Seq>{0, 2}));
}

TEST_F(HolesTest, AreReadInParts) {
  append({}, {make_statement(one_, 7, 1, Hash256{}, {ids_[0], ids_[1], ids_[2]})});
  const auto first = journal_->holes({}, 2);
  ASSERT_EQ(first.size(), 2u);
  const auto rest = journal_->holes(first[1].label, 2);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, ids_[2]);
}

}  // namespace
}  // namespace rhizome
