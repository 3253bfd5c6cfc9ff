// What survives: closing, a second handle, and SIGKILL under acknowledged synced writes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "harness.hpp"
#include "rhizome/testing/scale.hpp"

namespace rhizome::conformance {
namespace {

#define REQUIRE_DURABLE()                               \
  if (subject().declares(RZ_STORE_CAPABILITY_VOLATILE)) \
  GTEST_SKIP() << "the store declares itself volatile"
#define REQUIRE_LOCAL()                               \
  if (!subject().declares(RZ_STORE_CAPABILITY_LOCAL)) \
  GTEST_SKIP() << "the store does not declare that its data lies in its directory"

using testing_support::scaled;

TEST_F(StoreTest, WhatWasWrittenIsThereAfterClosing) {
  REQUIRE_DURABLE();
  {
    use::Store store = open();
    for (int i = 0; i < 1000; ++i) put(store, "k" + std::to_string(i), "v" + std::to_string(i));
  }
  use::Store store = open();
  EXPECT_EQ(all(store).size(), 1000u);
  EXPECT_EQ(store.get("k77")->value(), "v77");
}

TEST_F(StoreTest, ASecondHandleIsRefusedAndTheFirstGoesOn) {
  REQUIRE_LOCAL();
  use::Store store = open();
  for (int i = 0; i < scaled(25, 250); ++i) EXPECT_EQ(try_open().code(), Code::kBusy);
  put(store, "still", "here");
  EXPECT_EQ(store.get("still")->value(), "here");
}

TEST_F(StoreTest, ASecondProcessIsRefused) {
  REQUIRE_LOCAL();
  use::Store store = open();
  for (int i = 0; i < scaled(25, 250); ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(try_open().code() == Code::kBusy ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

// Writes as fast as it can and tells each number through the pipe once it is synced.
[[noreturn]] void write_until_killed(use::Store store, int round, int pipe) {
  std::mutex turn;  // [writer]: one write at a time
  std::vector<std::thread> writers;
  std::atomic<std::uint32_t> next{0};
  for (int w = 0; w < 8; ++w)
    writers.emplace_back([&] {
      for (;;) {
        const std::uint32_t n = next++;
        const std::string id = std::to_string(round) + "-" + std::to_string(n);
        use::StoreBatch batch;
        batch.put("a" + id, "first of a pair");
        batch.put("b" + id, std::string(200, 'x'));
        {
          const std::lock_guard lock(turn);
          if (!store.write(batch, use::Durability::kSynced).ok()) ::_exit(1);
        }
        if (::write(pipe, &n, sizeof n) != sizeof n) ::_exit(1);
      }
    });
  for (std::thread& writer : writers) writer.join();
  ::_exit(1);
}

TEST_F(StoreTest, NothingAcknowledgedIsLostBySigkill) {
  REQUIRE_DURABLE();
  const int kills = scaled(500, 5000);
  std::size_t acknowledged = 0, lost = 0, halves = 0;
  for (int round = 0; round < kills; ++round) {
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Result<use::Store> store = try_open();
      if (!store.ok()) ::_exit(1);
      write_until_killed(std::move(*store), round, pipes[1]);
    }
    ::close(pipes[1]);
    std::vector<std::uint32_t> numbers;
    std::uint32_t n = 0;
    // From the first acknowledgement on, however slow the disk is: there must be something to lose.
    if (::read(pipes[0], &n, sizeof n) == sizeof n) numbers.push_back(n);
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 30000));
    ::kill(child, SIGKILL);
    while (::read(pipes[0], &n, sizeof n) == sizeof n) numbers.push_back(n);
    ::close(pipes[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);

    const auto before = std::chrono::steady_clock::now();
    use::Store store = open();
    EXPECT_LE(std::chrono::steady_clock::now() - before, std::chrono::seconds(2)) << "reopening";
    acknowledged += numbers.size();
    for (const std::uint32_t number : numbers) {
      const std::string id = std::to_string(round) + "-" + std::to_string(number);
      if (!store.get("b" + id)->has_value()) ++lost;
    }
    const std::string prefix = std::to_string(round) + "-";
    halves += all(store, "a" + prefix, "a" + std::to_string(round) + ".").size() !=
              all(store, "b" + prefix, "b" + std::to_string(round) + ".").size();
  }
  EXPECT_EQ(lost, 0u) << "of " << acknowledged;
  EXPECT_EQ(halves, 0u) << "batches of which half is there";
  EXPECT_GE(acknowledged, static_cast<std::size_t>(kills))
      << "the check must have had something to lose";
}

}  // namespace
}  // namespace rhizome::conformance
