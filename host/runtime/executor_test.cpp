// The executors: what runs, in which order, and that a seed decides a simulation.
#include "runtime/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

namespace rhizome {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

TEST(ThreadExecutor, ParallelCallsEachIndexOnceAndWaitsForAll) {
  ThreadExecutor executor(4);
  std::vector<std::atomic<int>> calls(1000);
  executor.parallel(calls.size(), [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) EXPECT_EQ(count.load(), 1);
}

TEST(ThreadExecutor, ParallelMayBeCalledFromWorkersAtTheSameTime) {
  ThreadExecutor executor(2);
  std::atomic<int> total{0};
  std::vector<std::promise<void>> done(8);
  for (auto& promise : done)
    executor.post([&] {
      executor.parallel(10, [&](std::size_t) { ++total; });
      promise.set_value();
    });
  for (auto& promise : done) promise.get_future().wait();
  EXPECT_EQ(total.load(), 80);
}

TEST(ThreadExecutor, RunsATimerNotBeforeItsTime) {
  ThreadExecutor executor(1);
  std::promise<std::uint64_t> ran;
  const std::uint64_t start = executor.monotonic_ns();
  executor.post_after(20 * kMillisecond, [&] { ran.set_value(executor.monotonic_ns()); });
  EXPECT_GE(ran.get_future().get() - start, 20 * kMillisecond);
}

TEST(ThreadExecutor, ATimerPostedLaterButDueSoonerRunsFirst) {
  ThreadExecutor executor(1);
  std::promise<void> done;
  std::vector<int> order;
  executor.post_after(60 * kMillisecond, [&] {
    order.push_back(2);
    done.set_value();
  });
  executor.post_after(5 * kMillisecond, [&] { order.push_back(1); });
  done.get_future().wait();
  EXPECT_THAT(order, testing::ElementsAre(1, 2));
}

// One idle worker waits for timers as well: it must not be passed over when there is work for all.
TEST(ThreadExecutor, AsManyTasksAsWorkersRunAtTheSameTimeThoughATimerIsWaitedFor) {
  constexpr int kWorkers = 3, kRounds = 300;
  ThreadExecutor executor(kWorkers);
  executor.post_after(3'600'000 * kMillisecond, [] {});
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> started{0};
    std::vector<std::promise<void>> done(kWorkers);
    for (auto& promise : done)
      executor.post([&] {
        ++started;
        started.notify_all();
        for (int now = started; now < kWorkers; now = started) started.wait(now);
        promise.set_value();
      });
    for (auto& promise : done) promise.get_future().wait();
  }
}

TEST(ThreadExecutor, ATimerIsRunByWhicheverWorkerIsFree) {
  ThreadExecutor executor(2);
  std::promise<void> held, ran;
  std::shared_future<void> release = held.get_future().share();
  std::promise<void> busy;
  executor.post([&] {
    busy.set_value();
    release.wait();
  });
  busy.get_future().wait();
  executor.post_after(kMillisecond, [&] { ran.set_value(); });
  ran.get_future().wait();
  held.set_value();
  std::promise<void> again;
  executor.post_after(kMillisecond, [&] { again.set_value(); });
  again.get_future().wait();
}

TEST(Strand, RunsItsTasksInOrderAndNeverTwoAtATime) {
  ThreadExecutor executor(4);
  const auto strand = Strand::make(executor);
  std::vector<int> order;  // no lock: the strand is the lock
  std::promise<void> done;
  for (int i = 0; i < 1000; ++i) strand->post([&order, i] { order.push_back(i); });
  strand->post([&] { done.set_value(); });
  done.get_future().wait();
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

// Owners of strands lived on for ever where the executor stopped before their tasks had run.
TEST(Strand, AnOwnerOfTasksThatNeverRunGoesWithTheExecutor) {
  struct Owner : std::enable_shared_from_this<Owner> {
    explicit Owner(Executor& executor) : strand(Strand::make(executor)) {}
    std::shared_ptr<Strand> strand;
  };
  ThreadExecutor executor(1);
  auto owner = std::make_shared<Owner>(executor);
  std::promise<void> stopping;
  executor.post([held = stopping.get_future().share()] { held.wait(); });
  owner->strand->post([owner] {});
  owner->strand->post_after(kMillisecond, [owner] {});
  std::thread stopper([&] { executor.stop(); });
  // The only worker is held until the executor stops, so that neither task can run before.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stopping.set_value();
  stopper.join();
  owner->strand->post([owner] { FAIL() << "posted to an executor that has stopped"; });
  const std::weak_ptr<Owner> watched = std::exchange(owner, nullptr);
  EXPECT_TRUE(watched.expired());
}

std::pair<std::vector<int>, std::uint64_t> trace_of(std::uint64_t seed) {
  SimulatedExecutor executor(seed);
  std::vector<int> order;
  for (int i = 0; i < 20; ++i)
    executor.post_after(executor.random() % 3 * kMillisecond, [&order, i] { order.push_back(i); });
  executor.run_for(10 * kMillisecond);
  return {order, executor.trace()};
}

TEST(SimulatedExecutor, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  EXPECT_EQ(trace_of(7), trace_of(7));
  EXPECT_NE(trace_of(7).first, trace_of(8).first);
  EXPECT_NE(trace_of(7).second, trace_of(8).second);
}

TEST(SimulatedExecutor, TimeJumpsToTheNextTaskAndStopsAtTheDeadline) {
  SimulatedExecutor executor(1);
  std::vector<std::uint64_t> times;
  executor.post_after(3600'000 * kMillisecond, [&] { times.push_back(executor.monotonic_ns()); });
  executor.run_for(1800'000 * kMillisecond);
  EXPECT_TRUE(times.empty());
  EXPECT_EQ(executor.monotonic_ns(), 1800'000 * kMillisecond);
  executor.run_for(1800'000 * kMillisecond);
  EXPECT_THAT(times, testing::ElementsAre(3600'000 * kMillisecond));
}

}  // namespace
}  // namespace rhizome
