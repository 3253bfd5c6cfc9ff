// The queue between who fills a feed and who takes from it.
#include "feeds/feed.hpp"

namespace rhizome::feeds {

namespace {

void call(const std::function<void()>& function) {
  if (function) function();
}

// What a batch weighs while it waits, whatever is in it.
std::size_t weight_of(const FeedBatch& batch) {
  return sizeof batch + batch.deltas.memory_bytes() + batch.seqs.size() * sizeof(Seq) +
         batch.dropped.size() * sizeof(Batch::Dropped) +
         batch.cursor.covered.size() * sizeof(Covered);
}

}  // namespace

std::optional<FeedBatch> Feed::take() {
  std::optional<FeedBatch> taken;
  std::function<void()> change;
  {
    const std::lock_guard lock(mutex_);
    if (batches_.empty()) return std::nullopt;
    const bool was_full = bytes_ >= kRoom;
    taken = std::move(batches_.front());
    batches_.pop_front();
    bytes_ -= weight_of(*taken);
    if (was_full && bytes_ < kRoom) change = change_;
  }
  call(change);
  return taken;
}

void Feed::pause(bool paused) {
  std::function<void()> change;
  {
    const std::lock_guard lock(mutex_);
    if (paused_ != paused) change = change_;
    paused_ = paused;
  }
  call(change);
}

void Feed::close() {
  std::function<void()> change;
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) change = change_;
    closed_ = true;
    batches_.clear();
    bytes_ = 0;
  }
  call(change);
}

void Feed::push(FeedBatch batch) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    bytes_ += weight_of(batch);
    batches_.push_back(std::move(batch));
  }
  call(news_);
}

bool Feed::is_hungry() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && !paused_ && bytes_ < kRoom;
}

bool Feed::has_room() const {
  const std::lock_guard lock(mutex_);
  return bytes_ < kMost;
}

bool Feed::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Feed::on_change(std::function<void()> change) {
  const std::lock_guard lock(mutex_);
  change_ = std::move(change);
}

}  // namespace rhizome::feeds
