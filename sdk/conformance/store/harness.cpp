// Loading the subject, and stores in fresh directories.
#include "harness.hpp"

#include <dlfcn.h>
#include <elf.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>

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

// The manifest's text, from the ELF note of a 64-bit shared object; empty where there is none.
std::string manifest_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  Elf64_Ehdr header{};
  if (file.size() < sizeof header) return {};
  std::memcpy(&header, file.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const std::size_t at = header.e_phoff + i * sizeof segment;
    if (at + sizeof segment > file.size()) return {};
    std::memcpy(&segment, file.data() + at, sizeof segment);
    if (segment.p_type != PT_NOTE || segment.p_offset + segment.p_filesz > file.size()) continue;
    // Owner, type and size stand before the descriptor; other notes may stand before this one.
    const ByteView notes = ByteView(file).substr(segment.p_offset, segment.p_filesz);
    const std::size_t owner = notes.find(ByteView(RZ_NOTE_OWNER "\0", sizeof RZ_NOTE_OWNER));
    if (owner == ByteView::npos || owner < 12) continue;
    std::uint32_t size = 0;
    std::memcpy(&size, notes.data() + owner - 8, sizeof size);
    return std::string(notes.substr(owner + sizeof RZ_NOTE_OWNER, size));
  }
  return {};
}

// The strings of the manifest's list "capabilities"; a host checks the manifest's form.
std::vector<std::string> capabilities_of(const std::string& manifest) {
  std::vector<std::string> found;
  const std::size_t key = manifest.find("\"capabilities\"");
  if (key == std::string::npos) return found;
  std::size_t at = manifest.find('[', key);
  const std::size_t end = manifest.find(']', key);
  while (at < end && end != std::string::npos) {
    const std::size_t open = manifest.find('"', at), close = manifest.find('"', open + 1);
    if (open == std::string::npos || close == std::string::npos || close > end) break;
    found.push_back(manifest.substr(open + 1, close - open - 1));
    at = close + 1;
  }
  return found;
}

template <typename Table>
const Table* table_of(const rz_plugin& plugin, const char* id) {
  return static_cast<const Table*>(plugin.get_interface(id));
}

}  // namespace

use::InstanceHostPtr make_host() { return std::make_shared<Host>(); }

Subject& subject() {
  static Subject instance;
  return instance;
}

std::string load_plugin(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return path + ": does not export " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR) return path + ": another ABI major";
  if (plugin->get_interface("rhizome.no.such/1") != nullptr)
    return path + ": answers an interface that does not exist";
  subject().table = table_of<rz_store>(*plugin, RZ_STORE_ID);
  subject().resolve = table_of<rz_store_resolve>(*plugin, RZ_STORE_RESOLVE_ID);
  subject().maintain = table_of<rz_store_maintain>(*plugin, RZ_STORE_MAINTAIN_ID);
  subject().capabilities = capabilities_of(manifest_of(path));
  return subject().table == nullptr ? path + ": has no " RZ_STORE_ID : "";
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
