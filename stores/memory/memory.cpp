// The memory store: an ordered map that keeps old versions of a value for as long as an open cursor
// may need them. Loaded by the host like any store; called on the threads that rhizome/abi/store.h
// tags.
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "rhizome/store.hpp"

namespace {

using namespace rhizome;

constexpr std::uint64_t kNewest = UINT64_MAX;

// One value of a key and the number of the batch that wrote it; a delete is a version without a
// value.
struct Version {
  std::uint64_t batch;
  std::shared_ptr<const std::string> value;
};
using Versions = std::vector<Version>;  // newest last, never empty

const std::shared_ptr<const std::string>* seen_at(const Versions& versions, std::uint64_t batch) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version)
    if (version->batch <= batch) return version->value ? &version->value : nullptr;
  return nullptr;
}

class MemoryStore;

class MemoryCursor final : public plugin::StoreCursor {
 public:
  MemoryCursor(MemoryStore& store, std::uint64_t batch, ByteView lower, ByteView upper,
               bool reverse)
      : store_(store),
        batch_(batch),
        lower_(lower),
        upper_(upper),
        unbounded_(upper.empty()),
        reverse_(reverse),
        done_(!upper.empty() && upper <= lower) {}
  ~MemoryCursor() override;
  Result<std::size_t> next(std::span<rz_store_entry> entries) override;

 private:
  void fill(std::size_t capacity);

  MemoryStore& store_;
  const std::uint64_t batch_;  // sees what was written up to here
  std::string lower_, upper_;  // what is left: lower <= key < upper
  bool unbounded_;             // there is no upper bound
  const bool reverse_;
  bool done_;
  // The entries that were handed out last; they stay readable while the writer goes on.
  std::vector<std::pair<std::string, std::shared_ptr<const std::string>>> run_;
};

class MemoryStore final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(plugin::Host, ByteView, ByteView) {
    return std::unique_ptr<plugin::Store>(new MemoryStore);
  }

  Status write(const plugin::StoreBatch& batch) override {
    const std::unique_lock lock(mutex_);
    ++batches_;
    for (const rz_store_op& op : batch.ops) {
      auto value =
          op.kind == RZ_STORE_PUT ? std::make_shared<const std::string>(view(op.value)) : nullptr;
      const auto entry = entries_.try_emplace(std::string(view(op.key))).first;
      entry->second.push_back({batches_, std::move(value)});
      if (trim(entry->second)) entries_.erase(entry);
    }
    return {};
  }

  Status get(std::span<const rz_bytes> keys, const plugin::StoreFound& found) override {
    const std::shared_lock lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto entry = entries_.find(view(keys[i]));
      if (entry == entries_.end()) continue;
      if (const auto* value = seen_at(entry->second, kNewest)) RZ_TRY(found(i, **value));
    }
    return {};
  }

  Result<std::unique_ptr<plugin::StoreCursor>> cursor(ByteView lower, ByteView upper,
                                                      bool reverse) override {
    std::uint64_t batch = 0;
    {
      const std::unique_lock lock(mutex_);
      batch = batches_;
      seen_.insert(batch);
    }
    return std::unique_ptr<plugin::StoreCursor>(
        new MemoryCursor(*this, batch, lower, upper, reverse));
  }

  Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) const {
    const std::shared_lock lock(mutex_);
    std::uint64_t bytes = 0;
    for (auto at = entries_.lower_bound(lower); at != entries_.end(); ++at) {
      if (!upper.empty() && at->first >= upper) break;
      if (const auto* value = seen_at(at->second, kNewest))
        bytes += at->first.size() + (*value)->size();
    }
    return bytes;
  }

  // Versions that no cursor sees go when their key is written again; this drops the others.
  Status compact(ByteView, ByteView) {
    const std::unique_lock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();)
      at = trim(at->second) ? entries_.erase(at) : std::next(at);
    return {};
  }

 private:
  friend class MemoryCursor;

  // Drops versions that no cursor sees. True where nothing of the key is left.
  bool trim(Versions& versions) const {
    const std::uint64_t oldest = seen_.empty() ? kNewest : *seen_.begin();
    std::size_t keep = versions.size() - 1;
    while (keep > 0 && versions[keep].batch > oldest) --keep;
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(keep));
    return versions.size() == 1 && versions[0].value == nullptr && versions[0].batch <= oldest;
  }

  mutable std::shared_mutex mutex_;
  std::map<std::string, Versions, std::less<>> entries_;  // guarded by mutex_
  std::uint64_t batches_ = 0;                             // guarded by mutex_
  std::multiset<std::uint64_t> seen_;                     // guarded by mutex_: of open cursors
};

MemoryCursor::~MemoryCursor() {
  const std::unique_lock lock(store_.mutex_);
  store_.seen_.erase(store_.seen_.find(batch_));
}

// Collects the next entries; the bounds move past them.
void MemoryCursor::fill(std::size_t capacity) {
  const std::shared_lock lock(store_.mutex_);
  const auto& entries = store_.entries_;
  const auto first = entries.lower_bound(lower_);
  const auto last = unbounded_ ? entries.end() : entries.lower_bound(upper_);
  const auto take = [&](const auto& entry) {
    if (const auto* value = seen_at(entry.second, batch_)) run_.emplace_back(entry.first, *value);
  };
  if (reverse_) {
    auto at = last;
    while (at != first && run_.size() < capacity) take(*--at);
    done_ = at == first;
    if (!done_) {
      upper_ = at->first;
      unbounded_ = false;
    }
  } else {
    auto at = first;
    while (at != last && run_.size() < capacity) take(*at++);
    done_ = at == last;
    if (!done_) lower_ = at->first;
  }
}

Result<std::size_t> MemoryCursor::next(std::span<rz_store_entry> entries) {
  run_.clear();
  if (!done_) fill(entries.size());
  for (std::size_t i = 0; i < run_.size(); ++i)
    entries[i] = {to_abi(run_[i].first), to_abi(*run_[i].second)};
  return run_.size();
}

}  // namespace

RHIZOME_PLUGIN({RZ_STORE_ID, plugin::store_table<MemoryStore>()},
               {RZ_STORE_MAINTAIN_ID, plugin::store_maintain_table<MemoryStore>()})
