// The host of a plugin instance: its timers end with it, and its log lines carry its name.
#include "plugins/instance_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "rhizome/bytes.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMillisecond = 1'000'000;

template <typename Table>
const Table& service(use::InstanceHost& host, const char* id) {
  const rz_host* table = host.table();
  return *static_cast<const Table*>(table->get_interface(table->context, id));
}

struct Simulated {
  SimulatedExecutor executor{1};
  std::vector<std::string> lines;
  Log log{LogLevel::kDebug, Log::Format::kText,
          [this](std::string_view line) { lines.emplace_back(line); }};
};

void count(void* counter) { ++*static_cast<std::atomic<int>*>(counter); }

TEST(InstanceHost, ATimerRunsOnceAndIsThenUnknown) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  std::uint64_t id = 0;
  ASSERT_EQ(timer.start(timer.context, 5 * kMillisecond, count, &calls, &id), RZ_OK);
  EXPECT_NE(id, 0u);
  world.executor.run_for(4 * kMillisecond);
  EXPECT_EQ(calls, 0);
  world.executor.run_for(20 * kMillisecond);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(timer.cancel(timer.context, id), RZ_NOT_FOUND);
}

TEST(InstanceHost, ACancelledTimerNeverRuns) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  std::uint64_t kept = 0, cancelled = 0;
  ASSERT_EQ(timer.start(timer.context, kMillisecond, count, &calls, &kept), RZ_OK);
  ASSERT_EQ(timer.start(timer.context, kMillisecond, count, &calls, &cancelled), RZ_OK);
  EXPECT_EQ(timer.cancel(timer.context, cancelled), RZ_OK);
  EXPECT_EQ(timer.cancel(timer.context, cancelled), RZ_NOT_FOUND);
  world.executor.run_for(10 * kMillisecond);
  EXPECT_EQ(calls, 1);
}

TEST(InstanceHost, TimersOfAnEndedInstanceNeitherRunNorStart) {
  Simulated world;
  std::atomic<int> calls{0};
  {
    InstanceHost host("store memory", world.log, world.executor);
    host.begin_timers();
    const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
    ASSERT_EQ(timer.start(timer.context, kMillisecond, count, &calls, nullptr), RZ_OK);
    host.end_timers();
    EXPECT_EQ(host.pending_timers(), 0u);
    EXPECT_EQ(timer.start(timer.context, 0, count, &calls, nullptr), RZ_CLOSED);
  }
  world.executor.run_for(10 * kMillisecond);  // its task comes after the host's end
  EXPECT_EQ(calls, 0);
}

TEST(InstanceHost, TheEndWaitsForATimerThatRuns) {
  ThreadExecutor executor(2);
  Log log(LogLevel::kError, Log::Format::kText, [](std::string_view) {});
  struct Running {
    std::promise<void> begun;
    std::shared_future<void> go_on;
    std::atomic<bool> ended{false};
  } running;
  std::promise<void> go_on;
  running.go_on = go_on.get_future().share();
  InstanceHost host("transport inproc", log, executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  const auto task = [](void* argument) {
    auto& state = *static_cast<Running*>(argument);
    state.begun.set_value();
    state.go_on.wait();
    state.ended = true;
  };
  ASSERT_EQ(timer.start(timer.context, 0, task, &running, nullptr), RZ_OK);
  running.begun.get_future().wait();
  std::thread opener([&] { go_on.set_value(); });
  host.end_timers();
  EXPECT_TRUE(running.ended);
  opener.join();
}

TEST(InstanceHost, ATimerMayEndItsOwnInstance) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  const auto end = [](void* argument) { static_cast<InstanceHost*>(argument)->end_timers(); };
  ASSERT_EQ(timer.start(timer.context, 0, end, &host, nullptr), RZ_OK);
  world.executor.run_for(kMillisecond);
  EXPECT_EQ(timer.start(timer.context, 0, end, &host, nullptr), RZ_CLOSED);
}

TEST(InstanceHost, PendingTimersAreBounded) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  for (unsigned i = 0; i < RZ_TIMERS_MAX; ++i)
    ASSERT_EQ(timer.start(timer.context, kMillisecond, count, &calls, nullptr), RZ_OK);
  EXPECT_EQ(timer.start(timer.context, kMillisecond, count, &calls, nullptr), RZ_LIMIT);
}

TEST(InstanceHost, TwoInstancesOfOneProcessHaveTwoHosts) {
  Simulated first, second;
  InstanceHost one("store one", first.log, first.executor);
  InstanceHost two("store two", second.log, second.executor);
  second.executor.run_for(7 * kMillisecond);
  const auto now = [](use::InstanceHost& host) {
    const auto& clock = service<rz_host_clock>(host, RZ_HOST_CLOCK_ID);
    return clock.monotonic_ns(clock.context);
  };
  EXPECT_EQ(now(two) - now(one), 7 * kMillisecond);
  const auto& log = service<rz_host_log>(one, RZ_HOST_LOG_ID);
  log.write(log.context, RZ_LOG_WARN, to_abi(ByteView("compacting")));
  ASSERT_EQ(first.lines.size(), 1u);
  EXPECT_THAT(first.lines[0], HasSubstr("store one"));
  EXPECT_TRUE(second.lines.empty());
}

TEST(InstanceHost, ATimerThatOpenStartsRunsOnceTheInstanceIsOpen) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  ASSERT_EQ(timer.start(timer.context, kMillisecond, count, &calls, nullptr), RZ_OK);
  world.executor.run_for(10 * kMillisecond);
  EXPECT_EQ(calls, 0);
  host.begin_timers();
  world.executor.run_for(kMillisecond);
  EXPECT_EQ(calls, 1);
}

TEST(InstanceHost, ATimerOfTheLongestDelayNeverRuns) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  ASSERT_EQ(timer.start(timer.context, UINT64_MAX, count, &calls, nullptr), RZ_OK);
  world.executor.run_for(10 * kMillisecond);
  EXPECT_EQ(calls, 0);
}

TEST(InstanceHost, TimersThatAreStartedAndCancelledLeaveNoTasksWithTheExecutor) {
  Simulated world;
  InstanceHost host("store memory", world.log, world.executor);
  host.begin_timers();
  const auto& timer = service<rz_host_timer>(host, RZ_HOST_TIMER_ID);
  std::atomic<int> calls{0};
  for (int i = 0; i < 1'000; ++i) {
    std::uint64_t id = 0;
    ASSERT_EQ(timer.start(timer.context, 3'600'000 * kMillisecond, count, &calls, &id), RZ_OK);
    ASSERT_EQ(timer.cancel(timer.context, id), RZ_OK);
  }
  EXPECT_LE(world.executor.queued(), 1u);
}

}  // namespace
}  // namespace rhizome
