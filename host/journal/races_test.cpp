// The journal written from many threads at once, over both stores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "journal/testing_fixture.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing_support::id_of;
using testing_support::key_of;
using testing_support::Writer;

class JournalRaces : public testing_support::JournalFixture {};
INSTANTIATE_TEST_SUITE_P(Stores, JournalRaces, testing::Values("memory", "leveldb"),
                         [](const auto& store) { return std::string(store.param); });

TEST_P(JournalRaces, ManyThreadsAppendTheSameDeltasAndEachIsHeldOnce) {
  DeltaBatch batch;
  for (int i = 0; i < 64; ++i) writer_.say(batch, "e", "p", static_cast<double>(i));
  std::atomic<int> fresh{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        Append append;
        append.as_of = 0;
        append.deltas = {batch[i]};
        append.durability = use::Durability::kBuffered;
        const auto appended = journal_->append(append);
        ASSERT_TRUE(appended.ok()) << appended.status().to_string();
        if (appended->fresh[0]) ++fresh;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fresh.load(), 64);
  EXPECT_EQ(journal_->last(), 64u);
  DeltaBatch all;
  std::vector<Seq> seqs;
  ASSERT_TRUE(journal_->scan(1, 1000, all, seqs).ok());
  EXPECT_EQ(all.size(), 64u);
}

// Two nodes said that they were equal while neither said yet that it held all of it.
TEST_P(JournalRaces, ADigestIsNeverAheadOfTheCountOfDeltas) {
  std::map<Hash256, std::uint64_t> held;  // the digest of so many
  std::vector<std::pair<Hash256, std::uint64_t>> seen;
  std::atomic<bool> over{false};
  std::thread reader([&] {
    while (!over) {
      const Hash256 digest = journal_->state_digest();
      seen.emplace_back(digest, journal_->stats().deltas);
    }
  });
  for (int round = 0; round < 30; ++round) {
    DeltaBatch batch;
    for (int i = 0; i < 300; ++i) writer_.say(batch, "e", "p", 300.0 * round + i);
    append(batch);
    held[journal_->state_digest()] = journal_->stats().deltas;
  }
  over = true;
  reader.join();
  ASSERT_GT(seen.size(), 30u);
  for (const auto& [digest, deltas] : seen) {
    const auto known = held.find(digest);
    if (known == held.end()) continue;
    ASSERT_GE(deltas, known->second);
  }
}

TEST_P(JournalRaces, CommitsAreToldInOrderAndAfterTheyAreReadable) {
  std::vector<std::pair<Seq, Seq>> told;
  journal_->on_commit([&](Seq first, Seq last, std::span<const Statement> statements) {
    told.emplace_back(first, last);
    EXPECT_EQ(statements.size(), 1u);
    DeltaBatch read;
    EXPECT_TRUE(journal_->read(std::vector<Seq>{last}, read).ok());
  });
  for (int i = 0; i < 3; ++i) {
    DeltaBatch batch;
    writer_.say(batch, "e", "p", static_cast<double>(i));
    append(batch);
  }
  EXPECT_THAT(told, ElementsAre(std::pair<Seq, Seq>(1, 1), std::pair<Seq, Seq>(2, 2),
                                std::pair<Seq, Seq>(3, 3)));
}

}  // namespace
}  // namespace rhizome
