// See connections.hpp.
#include "fabric/connections.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rhizome {

void Connections::up(const use::Connection& connection) {
  const std::lock_guard lock(mutex_);
  entries_[connection.number].connection = connection;
}

void Connections::down(std::uint64_t number) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(number);
    if (found == entries_.end()) return;
    waiters = std::move(found->second.waiters);
    entries_.erase(found);
  }
  go_on(std::move(waiters));
}

bool Connections::has_link(const use::LinkKey& link) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.second.connection.link == link; });
}

std::uint64_t Connections::rooms(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  return found == entries_.end() ? 0 : found->second.rooms;
}

bool Connections::wait(std::uint64_t number, std::uint64_t rooms_before, std::uint64_t until_ns,
                       Task task) {
  if (executor_.monotonic_ns() >= until_ns) return false;
  const std::lock_guard lock(mutex_);
  if (closed_) return true;
  const auto found = entries_.find(number);
  if (found == entries_.end() || found->second.rooms != rooms_before)
    executor_.post(std::move(task));
  else
    found->second.waiters.push_back({until_ns, std::move(task)});
  return true;
}

void Connections::writable(std::uint64_t number) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(number);
    if (found == entries_.end()) return;
    ++found->second.rooms;
    waiters = std::exchange(found->second.waiters, {});
  }
  go_on(std::move(waiters));
}

void Connections::expire() {
  const std::uint64_t now = executor_.monotonic_ns();
  std::vector<Waiter> over;
  {
    const std::lock_guard lock(mutex_);
    for (auto& entry : entries_) {
      std::vector<Waiter>& waiters = entry.second.waiters;
      const auto first = std::stable_partition(
          waiters.begin(), waiters.end(), [&](const Waiter& each) { return each.until_ns > now; });
      std::move(first, waiters.end(), std::back_inserter(over));
      waiters.erase(first, waiters.end());
    }
  }
  go_on(std::move(over));
}

void Connections::close() {
  std::vector<Waiter> dropped;  // without the lock: a task may own what calls us
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& entry : entries_) {
    std::vector<Waiter>& waiters = entry.second.waiters;
    std::move(waiters.begin(), waiters.end(), std::back_inserter(dropped));
    waiters.clear();
  }
}

void Connections::go_on(std::vector<Waiter> waiters) {
  for (Waiter& waiter : waiters) executor_.post(std::move(waiter.task));
}

}  // namespace rhizome
