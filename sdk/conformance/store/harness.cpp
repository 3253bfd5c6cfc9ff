// Loading the subject, and stores in fresh directories.
#include "harness.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>

#include "loading/config_subject.hpp"

namespace rhizome::conformance {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostEntries = 2'000'000;

// Each timer waits on a thread of its own.
class Host final : public use::InstanceHost {
 public:
  ~Host() override { end_timers(); }
  const rz_host* table() override { return &host_; }
  void end_timers() noexcept override {
    std::unique_lock lock(mutex_);
    ended_ = true;
    wake_.notify_all();
    while (!threads_.empty()) {
      std::thread thread = std::move(threads_.front());
      threads_.pop_front();
      lock.unlock();
      thread.join();
      lock.lock();
    }
  }

 private:
  std::int32_t start(std::uint64_t delay_ns, void (*task)(void*), void* argument,
                     std::uint64_t* id) {
    const std::lock_guard lock(mutex_);
    if (ended_) return RZ_CLOSED;
    const std::uint64_t number = ++numbers_;
    if (id != nullptr) *id = number;
    pending_.insert(number);
    threads_.emplace_back([this, delay_ns, task, argument, number] {
      std::unique_lock waiting(mutex_);
      wake_.wait_for(waiting, std::chrono::nanoseconds(delay_ns), [this] { return ended_; });
      if (ended_ || pending_.erase(number) == 0) return;
      waiting.unlock();
      task(argument);
    });
    return RZ_OK;
  }
  std::int32_t cancel(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    return pending_.erase(id) != 0 ? RZ_OK : RZ_NOT_FOUND;
  }
  const void* interface(std::string_view id) const {
    if (id == RZ_HOST_TIMER_ID) return &timer_;
    return id == RZ_HOST_CLOCK_ID ? &clock_ : nullptr;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;  // guarded by mutex_, as the rest
  std::uint64_t numbers_ = 0;
  std::set<std::uint64_t> pending_;
  std::deque<std::thread> threads_;
  const rz_host_timer timer_{
      this,
      [](void* self, std::uint64_t delay_ns, void (*task)(void*), void* argument,
         std::uint64_t* id) {
        return static_cast<Host*>(self)->start(delay_ns, task, argument, id);
      },
      [](void* self, std::uint64_t id) { return static_cast<Host*>(self)->cancel(id); }};
  const rz_host_clock clock_{
      this,
      [](void*) {
        return static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count());
      },
      [](void*) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count());
      }};
  const rz_host host_{this, [](void* self, const char* id) -> const void* {
                        return static_cast<const Host*>(self)->interface(id);
                      }};
};

}  // namespace

use::InstanceHostPtr make_host() { return std::make_shared<Host>(); }

Subject& subject() {
  static Subject instance;
  return instance;
}

Status load_plugin(const std::string& path, const std::string& config) {
  Result<LoadedPlugin> loaded = load_library(path, "store");
  if (!loaded.ok()) return std::move(loaded).status();
  Result<std::string> filled = loaded->config(config);
  if (!filled.ok()) return std::move(filled).status().with_context(path);
  subject().table = loaded->table<rz_store>(RZ_STORE_ID);
  subject().resolve = loaded->table<rz_store_resolve>(RZ_STORE_RESOLVE_ID);
  subject().maintain = loaded->table<rz_store_maintain>(RZ_STORE_MAINTAIN_ID);
  subject().capabilities = loaded->manifest.capabilities;
  subject().config = *filled;
  config_subject() = {std::move(*loaded), *filled, nullptr};
  return {};
}

StoreTest::StoreTest() {
  std::string name = (std::filesystem::temp_directory_path() / "rhizome-store-XXXXXX").string();
  directory_ = ::mkdtemp(name.data());
  RecordProperty("seed", std::to_string(seed_));
}

StoreTest::~StoreTest() {
  if (HasFailure()) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed_));
  std::filesystem::remove_all(directory_);
}

use::Store StoreTest::open() {
  Result<use::Store> store = try_open();
  if (!store.ok()) {
    ADD_FAILURE() << store.status().to_string();
    std::abort();  // nothing of this check can go on
  }
  return std::move(*store);
}

std::vector<std::pair<std::string, std::string>> StoreTest::all(const use::Store& store,
                                                                ByteView lower, ByteView upper,
                                                                bool reverse) {
  std::vector<std::pair<std::string, std::string>> entries;
  auto cursor = store.cursor(lower, upper, reverse);
  EXPECT_TRUE(cursor.ok()) << cursor.status().to_string();
  if (!cursor.ok()) return entries;
  while (const rz_store_entry* entry = cursor->next()) {
    entries.emplace_back(view(entry->key), view(entry->value));
    if (entries.size() < kMostEntries) continue;
    ADD_FAILURE() << "a cursor gives more entries than were ever written: it does not end";
    return entries;
  }
  EXPECT_TRUE(cursor->status().ok()) << cursor->status().to_string();
  return entries;
}

void StoreTest::put(use::Store& store, ByteView key, ByteView value, use::Durability durability) {
  use::StoreBatch batch;
  batch.put(key, value);
  const Status written = store.write(batch, durability);
  EXPECT_TRUE(written.ok()) << written.to_string();
}

}  // namespace rhizome::conformance
