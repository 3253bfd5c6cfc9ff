// Connections whose last request was answered whole, for the next call. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "connection.hpp"

namespace rhizome::client_core {

class IdleConnections {
 public:
  static constexpr std::size_t kMost = 4;

  // One that the node has not closed meanwhile; nullopt where there is none.
  std::optional<Connection> take() {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection.is_idle()) return connection;
    }
    return std::nullopt;
  }
  void give(Connection connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMost && connection.is_idle()) idle_.push_back(std::move(connection));
  }

 private:
  std::mutex mutex_;
  std::vector<Connection> idle_;  // guarded by mutex_
};

}  // namespace rhizome::client_core
