// Waiting without a thread: conditions on the journal and on what is known of holders, each looked
// at again when either changed, until it holds or its deadline passes. Any thread.
//
// Changes that come together cause one look: a commit sets a flag and posts one task, however many
// conditions wait. Time is the executor's, so waits run in simulations too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/executor.hpp"

namespace rhizome::api {

class Waits : public std::enable_shared_from_this<Waits> {
 public:
  // True where the condition holds. `last`: it is not called again, because the deadline passed or
  // the wait was canceled.
  using Look = std::function<bool(bool last)>;
  // Ends the wait early: `look` is called once more, with `last`. Copyable, may be called at any
  // time and more than once.
  using Cancel = std::function<void()>;

  explicit Waits(Executor& executor) : executor_(executor), strand_(Strand::make(executor)) {}

  // Calls `look` once on the caller's thread, before this returns. Where that answers false, calls
  // it on a strand after each change, one call at a time. deadline_ms 0: the first look is the
  // last.
  Cancel wait(std::uint64_t deadline_ms, Look look);
  // Calls `then` once, after the next change.
  void after_change(std::function<void()> then);
  // Something changed. Never blocks: it is called on committing threads.
  void changed();
  // Nothing that waits is called from now on, but for a look that runs already.
  void stop();

 private:
  struct Wait {
    std::uint64_t deadline_ns = 0;
    Look look;
  };
  void add(std::uint64_t number, Wait wait);
  void cancel(std::uint64_t number);
  void sweep();
  void arm();

  Executor& executor_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<std::uint64_t> next_{1};
  std::atomic<std::size_t> waiting_{0};  // waits and `after_change` calls: 0 makes `changed` free
  std::atomic<bool> posted_{false}, stopped_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> after_;  // guarded by mutex_
  // ---- the strand's
  std::map<std::uint64_t, Wait> waits_;
  std::uint64_t armed_ns_ = UINT64_MAX;  // when the earliest timer under way comes
};

}  // namespace rhizome::api
