// One round: takes what waits, commits it, answers.
#include "api/write_queue.hpp"

#include <utility>

namespace rhizome::api {

void WriteQueue::add(std::vector<Draft> drafts, const WriteOptions& options, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) queue_.push_back({std::move(drafts), options, std::move(done)});
    if (stopped_ || std::exchange(running_, true)) return;
  }
  post();
}

void WriteQueue::post() {
  executor_.post([self = shared_from_this()] { self->run(); });
}

void WriteQueue::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  queue_.clear();
}

// The first, and those behind it that can go into its commit.
std::vector<WriteQueue::Write> WriteQueue::take() {
  std::vector<Write> taken;
  const std::lock_guard lock(mutex_);
  std::size_t drafts = 0;
  while (!queue_.empty() && taken.size() < kMaxWrites) {
    const Write& next = queue_.front();
    drafts += next.drafts.size();
    if (!taken.empty() &&
        (drafts > kMaxDrafts || next.options.durability != taken.front().options.durability))
      break;
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  running_ = !taken.empty();
  return taken;
}

void WriteQueue::run() {
  const std::vector<Write> taken = take();
  if (taken.empty()) return;
  std::vector<GroupedWrite> writes;
  for (const Write& write : taken) writes.push_back({write.drafts, write.options});
  authoring_.write(writes);
  for (std::size_t i = 0; i < taken.size(); ++i) taken[i].done(std::move(writes[i].result));
  post();  // others' tasks have their turn between two rounds
}

}  // namespace rhizome::api
