// The LevelDB store after a failed write: it finds out by itself when writes work again, says what
// became of the write, and readers notice nothing.
#include <gmock/gmock.h>

#include "rhizome/testing/scale.hpp"
#include "testing.hpp"

namespace rhizome::leveldb_store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::scaled;

using Resume = Faults;
using Entries = std::map<std::string, std::string>;

// All that a cursor still gives, at most `limit`.
Entries rest(plugin::StoreCursor& cursor, std::size_t limit = SIZE_MAX) {
  Entries found;
  std::array<rz_store_entry, 8> run;
  while (found.size() < limit) {
    const Result<std::size_t> got = cursor.next(run);
    EXPECT_TRUE(got.ok()) << got.status().to_string();
    if (!got.ok() || *got == 0) break;
    for (std::size_t i = 0; i < *got; ++i) found.emplace(view(run[i].key), view(run[i].value));
  }
  return found;
}

TEST_F(Resume, WritesGoOnOnceThereIsSpaceWithoutARestart) {
  for (int trial = 0; trial < scaled(40, 500); ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(write().ok());
    disk_->set_capacity(disk_->used() + random_() % 20000);
    ASSERT_EQ(write_until_it_fails().code(), Code::kNoSpace);
    ASSERT_FALSE(host_.ready());
    EXPECT_THAT(host_.states.back().second, HasSubstr("No space left on device"));
    EXPECT_EQ(host_.run_timers(), 1u);
    ASSERT_FALSE(host_.ready()) << "the disk is full still";
    EXPECT_EQ(write().code(), Code::kReadOnly);
    disk_->set_capacity(UINT64_MAX);
    EXPECT_EQ(host_.run_timers(), 1u);
    ASSERT_TRUE(host_.ready());
    EXPECT_EQ(lost(), 0u);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(write().ok());
    EXPECT_EQ(host_.run_timers(), 0u);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(lost(), 0u) << "after a restart";
  }
}

TEST_F(Resume, AFullDiskIsTriedAgainAfterAtMostTwoSeconds) {
  ASSERT_TRUE(open().ok());
  disk_->set_capacity(disk_->used());
  ASSERT_EQ(write().code(), Code::kNoSpace);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(host_.run_timers(), 1u);
  EXPECT_THAT(host_.delays_ms, ElementsAre(100, 200, 400, 800, 1600, 2000, 2000, 2000));
  EXPECT_EQ(host_.states.size(), 1u) << "the state was told once";
}

// The failing operation is an append, a sync, a new file or a rename, of a log, a table or a
// manifest; it fails once, or until the test says otherwise.
TEST_F(Resume, AFailedWriteIsResolvedAsReadsShowIt) {
  int applied = 0, not_applied = 0;
  for (int point = 0; point < scaled(600, 10000); ++point) {
    if (point % 50 == 0) {
      new_disk();
      ASSERT_TRUE(open().ok());
    }
    disk_->fail_at(1 + random_() % 40, /*for_good=*/point % 2 == 0);
    const Status failed = write_until_it_fails();
    ASSERT_EQ(failed.code(), Code::kIo) << failed.to_string();
    const std::string marker = marker_;
    const Entries batch = batch_;
    disk_->fail_at(0, false);
    for (int i = 0; i < 10 && !host_.ready(); ++i) host_.run_timers();
    ASSERT_TRUE(host_.ready()) << "point " << point;
    batch_ = batch;
    const Result<bool> resolved = store_->resolve(marker);
    ASSERT_TRUE(resolved.ok()) << resolved.status().to_string();
    ASSERT_EQ(*resolved, last_batch_is_there()) << "point " << point;
    if (*resolved)
      for (const auto& [key, value] : batch) model_[key] = value;
    ++(*resolved ? applied : not_applied);
    ASSERT_EQ(lost(), 0u) << "point " << point;
  }
  EXPECT_GT(applied, 10) << "a sync fails behind the data";
  EXPECT_GT(not_applied, 10);
}

TEST_F(Resume, NothingIsLostByAPowerCutAfterwards) {
  for (int trial = 0; trial < scaled(100, 2000); ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(write(/*synced=*/i % 2 == 0).ok());
    ASSERT_TRUE(write().ok());
    disk_->fail_at(1 + random_() % 10, false);
    (void)write_until_it_fails();
    for (int i = 0; i < 10 && !host_.ready(); ++i) host_.run_timers();
    ASSERT_TRUE(host_.ready());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(write().ok());
    disk_->lose_power();
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(lost(), 0u) << "trial " << trial;
  }
}

TEST_F(Resume, ACursorSeesItsStateAcrossAFailureAndAllThatComesAfterIt) {
  for (int trial = 0; trial < scaled(10, 100); ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 1500; ++i) ASSERT_TRUE(write(/*synced=*/false).ok());
    const Entries before = model_;
    auto opened = store_->cursor("", "", false);
    ASSERT_TRUE(opened.ok());
    plugin::StoreCursor& cursor = **opened;
    Entries seen = rest(cursor, 20);
    for (int failures = 0; failures < 2; ++failures) {
      disk_->set_capacity(disk_->used());
      ASSERT_EQ(write_until_it_fails().code(), Code::kNoSpace);
      disk_->set_capacity(UINT64_MAX);
      host_.run_timers();
      ASSERT_TRUE(host_.ready());
      for (int i = 0; i < 1500; ++i) ASSERT_TRUE(write(/*synced=*/false).ok());
      ASSERT_TRUE(store_->compact({}, {}).ok());
      seen.merge(rest(cursor, 100));
    }
    seen.merge(rest(cursor));
    EXPECT_EQ(seen, before);
    EXPECT_EQ(lost(), 0u);
    const std::uint64_t with_reader = disk_->used();
    opened->reset();
    EXPECT_LT(disk_->used(), with_reader) << "what it alone needed is removed with it";
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(lost(), 0u);
  }
}

TEST_F(Resume, WithoutATimerOfTheHostWritesStayRefused) {
  auto opened = Store::open_on(
      disk_.get(), [](const std::string& path) { return disk_under_test->sync_directory(path); },
      plugin::Host(), options_, directory_);
  ASSERT_TRUE(opened.ok());
  store_ = std::move(*opened);
  disk_->fail_at(1, false);
  EXPECT_EQ(write_until_it_fails().code(), Code::kIo);
  EXPECT_EQ(write().code(), Code::kReadOnly);
  EXPECT_EQ(lost(), 0u);
}

}  // namespace
}  // namespace rhizome::leveldb_store
