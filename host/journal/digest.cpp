// Folding ids into the state digest, a chunk at a time, outside the lock.
#include "journal/digest.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kChunk = 1024;  // ids, about 2.5 ms of folding
// Chunks that may wait; beyond, whoever adds folds too: memory stays bounded (2 MiB).
constexpr std::size_t kMaxChunks = 64;

}  // namespace

bool StateDigest::load(ByteView raw) {
  const std::lock_guard lock(mutex_);
  return total_.load(raw);
}

void StateDigest::add(const std::vector<DeltaId>& ids) {
  std::unique_lock lock(mutex_);
  for (auto from = ids.begin(); from != ids.end();) {
    if (chunks_.empty() || chunks_.back().size() == kChunk) {
      chunks_.emplace_back();
      chunks_.back().reserve(kChunk);
    }
    const auto room = static_cast<std::ptrdiff_t>(kChunk - chunks_.back().size());
    const auto to = from + std::min(room, ids.end() - from);
    chunks_.back().insert(chunks_.back().end(), from, to);
    from = to;
  }
  if (post_ && !posted_ && chunks_.size() > 1) {
    posted_ = true;
    post_([self = shared_from_this()] {
      std::unique_lock task_lock(self->mutex_);
      while (self->chunks_.size() > 1 && self->fold_one(task_lock)) {
      }
      self->posted_ = false;
    });
  }
  while (chunks_.size() > kMaxChunks) fold_one(lock);
}

bool StateDigest::fold_one(std::unique_lock<std::mutex>& lock) {
  if (chunks_.empty()) return false;
  const Chunk chunk = std::move(chunks_.front());
  chunks_.pop_front();
  ++folding_;
  lock.unlock();
  LtHash sum;
  for (const DeltaId& id : chunk) sum.add(id);
  lock.lock();
  total_.combine(sum);
  if (--folding_ == 0) folded_.notify_all();
  return true;
}

void StateDigest::fold_all(std::unique_lock<std::mutex>& lock) {
  while (fold_one(lock)) {
  }
  folded_.wait(lock, [this] { return folding_ == 0; });
}

Hash256 StateDigest::digest() {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  return total_.digest();
}

std::string StateDigest::raw() {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  return std::string(total_.raw());
}

}  // namespace rhizome
