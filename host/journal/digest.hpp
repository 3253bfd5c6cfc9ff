// The sums over all ids as they grow: the state digest, and the digest and sketch of what may go to
// peers. Ids are handed in by commits and folded together off their path, by a task where the host
// lends a thread and by whoever asks. Private to host/journal.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "journal/sketch.hpp"
#include "rhizome/delta/digest.hpp"

namespace rhizome {

// Thread-safe. Shared with the tasks that it posts, which may outlive the journal.
class StateDigest : public std::enable_shared_from_this<StateDigest> {
 public:
  using Post = std::function<void(std::function<void()>)>;
  explicit StateDigest(Post post) : post_(std::move(post)) {}

  enum class Change : std::uint8_t {
    kShared,  // a new delta that may go to peers
    kLocal,   // a new one that stays here: unsigned
    kFreed,   // one that stayed here until now and may go
  };
  struct Entry {
    DeltaId id;
    Change change = Change::kShared;
  };

  bool load(ByteView raw);  // false where it is no LtHash
  void add(const std::vector<Entry>& entries);
  // Everything that was added, folded in.
  Hash256 digest();
  std::string raw();

  // ---- what may go to peers; absent until it was loaded or gathered
  bool is_ready() const;
  bool load_shared(ByteView raw);  // false where it is damaged; then it stays absent
  std::string raw_shared();        // empty where it is absent
  // From here on entries count; `finish` brings what was there before. REQUIRES: nothing is added
  // between the view of the store that is gathered from and this call.
  void begin_gathering();
  void finish_gathering(const Sketch& sketch, std::uint64_t count, const LtHash& local);
  std::shared_ptr<const Shareable> shareable();  // null where it is absent

 private:
  using Chunk = std::vector<Entry>;
  enum class Shared : std::uint8_t { kAbsent, kGathering, kReady };
  bool fold_one(std::unique_lock<std::mutex>& lock);  // false where nothing waits
  void fold_all(std::unique_lock<std::mutex>& lock);
  void fold_shared(const Chunk& chunk);

  const Post post_;
  mutable std::mutex mutex_;
  std::condition_variable folded_;
  std::deque<Chunk> chunks_;  // guarded by mutex_: full ones, and at the back the one that grows
  std::size_t folding_ = 0;   // guarded by mutex_: chunks that some thread has in hand
  bool posted_ = false;       // guarded by mutex_
  LtHash total_;              // guarded by mutex_
  Shared shared_ = Shared::kAbsent;  // guarded by mutex_; changes only while nothing is folding

  // Guarded by shared_mutex_, which is taken last. Whole while mutex_ is held and nothing is
  // folding.
  std::mutex shared_mutex_;
  Sketch sketch_{kSharedSketchKey, 0};
  LtHash local_;
  std::uint64_t count_ = 0;
};

}  // namespace rhizome
