// A whole store plugin: a sorted map in memory. A snapshot shares the map, and the next write then
// makes itself a new one. Called by a host on the threads that rhizome/abi/store.h tags.
#include "rhizome/store.hpp"

#include <atomic>
#include <map>
#include <mutex>

using namespace rhizome;
using Map = std::map<std::string, std::string, std::less<>>;

struct Snapshot : plugin::StoreSnapshot {
  explicit Snapshot(std::shared_ptr<const Map> seen) : map(std::move(seen)) {}
  const std::shared_ptr<const Map> map;
};

struct Cursor : plugin::StoreCursor {
  Result<std::size_t> next(std::span<rz_store_entry> entries) override {
    std::size_t count = 0;
    for (; count < entries.size() && begin != end; ++count) {
      const auto& [key, value] = reverse ? *--end : *begin++;
      entries[count] = {to_abi(key), to_abi(value)};
    }
    return count;
  }
  std::shared_ptr<const Map> map;
  Map::const_iterator begin, end;
  bool reverse = false;
};

class SampleStore final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(ByteView, ByteView) {
    return std::unique_ptr<plugin::Store>(new SampleStore);
  }
  Status write(std::span<const rz_store_op> ops, bool) override {
    const std::lock_guard lock(mutex_);
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    std::atomic_thread_fence(std::memory_order_acquire);  // after the last reader's release
    for (const rz_store_op& op : ops)
      if (op.kind == RZ_STORE_PUT)
        map_->insert_or_assign(std::string(view(op.key)), std::string(view(op.value)));
      else
        map_->erase(std::string(view(op.key)));
    return {};
  }
  Status get(plugin::StoreSnapshot* snapshot, std::span<const rz_bytes> keys,
             const plugin::StoreFound& found) override {
    const std::shared_ptr<const Map> map = seen(snapshot);
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (const auto entry = map->find(view(keys[i])); entry != map->end())
        RZ_TRY(found(i, entry->second));
    return {};
  }
  Result<std::unique_ptr<plugin::StoreSnapshot>> snapshot() override {
    return std::unique_ptr<plugin::StoreSnapshot>(new Snapshot(seen(nullptr)));
  }
  Result<std::unique_ptr<plugin::StoreCursor>> cursor(plugin::StoreSnapshot* snapshot,
                                                      ByteView lower, ByteView upper,
                                                      bool reverse) override {
    auto cursor = std::make_unique<Cursor>();
    cursor->map = seen(snapshot);
    cursor->begin = cursor->map->lower_bound(lower);
    cursor->end = upper.empty() ? cursor->map->end() : cursor->map->lower_bound(upper);
    if (!upper.empty() && upper <= lower) cursor->end = cursor->begin;
    cursor->reverse = reverse;
    return std::unique_ptr<plugin::StoreCursor>(std::move(cursor));
  }
  Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) override {
    const std::shared_ptr<const Map> map = seen(nullptr);
    std::uint64_t bytes = 0;
    for (auto at = map->lower_bound(lower);
         at != map->end() && (upper.empty() || at->first < upper); ++at)
      bytes += at->first.size() + at->second.size();
    return bytes;
  }

 private:
  std::shared_ptr<const Map> seen(plugin::StoreSnapshot* snapshot) {
    if (snapshot != nullptr) return static_cast<Snapshot*>(snapshot)->map;
    const std::lock_guard lock(mutex_);
    return map_;
  }
  std::mutex mutex_;  // guards map_, and its map for as long as nobody shares it
  std::shared_ptr<Map> map_ = std::make_shared<Map>();
};

RHIZOME_PLUGIN({RZ_STORE_ID, plugin::store_table<SampleStore>()})
