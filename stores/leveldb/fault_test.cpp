// The LevelDB store on a disk that fails: power loss, failing operations, full disk, flipped bits.
// Figures 2, 3, 4 and 6 of the reliability tests; the long sets run with RHIZOME_SOAK.
#include <gtest/gtest.h>
#include <leveldb/iterator.h>

#include <filesystem>
#include <map>
#include <random>

#include "rhizome/bytes.hpp"
#include "rhizome/testing/scale.hpp"
#include "testing.hpp"

namespace rhizome::leveldb_store {
namespace {

using testing_support::scaled;

TEST_F(Faults, PowerLossTakesNothingThatWasSynced) {
  ASSERT_TRUE(open().ok());
  for (int trial = 0; trial < scaled(1000, 50000); ++trial) {
    for (std::size_t i = 0, n = random_() % 6; i < n; ++i) ASSERT_TRUE(write().ok());
    disk_->lose_power();
    const Status opened = open();
    ASSERT_TRUE(opened.ok()) << "trial " << trial << ": " << opened.to_string();
    ASSERT_EQ(lost(), 0u) << "trial " << trial;
    if (trial % 100 == 99) {
      new_disk();
      ASSERT_TRUE(open().ok());
    }
  }
}

// The controls: a check that cannot fail shows nothing.
TEST_F(Faults, WithoutSyncsPowerLossDoesLose) {
  int losses = 0;
  for (int trial = 0; trial < 50; ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(write(/*synced=*/false).ok());
    disk_->lose_power();
    if (!open().ok() || lost() != 0) ++losses;
  }
  EXPECT_GT(losses, 25);
}

TEST_F(Faults, WithoutDirectorySyncsPowerLossDoesLose) {
  int losses = 0;
  for (int trial = 0; trial < 50; ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    disk_->ignore_syncs(/*files=*/false, /*directories=*/true);
    ASSERT_TRUE(open().ok());  // a new log, whose name nothing makes durable
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(write().ok());
    disk_->lose_power();
    if (!open().ok() || lost() != 0) ++losses;
  }
  EXPECT_GT(losses, 25);
}

TEST_F(Faults, AFailingOperationLosesNothingOnceOrForGood) {
  for (int point = 0; point < scaled(1000, 10000); ++point) {
    if (point % 50 == 0) new_disk();
    const Status before = open();
    ASSERT_TRUE(before.ok()) << before.to_string();
    disk_->fail_at(1 + random_() % 30, /*for_good=*/point % 2 == 0);
    if (point % 4 == 3) (void)open().ok();  // it may fail in recovery too
    bool failed = store_ == nullptr;
    for (int i = 0; i < 12 && store_ != nullptr; ++i) {
      const Status written = write();
      if (failed && !written.ok()) {
        EXPECT_EQ(written.code(), Code::kReadOnly);
      }
      failed = failed || !written.ok();
    }
    if (store_ != nullptr) {
      EXPECT_EQ(lost(), 0u) << "while it runs, point " << point;
    }
    disk_->fail_at(0, false);
    const Status after = open();
    ASSERT_TRUE(after.ok()) << "point " << point << ": " << after.to_string();
    ASSERT_EQ(lost(), 0u) << "point " << point;
  }
}

TEST_F(Faults, AFullDiskIsRefusedWithOneCodeAndReadsGoOn) {
  for (int trial = 0; trial < scaled(40, 500); ++trial) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(write().ok());
    disk_->set_capacity(disk_->used() + random_() % 20000);
    Status full;
    for (int i = 0; i < 200 && full.ok(); ++i) full = write();
    ASSERT_EQ(full.code(), Code::kNoSpace) << full.to_string();
    EXPECT_EQ(write().code(), Code::kReadOnly);
    EXPECT_EQ(lost(), 0u) << "reads go on";
    disk_->set_capacity(UINT64_MAX);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(lost(), 0u);
    EXPECT_TRUE(write().ok()) << "writes resume";
  }
}

// The ballast lies in the real directory and counts as room taken of the faulty disk.
TEST_F(Faults, ANodeRestartsOnAFullDiskReadsOnAndWritesAgainOnceThereIsSpace) {
  options_.ballast_mib = 8;
  const std::string ballast = directory_ + "/BALLAST";
  for (int trial = 0; trial < scaled(20, 250); ++trial) {
    new_disk();
    std::filesystem::remove(ballast);
    disk_->count_file(ballast);
    ASSERT_TRUE(open().ok());
    ASSERT_TRUE(std::filesystem::exists(ballast)) << "space is kept aside";
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(write().ok());
    disk_->set_capacity(disk_->used() + random_() % 20000);
    Status full;
    for (int i = 0; i < 200 && full.ok(); ++i) full = write();
    ASSERT_EQ(full.code(), Code::kNoSpace) << full.to_string();
    disk_->set_capacity(disk_->used());  // not a byte is left
    const Status restarted = open();
    ASSERT_TRUE(restarted.ok()) << "trial " << trial << ": " << restarted.to_string();
    EXPECT_EQ(lost(), 0u) << "reads go on after a restart";
    disk_->set_capacity(UINT64_MAX);
    ASSERT_TRUE(open().ok());
    EXPECT_TRUE(write().ok()) << "writes resume";
    EXPECT_EQ(lost(), 0u);
    EXPECT_TRUE(std::filesystem::exists(ballast)) << "space is kept aside again";
  }
}

// The control: it is the ballast that lets the store open.
TEST_F(Faults, WithoutBallastARestartOnAFullDiskIsRefusedForWantOfSpace) {
  ASSERT_TRUE(open().ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(write().ok());
  disk_->set_capacity(disk_->used());
  EXPECT_EQ(open().code(), Code::kNoSpace);
  disk_->set_capacity(UINT64_MAX);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(lost(), 0u);
}

TEST_F(Faults, AFlippedBitNeverGivesAWrongValue) {
  int reported = 0;
  const int flips = scaled(300, 5000);
  for (int flip = 0; flip < flips; ++flip) {
    new_disk();
    ASSERT_TRUE(open().ok());
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(write().ok());
    if (flip % 2 == 0) store_->database()->db->CompactRange(nullptr, nullptr);  // into table files
    store_.reset();
    const char* kind = flip % 2 == 0 ? ".ldb" : ".log";
    if (!disk_->flip_bit(random_(), kind)) continue;
    const Status opened = open();
    bool told = !opened.ok();
    for (const auto& [key, value] : model_) {
      if (store_ == nullptr) break;
      std::string found;
      leveldb::ReadOptions how;
      how.verify_checksums = true;
      const leveldb::Status read = store_->database()->db->Get(how, key, &found);
      if (!read.ok()) {
        EXPECT_TRUE(read.IsCorruption()) << read.ToString() << ": a value vanished without a word";
        told = true;
      } else {
        EXPECT_EQ(found, value) << "flip " << flip;
      }
    }
    reported += told ? 1 : 0;
  }
  EXPECT_GT(reported, flips / 3) << "most flips hit something that is read";
}

}  // namespace
}  // namespace rhizome::leveldb_store
