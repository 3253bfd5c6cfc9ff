// The state digest as it grows: ids are handed in by commits and folded together off their path, by
// a task where the host lends a thread and by whoever asks for the digest. Private to host/journal.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "rhizome/delta/digest.hpp"

namespace rhizome {

// Thread-safe. Shared with the tasks that it posts, which may outlive the journal.
class StateDigest : public std::enable_shared_from_this<StateDigest> {
 public:
  using Post = std::function<void(std::function<void()>)>;
  explicit StateDigest(Post post) : post_(std::move(post)) {}

  bool load(ByteView raw);  // false where it is no LtHash
  void add(const std::vector<DeltaId>& ids);
  // Everything that was added, folded in.
  Hash256 digest();
  std::string raw();

 private:
  using Chunk = std::vector<DeltaId>;
  bool fold_one(std::unique_lock<std::mutex>& lock);  // false where nothing waits
  void fold_all(std::unique_lock<std::mutex>& lock);

  const Post post_;
  std::mutex mutex_;
  std::condition_variable folded_;
  std::deque<Chunk> chunks_;  // guarded by mutex_: full ones, and at the back the one that grows
  std::size_t folding_ = 0;   // guarded by mutex_: chunks that some thread has in hand
  bool posted_ = false;       // guarded by mutex_
  LtHash total_;              // guarded by mutex_
};

}  // namespace rhizome
