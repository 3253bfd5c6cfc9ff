// The journal over LevelDB in a process that ends at any moment: killed under eight writers, or out
// of memory at any allocation. Figures 1 and 5 of the reliability tests; the long sets run with
// RHIZOME_SOAK. Each round is a child process; this one has no other thread, so that it may fork.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <random>
#include <thread>

#include "journal/journal.hpp"
#include "journal/testing_basics.hpp"
#include "rhizome/delta/codec.hpp"
#include "rhizome/testing/scale.hpp"

namespace {

// Allocations until one fails, or all from then on; 0: none does.
std::atomic<std::uint64_t> allocations{0}, fail_at{0};
std::atomic<bool> fail_for_good{false};

void* allocate(std::size_t size) {
  const std::uint64_t number = allocations.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t at = fail_at.load(std::memory_order_relaxed);
  if (at != 0 && (number == at || (number > at && fail_for_good))) return nullptr;
  return std::malloc(size != 0 ? size : 1);
}

}  // namespace

// Of the whole process: LevelDB and the plugin allocate through these too.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace rhizome {
namespace {

using testing_support::must;
using testing_support::scaled;

class Crash : public testing::Test {
 protected:
  ~Crash() override {
    if (HasFailure()) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed_));
  }

  Result<std::unique_ptr<Journal>> open() const {
    auto store = use::Store::open(table_, nullptr, R"({"write_buffer_mib":1})", directory_->path());
    if (!store.ok()) return store.status();
    Journal::Options options;
    options.self = self_.public_key();
    options.wall_ms = [] { return std::uint64_t{1'800'000'000'000}; };
    return Journal::open(std::move(*store), options);
  }
  // Appends one new delta, numbered here; its id once the journal has acknowledged it.
  Result<DeltaId> append(Journal& journal, double time, use::Durability durability) const {
    std::string claims;
    RZ_TRY(encode_claims("someone", time,
                         {{"about", EntityRef{"e", "n"}}, {"value", std::string(100, 'x')}},
                         claims));
    DeltaBatch batch;
    if (decode_claims(claims, batch) != DecodeError::kNone) return Status(Code::kInternal, "");
    Append append;
    append.as_of = journal.last();
    append.deltas = {batch[0]};
    append.number = {DeltaId::from_raw(batch[0].id())};
    append.number_as = &self_;
    append.durability = durability;
    const Result<Appended> appended = journal.append(append);
    if (!appended.ok()) return appended.status();
    return append.number[0];
  }
  // Runs `body` in a child until it ends or, after its first acknowledgement, is killed; what it
  // acknowledged. `wait_us` 0: it ends by itself.
  std::vector<DeltaId> acknowledged(const std::function<void(int pipe)>& body, int& status,
                                    unsigned wait_us) const {
    int pipes[2];
    must(::pipe(pipes) == 0 ? Status() : Status(Code::kIo, "pipe"));
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);                           // one that hangs is no clean end
      [&]() noexcept { body(pipes[1]); }();  // an exception ends the child, not the test in it
      ::_exit(0);
    }
    ::close(pipes[1]);
    std::vector<DeltaId> ids;
    std::string raw(DeltaId().raw().size(), '\0');
    const auto next = [&] {
      const bool more = ::read(pipes[0], raw.data(), raw.size()) > 0;
      if (more) ids.push_back(DeltaId::from_raw(raw));
      return more;
    };
    if (wait_us != 0 && next()) {
      std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
      ::kill(child, SIGKILL);
    }
    while (next()) {
    }
    ::close(pipes[0]);
    ::waitpid(child, &status, 0);
    return ids;
  }
  static bool tell(int pipe, const DeltaId& id) {
    const ByteView raw = id.raw();
    return ::write(pipe, raw.data(), raw.size()) == static_cast<ssize_t>(raw.size());
  }
  // How many of them a journal that is opened anew does not hold.
  std::size_t lost(const std::vector<DeltaId>& ids) const {
    const auto before = std::chrono::steady_clock::now();
    const auto journal = open();
    EXPECT_TRUE(journal.ok()) << journal.status().to_string();
    EXPECT_LE(std::chrono::steady_clock::now() - before, std::chrono::seconds(2)) << "reopening";
    if (!journal.ok()) return ids.size();
    std::vector<Journal::Held> held;
    must((*journal)->find(ids, held));
    std::size_t lost = 0;
    for (const Journal::Held& one : held) {
      DeltaBatch read;
      lost += one.seq == 0 || !(*journal)->read({&one.seq, 1}, read).ok() ? 1 : 0;
    }
    return lost;
  }

  const std::uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  const SigningKey self_ = testing_support::key_of(99);
  const use::StoreTables table_ = testing_support::store_table("leveldb");
  std::unique_ptr<testing_support::TemporaryDirectory> directory_;
};

TEST_F(Crash, NothingAcknowledgedIsLostBySigkillUnderEightWriters) {
  std::size_t acknowledgements = 0;
  const int kills = scaled(500, 5000);
  for (int round = 0; round < kills; ++round) {
    if (round % 50 == 0) directory_ = std::make_unique<testing_support::TemporaryDirectory>();
    const auto write = [&](int pipe) {
      const std::unique_ptr<Journal> journal = must(open());
      std::atomic<int> next{0};
      std::vector<std::thread> writers;
      for (int w = 0; w < 8; ++w)
        writers.emplace_back([&] {
          for (;;) {
            const double time = round * 1e6 + next++;
            const auto id = append(*journal, time, use::Durability::kSynced);
            if (!id.ok() || !tell(pipe, *id)) ::_exit(1);
          }
        });
      for (std::thread& writer : writers) writer.join();
    };
    int status = 0;
    const auto ids = acknowledged(write, status, static_cast<unsigned>(1 + random_() % 20000));
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writers ended by themselves";
    ASSERT_EQ(lost(ids), 0u) << "of " << ids.size() << ", round " << round;
    acknowledgements += ids.size();
  }
  EXPECT_GE(acknowledgements, static_cast<std::size_t>(kills));
}

// At each point one allocation fails, or all from it on. The journal says so, or the process ends
// as of an exception that nobody caught; never in another way, and what it acknowledged is held.
TEST_F(Crash, AFailingAllocationIsAnErrorOrACleanRecovery) {
  const auto write = [&](int pipe) {
    Result<std::unique_ptr<Journal>> journal = open();
    for (int i = 0; journal.ok() && i < 40; ++i) {
      const auto id = append(**journal, i, use::Durability::kBuffered);
      if (id.ok() && !tell(pipe, *id)) ::_exit(1);
    }
  };
  // No power fails here: a file system in memory will do, and is spared 20,000 syncs.
  if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
  directory_ = std::make_unique<testing_support::TemporaryDirectory>();
  std::uint64_t in_all = 0;
  {
    const std::uint64_t before = allocations;
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    write(pipes[1]);
    in_all = allocations - before;
    ::close(pipes[0]);
    ::close(pipes[1]);
  }
  ASSERT_GT(in_all, 1000u);
  int ended_by_itself = 0, aborted = 0;
  const int points = scaled(2000, 50000);
  for (int point = 0; point < points; ++point) {
    directory_ = std::make_unique<testing_support::TemporaryDirectory>();
    const std::uint64_t at = 1 + random_() % in_all;
    const bool for_good = point % 2 == 1;
    int status = 0;
    const auto ids = acknowledged(
        [&](int pipe) {
          ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);  // "terminate called ..."
          fail_for_good = for_good;
          fail_at = allocations + at;
          write(pipe);
        },
        status, 0);
    const bool abort = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    ASSERT_TRUE(abort || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        << "allocation " << at << (for_good ? " for good" : "") << ": wait status " << status;
    ASSERT_EQ(lost(ids), 0u) << "allocation " << at << (for_good ? " for good" : "");
    (abort ? aborted : ended_by_itself) += 1;
  }
  std::printf("%d points: %d ended by themselves, %d by an exception\n", points, ended_by_itself,
              aborted);
  EXPECT_GT(ended_by_itself, 0);
}

}  // namespace
}  // namespace rhizome
