// What a store that keeps its data in files does with them: it syncs what it acknowledges as
// synced, says so when a write fails, and calls damage damage.
#include "faults.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

using faults::Fault;

#define REQUIRE_LOCAL()                               \
  if (!subject().declares(RZ_STORE_CAPABILITY_LOCAL)) \
  GTEST_SKIP() << "the store does not declare that its data lies in its directory"

class StoreFaults : public StoreTest {
 protected:
  ~StoreFaults() override { faults::stop(); }

  std::string needle() {
    std::string bytes(32, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }
  static Status write(use::Store& store, ByteView key, ByteView value,
                      use::Durability durability = use::Durability::kSynced) {
    use::StoreBatch batch;
    batch.put(key, value);
    return store.write(batch, durability);
  }
  // Acknowledged writes, then one that fails of `fault`: its status. OK where the store never
  // called what fails.
  Status fail_a_write(use::Store& store, Fault fault) {
    for (int i = 0; i < 20; ++i)
      put(store, "good" + std::to_string(i), "value", use::Durability::kSynced);
    faults::watch(directory_);
    faults::inject(fault);
    use::StoreBatch batch;
    batch.put("failed a", needle());
    batch.put("failed b", needle());
    return store.write(batch, use::Durability::kSynced);
  }
  static void expect_what_was_acknowledged(const use::Store& store) {
    for (int i = 0; i < 20; ++i) {
      const auto value = store.get("good" + std::to_string(i));
      ASSERT_TRUE(value.ok()) << value.status().to_string();
      EXPECT_TRUE(value->has_value()) << "an acknowledged value is gone";
    }
  }
  // Lets all calls work again and waits until the store says that it is ready. False: it does not,
  // which is allowed.
  static bool recovers(const use::Store& store) {
    faults::inject(Fault::kNone);
    const auto ready = [&store] {
      return store.watch().reports() != 0 && store.watch().state() == use::StoreState::kReady;
    };
    for (int i = 0; i < 1000 && !ready(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return ready();
  }
};

constexpr Fault kFaults[] = {Fault::kNoSpace, Fault::kWriteFails, Fault::kSyncFails};

TEST_F(StoreFaults, ASyncedWriteIsOnStableStorageWhenItReturnsAndSoIsAllBeforeIt) {
  REQUIRE_LOCAL();
  use::Store store = open();
  faults::watch(directory_);
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = needle();
    faults::look_for(bytes);
    // Every other one is written as buffered, and a synced one follows.
    if (i % 2 == 1) put(store, "buffered", bytes);
    put(store, "synced", i % 2 == 1 ? "behind it" : bytes, use::Durability::kSynced);
    const faults::Seen seen = faults::seen();
    ASSERT_GT(seen.syncs, 0u) << "no file under the directory was synced";
    if (seen.needle_written) {
      ASSERT_TRUE(seen.needle_synced) << "the file that the value went to was not synced behind it";
    }
  }
}

TEST_F(StoreFaults, AWriteThatTheSystemRefusesIsNotAcknowledged) {
  REQUIRE_LOCAL();
  for (const Fault fault : kFaults) {
    use::Store store = open();
    const Status failed = fail_a_write(store, fault);
    if (faults::seen().failed == 0) continue;  // it never syncs: another check says so
    EXPECT_EQ(failed.code(), fault == Fault::kNoSpace ? Code::kNoSpace : Code::kIo)
        << failed.to_string();
    faults::stop();
  }
}

TEST_F(StoreFaults, AfterAFailedWriteTheStateAndItsCauseAreReported) {
  REQUIRE_LOCAL();
  use::Store store = open();
  if (fail_a_write(store, Fault::kNoSpace).ok()) GTEST_SKIP() << "it was acknowledged";
  EXPECT_EQ(store.watch().state(), use::StoreState::kReadOnly);
  EXPECT_FALSE(store.watch().condition().cause.empty());
}

TEST_F(StoreFaults, AfterAFailedWriteWritesAreReadOnlyAndReadsGoOn) {
  REQUIRE_LOCAL();
  for (const Fault fault : kFaults) {
    use::Store store = open();
    if (fail_a_write(store, fault).ok()) continue;
    // A store may be ready again by then, where its state says so.
    const Status refused = write(store, "next", "value");
    if (store.watch().state() != use::StoreState::kReady) {
      EXPECT_EQ(refused.code(), Code::kReadOnly) << refused.to_string();
    }
    expect_what_was_acknowledged(store);
    EXPECT_TRUE(store.cursor("", "").ok());
    faults::stop();
  }
}

TEST_F(StoreFaults, AStoreThatIsReadyAgainTellsWhatBecameOfTheWriteAndGoesOn) {
  REQUIRE_LOCAL();
  for (const Fault fault : kFaults) {
    {
      use::Store store = open();
      if (fail_a_write(store, fault).ok()) continue;
      if (recovers(store)) {
        const Result<bool> applied = store.resolve();
        ASSERT_TRUE(applied.ok()) << applied.status().to_string();
        EXPECT_EQ(store.get("failed a")->has_value(), *applied) << "what `resolve` said";
        EXPECT_EQ(store.get("failed b")->has_value(), *applied) << "what `resolve` said";
        const Status written = write(store, "next", "value");
        EXPECT_TRUE(written.ok()) << written.to_string();
      }
      expect_what_was_acknowledged(store);
      faults::stop();
    }
    const use::Store again = open();
    expect_what_was_acknowledged(again);
    EXPECT_EQ(again.get("failed a")->has_value(), again.get("failed b")->has_value())
        << "half of a batch";
  }
}

// How a store that reads damaged files fares: what it found wrong, and anything but RZ_CORRUPT.
void read_all(Result<use::Store> opened, const std::string& damage, int& noticed) {
  const auto look = [&](const Status& status) {
    if (status.ok()) return;
    ++noticed;
    EXPECT_EQ(status.code(), Code::kCorrupt) << damage << ": " << status.to_string();
  };
  look(opened.ok() ? Status() : opened.status());
  if (!opened.ok()) return;
  for (int i = 0; i < 300; ++i) look(opened->get("k" + std::to_string(i)).status());
  auto cursor = opened->cursor("", "");
  look(cursor.ok() ? Status() : cursor.status());
  if (!cursor.ok()) return;
  while (cursor->next() != nullptr) {
  }
  look(cursor->status());
}

TEST_F(StoreFaults, DamagedFilesAreCorruptAndNoErrorOfTheSystem) {
  REQUIRE_LOCAL();
  namespace fs = std::filesystem;
  for (int round = 0; round < 2; ++round) {  // some of it in the form that the first opening left
    use::Store store = open();
    for (int i = 150 * round; i < 150 * (round + 1); ++i)
      put(store, "k" + std::to_string(i), std::string(500, 'v'), use::Durability::kSynced);
  }
  const std::string whole = directory_ + ".whole";
  fs::rename(directory_, whole);
  int noticed = 0;
  for (const auto& entry : fs::recursive_directory_iterator(whole)) {
    if (!entry.is_regular_file() || entry.file_size() < 8) continue;
    const std::string file = fs::relative(entry.path(), whole);
    for (const bool middle : {false, true}) {
      fs::remove_all(directory_);
      fs::copy(whole, directory_, fs::copy_options::recursive);
      {
        std::fstream damaged(directory_ + "/" + file,
                             std::ios::in | std::ios::out | std::ios::binary);
        const auto size = static_cast<std::size_t>(entry.file_size());
        const std::size_t at = middle ? size / 2 : 0;
        damaged.seekp(static_cast<std::streamoff>(at));
        damaged << std::string(std::min<std::size_t>(512, size - at), '\x5a');
      }
      read_all(try_open(), file + (middle ? ", its middle" : ", its beginning"), noticed);
    }
  }
  fs::remove_all(whole);
  EXPECT_GT(noticed, 0) << "no damage to any file was noticed";
}

}  // namespace
}  // namespace rhizome::conformance
