// Following a store's state: the host service rhizome.host.store/1 for one store, over the host
// that it is otherwise given. Used by use::Store; any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "rhizome/abi/store.h"
#include "rhizome/bytes.hpp"

namespace rhizome::use {

enum class StoreState : std::uint32_t {
  kReady = RZ_STORE_READY,
  kReadOnly = RZ_STORE_READ_ONLY,
  kAway = RZ_STORE_AWAY,
};

// As it stands in logs and JSON.
constexpr std::string_view store_state_name(StoreState state) {
  return state == StoreState::kReady ? "ready" : state == StoreState::kAway ? "away" : "read_only";
}

class StoreWatch {
 public:
  struct Condition {
    StoreState state = StoreState::kReady;
    std::string cause;  // empty where it is ready
  };
  using OnChange = std::function<void(const Condition&)>;

  explicit StoreWatch(const rz_host* below = nullptr)
      : below_(below),
        service_{this,
                 [](void* context, std::uint32_t state, rz_bytes cause) {
                   const bool known = state >= RZ_STORE_READY && state <= RZ_STORE_AWAY;
                   static_cast<StoreWatch*>(context)->report(
                       known ? static_cast<StoreState>(state) : StoreState::kReadOnly,
                       rhizome::view(cause));
                 }},
        host_{this, [](void* context, const char* id) -> const void* {
                const auto& self = *static_cast<const StoreWatch*>(context);
                if (std::string_view(id) == RZ_HOST_STORE_ID) return &self.service_;
                return self.below_ != nullptr ? self.below_->get_interface(self.below_->context, id)
                                              : nullptr;
              }} {}
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

  // What the store is opened with; valid as long as this object.
  const rz_host* host() const { return &host_; }

  StoreState state() const { return state_.load(std::memory_order_acquire); }
  Condition condition() const {
    const std::lock_guard lock(mutex_);
    return condition_;
  }
  // How many reports there were; one that repeats the state counts too.
  std::uint64_t reports() const { return reports_.load(std::memory_order_acquire); }

  // Called after each change, in order, on the thread that reports it: it must not wait, nor call
  // the store. An empty function ends it; then no call of the one before it runs any more.
  void on_change(OnChange listener) {
    const std::lock_guard turn(turn_);
    listener_ = std::move(listener);
  }

  void report(StoreState state, ByteView cause) {
    const std::lock_guard turn(turn_);
    Condition now{state, std::string(cause.substr(0, kMaxCause))};
    bool changed = false;
    {
      const std::lock_guard lock(mutex_);
      changed = now.state != condition_.state || now.cause != condition_.cause;
      condition_ = now;
      state_.store(state, std::memory_order_release);
      reports_.fetch_add(1, std::memory_order_release);
    }
    if (changed && listener_) listener_(now);
  }

 private:
  static constexpr std::size_t kMaxCause = 504;

  const rz_host* const below_;
  const rz_host_store service_;
  const rz_host host_;
  std::mutex turn_;    // one report at a time; guards listener_
  OnChange listener_;  // guarded by turn_
  mutable std::mutex mutex_;
  Condition condition_;  // guarded by mutex_
  std::atomic<StoreState> state_{StoreState::kReady};
  std::atomic<std::uint64_t> reports_{0};
};

}  // namespace rhizome::use
