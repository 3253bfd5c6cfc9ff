// Folding ids into the sums, a chunk at a time, outside the lock.
#include "journal/digest.hpp"

#include "journal/keys.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kChunk = 1024;  // ids, about 3 ms of folding
// Chunks that may wait; beyond, whoever adds folds too: memory stays bounded (2 MiB).
constexpr std::size_t kMaxChunks = 64;

}  // namespace

bool StateDigest::load(ByteView raw) {
  const std::lock_guard lock(mutex_);
  return total_.load(raw);
}

void StateDigest::add(const std::vector<Entry>& entries) {
  std::unique_lock lock(mutex_);
  for (auto from = entries.begin(); from != entries.end();) {
    if (chunks_.empty() || chunks_.back().size() == kChunk) {
      chunks_.emplace_back();
      chunks_.back().reserve(kChunk);
    }
    const auto room = static_cast<std::ptrdiff_t>(kChunk - chunks_.back().size());
    const auto to = from + std::min(room, entries.end() - from);
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
  const Shared shared = shared_;
  lock.unlock();
  LtHash sum;
  for (const Entry& entry : chunk)
    if (entry.change != Change::kFreed) sum.add(entry.id);
  if (shared != Shared::kAbsent) fold_shared(chunk);
  lock.lock();
  total_.combine(sum);
  if (--folding_ == 0) folded_.notify_all();
  return true;
}

void StateDigest::fold_shared(const Chunk& chunk) {
  const std::lock_guard lock(shared_mutex_);
  for (const Entry& entry : chunk) {
    if (entry.change == Change::kLocal) {
      local_.add(entry.id);
      continue;
    }
    if (entry.change == Change::kFreed) local_.remove(entry.id);
    sketch_.add(short_id(entry.id));
    ++count_;
  }
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

bool StateDigest::is_ready() const {
  const std::lock_guard lock(mutex_);
  return shared_ == Shared::kReady;
}

bool StateDigest::load_shared(ByteView raw) {
  const std::lock_guard lock(mutex_);
  const std::lock_guard shared_lock(shared_mutex_);
  if (raw.size() < 8 + sizeof(LtHash)) return false;
  Sketch sketch(kSharedSketchKey, kKeptSketchCells);
  if (!sketch.load(raw.substr(8 + sizeof(LtHash))) || !local_.load(raw.substr(8, sizeof(LtHash))))
    return false;
  sketch_ = std::move(sketch);
  count_ = keys::read_number(raw, 0, 8);
  shared_ = Shared::kReady;
  return true;
}

std::string StateDigest::raw_shared() {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  if (shared_ != Shared::kReady) return {};
  const std::lock_guard shared_lock(shared_mutex_);
  std::string raw;
  keys::append_number(count_, 8, raw);
  return raw.append(local_.raw()).append(sketch_.bytes(0, kKeptSketchCells));
}

void StateDigest::begin_gathering() {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  const std::lock_guard shared_lock(shared_mutex_);
  sketch_ = Sketch(kSharedSketchKey, kKeptSketchCells);
  local_ = {};
  count_ = 0;
  shared_ = Shared::kGathering;
}

void StateDigest::finish_gathering(const Sketch& sketch, std::uint64_t count, const LtHash& local) {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  const std::lock_guard shared_lock(shared_mutex_);
  sketch_.combine(sketch);
  local_.combine(local);
  count_ += count;
  shared_ = Shared::kReady;
}

std::shared_ptr<const Shareable> StateDigest::shareable() {
  std::unique_lock lock(mutex_);
  fold_all(lock);
  if (shared_ != Shared::kReady) return nullptr;
  const std::lock_guard shared_lock(shared_mutex_);
  LtHash shared = total_;
  shared.subtract(local_);
  return std::make_shared<const Shareable>(Shareable{count_, shared.digest(), sketch_});
}

}  // namespace rhizome
