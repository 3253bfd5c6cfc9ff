// The LevelDB plugin on a real file system that runs full: a small tmpfs in a mount namespace of
// the test's child process. Left out where the system allows no such namespace.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "rhizome/use/store.hpp"
#include "store.hpp"

namespace rhizome::leveldb_store {
namespace {

using std::chrono::steady_clock;

// A host with a real timer thread.
class TimerHost final : public use::InstanceHost {
 public:
  ~TimerHost() override { end_timers(); }
  const rz_host* table() override { return &host_; }
  void end_timers() noexcept override {
    ended_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable() && thread.get_id() != std::this_thread::get_id()) thread.join();
  }

 private:
  std::int32_t start(std::uint64_t delay_ns, void (*task)(void*), void* argument) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, delay_ns, task, argument] {
      const auto due = steady_clock::now() + std::chrono::nanoseconds(delay_ns);
      while (!ended_ && steady_clock::now() < due)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (!ended_) task(argument);
    });
    return RZ_OK;
  }
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::deque<std::thread> threads_;  // guarded by mutex_
  const rz_host_timer timer_{
      this,
      [](void* self, std::uint64_t delay_ns, void (*task)(void*), void* argument, std::uint64_t*) {
        return static_cast<TimerHost*>(self)->start(delay_ns, task, argument);
      },
      [](void*, std::uint64_t) { return std::int32_t{RZ_NOT_FOUND}; }};
  const rz_host host_{this, [](void* self, const char* id) -> const void* {
                        return std::string_view(id) == RZ_HOST_TIMER_ID
                                   ? &static_cast<TimerHost*>(self)->timer_
                                   : nullptr;
                      }};
};

constexpr int kSkipped = 77;

// In a child process: a check that says no ends it.
void require(bool good, const char* what, const Status& status = {}) {
  if (good) return;
  std::fprintf(stderr, "%s: %s\n", what, status.to_string().c_str());
  ::_exit(1);
}

Status put(use::Store& store, int number) {
  use::StoreBatch batch;
  batch.put("k" + std::to_string(number), std::string(4096, 'v'));
  return store.write(batch, use::Durability::kSynced);
}

use::Store open_store(const std::string& directory) {
  auto opened = use::Store::open(
      {plugin::store_table<Store>(), plugin::store_resolve_table<Store>()},
      std::make_shared<TimerHost>(), R"({"write_buffer_mib":1,"ballast_mib":0})", directory);
  require(opened.ok(), "open", opened.status());
  return std::move(*opened);
}

void await_ready(const use::Store& store) {
  const auto given_back = steady_clock::now();
  while (store.watch().state() != use::StoreState::kReady) {
    require(steady_clock::now() - given_back < std::chrono::seconds(60), "it never resumed");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::printf("ready again after %lld ms\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                         steady_clock::now() - given_back)
                                         .count()));
}

int until_it_fails(use::Store& store, Code expected) {
  for (int written = 0;; ++written) {
    const Status status = put(store, written);
    if (status.ok()) continue;
    require(status.code() == expected, "another code", status);
    return written;
  }
}

void expect_all(const use::Store& store, int count) {
  for (int i = 0; i < count; ++i) {
    const auto value = store.get("k" + std::to_string(i));
    require(value.ok() && value->has_value(), "an acknowledged value is gone", value.status());
  }
}

int on_a_full_disk() {
  std::string root = (std::filesystem::temp_directory_path() / "rhizome-tmpfs-XXXXXX").string();
  require(::mkdtemp(root.data()) != nullptr, "mkdtemp");
  const bool separate = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
  if (!separate || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=24m") != 0)
    return kSkipped;
  const std::string filler = root + "/filler", data = root + "/data";
  const int fd = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  require(fd >= 0 && ::posix_fallocate(fd, 0, 12 << 20) == 0, "filler");
  ::close(fd);
  require(::mkdir(data.c_str(), 0700) == 0, "mkdir");
  use::Store store = open_store(data);
  const int written = until_it_fails(store, Code::kNoSpace);
  require(written > 100, "it was full from the start");
  require(store.watch().state() == use::StoreState::kReadOnly, "the state was not reported");
  require(put(store, 1).code() == Code::kReadOnly, "a write was not refused");
  expect_all(store, written);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  require(store.watch().state() == use::StoreState::kReadOnly, "ready on a full disk");
  std::filesystem::remove(filler);
  await_ready(store);
  require(store.resolve().ok(), "resolve");
  for (int i = 0; i < 100; ++i) require(put(store, written + i).ok(), "a write after it");
  expect_all(store, written + 100);
  return 0;
}

int without_descriptors() {
  std::string data = (std::filesystem::temp_directory_path() / "rhizome-emfile-XXXXXX").string();
  require(::mkdtemp(data.data()) != nullptr, "mkdtemp");
  int written = 0;
  {
    use::Store store = open_store(data);
    for (; written < 50; ++written) require(put(store, written).ok(), "write");
    const rlimit few{static_cast<rlim_t>(64), 4096};
    require(::setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
    std::vector<int> held;
    for (int fd; (fd = ::dup(0)) >= 0;) held.push_back(fd);
    (void)until_it_fails(store, Code::kIo);
    require(store.watch().state() == use::StoreState::kReadOnly, "the state was not reported");
    for (const int fd : held) ::close(fd);
    await_ready(store);
    for (int i = 0; i < 100; ++i) require(put(store, 1000 + i).ok(), "a write after it");
    expect_all(store, 50);
  }
  std::filesystem::remove_all(data);
  return 0;
}

int in_child(const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int code = work();
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FullDisk, ARealOneIsLeftWithoutARestartOnceThereIsSpace) {
  const int code = in_child(on_a_full_disk);
  if (code == kSkipped) GTEST_SKIP() << "no mount namespace here";
  EXPECT_EQ(code, 0);
}

TEST(FullDisk, LackOfDescriptorsIsLeftWithoutARestartOnceThereAreSome) {
  EXPECT_EQ(in_child(without_descriptors), 0);
}

}  // namespace
}  // namespace rhizome::leveldb_store
