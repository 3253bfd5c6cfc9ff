// The connections of a transport that are up, and who waits for room on one of them. The edge of
// the fabric: behind it peers are named by their link key, before it by a connection's number.
// Thread-safe; calls nobody but the executor.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "rhizome/use/transport.hpp"
#include "runtime/executor.hpp"

namespace rhizome {

class Connections {
 public:
  explicit Connections(Executor& executor) : executor_(executor) {}

  void up(const use::Connection& connection);
  // Who waits on it goes on, to hear that it is closed.
  void down(std::uint64_t number);
  // Is another connection of this link key up?
  bool has_link(const use::LinkKey& link) const;

  // How often there was room again on this connection: read before a call that may block, given
  // to `wait` after it did, so that what happened in between is not missed.
  std::uint64_t rooms(std::uint64_t number) const;
  // Posts the task once there is room, the connection is down or `until_ns` is over. False, and
  // the task is dropped, where that time is over already.
  bool wait(std::uint64_t number, std::uint64_t rooms_before, std::uint64_t until_ns, Task task);
  void writable(std::uint64_t number);
  // Lets those go on whose time is over. Called now and then.
  void expire();
  // Nobody waits any more, now and later.
  void close();

 private:
  struct Waiter {
    std::uint64_t until_ns;
    Task task;
  };
  struct Entry {
    use::Connection connection;
    std::uint64_t rooms = 0;
    std::vector<Waiter> waiters;
  };
  void go_on(std::vector<Waiter> waiters);

  Executor& executor_;
  mutable std::mutex mutex_;
  bool closed_ = false;                     // guarded by mutex_
  std::map<std::uint64_t, Entry> entries_;  // guarded by mutex_
};

}  // namespace rhizome
