// Writes of many clients, committed together: what comes while a commit waits for the disk goes
// into the next one. One task of the executor at a time, so that however many clients write, one
// worker at most waits for the disk. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "authoring/authoring.hpp"
#include "runtime/executor.hpp"

namespace rhizome::api {

class WriteQueue : public std::enable_shared_from_this<WriteQueue> {
 public:
  using Done = std::function<void(Result<Written>)>;

  WriteQueue(Executor& executor, Authoring& authoring)
      : executor_(executor), authoring_(authoring) {}

  // Calls `done` on a worker once the write is as durable as asked.
  void add(std::vector<Draft> drafts, const WriteOptions& options, Done done);
  // Nothing that waits is written from now on.
  void stop();

 private:
  // Of one commit: more would make those that came first wait for the signatures of the others.
  static constexpr std::size_t kMaxWrites = 64, kMaxDrafts = 4096;
  struct Write {
    std::vector<Draft> drafts;
    WriteOptions options;
    Done done;
  };
  void post();
  void run();
  std::vector<Write> take();

  Executor& executor_;
  Authoring& authoring_;
  std::mutex mutex_;
  std::deque<Write> queue_;  // guarded by mutex_
  bool running_ = false;     // guarded by mutex_
  bool stopped_ = false;     // guarded by mutex_
};

}  // namespace rhizome::api
