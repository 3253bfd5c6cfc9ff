// SimulatedExecutor: a queue of tasks by virtual time on the caller's thread. Tasks due at the same
// time run in an order drawn from the seed, so that a simulation also tries unlucky interleavings.
#include <queue>
#include <random>
#include <vector>

#include "runtime/executor.hpp"

namespace rhizome {

namespace {

struct Due {
  std::uint64_t at_ns;
  std::uint64_t lot;    // drawn from the seed: the order among equals
  std::uint64_t order;  // of posting
  std::shared_ptr<Task> task;
  bool operator>(const Due& other) const {
    if (at_ns != other.at_ns) return at_ns > other.at_ns;
    return lot != other.lot ? lot > other.lot : order > other.order;
  }
};

// A simulation begins on 2026-01-01 (milliseconds since the Unix epoch).
constexpr std::uint64_t kWallStartMs = 1767225600000;

}  // namespace

struct SimulatedExecutor::State {
  explicit State(std::uint64_t seed) : chance(seed) {}
  std::mt19937_64 chance;
  std::uint64_t now_ns = 0;
  std::uint64_t order = 0;
  std::uint64_t trace = 1469598103934665603ull;  // FNV-1a
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;

  void mix(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) trace = (trace ^ (value >> (8 * i) & 0xff)) * 1099511628211ull;
  }
};

SimulatedExecutor::SimulatedExecutor(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
SimulatedExecutor::~SimulatedExecutor() = default;

void SimulatedExecutor::run_until(std::uint64_t deadline_ns) {
  while (!state_->queue.empty() && state_->queue.top().at_ns <= deadline_ns) {
    const Due due = state_->queue.top();
    state_->queue.pop();
    state_->now_ns = due.at_ns;
    state_->mix(due.at_ns);
    state_->mix(due.order);
    (*due.task)();
  }
  state_->now_ns = deadline_ns;
}

std::uint64_t SimulatedExecutor::trace() const { return state_->trace; }
std::uint64_t SimulatedExecutor::monotonic_ns() const { return state_->now_ns; }
std::uint64_t SimulatedExecutor::wall_ms() const {
  return kWallStartMs + state_->now_ns / 1'000'000;
}

std::size_t SimulatedExecutor::queued() const { return state_->queue.size(); }

void SimulatedExecutor::post(Task task) { post_after(0, std::move(task)); }

void SimulatedExecutor::post_after(std::uint64_t delay_ns, Task task) {
  const std::uint64_t due_ns = state_->now_ns + std::min(delay_ns, UINT64_MAX - state_->now_ns);
  state_->queue.push(
      {due_ns, state_->chance(), state_->order++, std::make_shared<Task>(std::move(task))});
}

void SimulatedExecutor::parallel(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}

std::uint64_t SimulatedExecutor::random() { return state_->chance(); }

}  // namespace rhizome
