// A whole store plugin: a sorted map in memory. A cursor shares the map, and the next write then
// makes itself a new one. Called by a host on the threads that rhizome/abi/store.h tags.
#include "rhizome/store.hpp"

#include <atomic>
#include <map>
#include <mutex>

using namespace rhizome;
using Map = std::map<std::string, std::string, std::less<>>;

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
  static Result<std::unique_ptr<plugin::Store>> open(plugin::Host, ByteView, ByteView) {
    return std::unique_ptr<plugin::Store>(new SampleStore);
  }
  Status write(const plugin::StoreBatch& batch) override {
    const std::lock_guard lock(mutex_);
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    std::atomic_thread_fence(std::memory_order_acquire);  // after the last reader's release
    for (const rz_store_op& op : batch.ops)
      if (op.kind == RZ_STORE_PUT)
        map_->insert_or_assign(std::string(view(op.key)), std::string(view(op.value)));
      else
        map_->erase(std::string(view(op.key)));
    return {};
  }
  Status get(std::span<const rz_bytes> keys, const plugin::StoreFound& found) override {
    const std::shared_ptr<const Map> map = newest();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (const auto entry = map->find(view(keys[i])); entry != map->end())
        RZ_TRY(found(i, entry->second));
    return {};
  }
  Result<std::unique_ptr<plugin::StoreCursor>> cursor(ByteView lower, ByteView upper,
                                                      bool reverse) override {
    auto cursor = std::make_unique<Cursor>();
    cursor->map = newest();
    cursor->begin = cursor->map->lower_bound(lower);
    cursor->end = upper.empty() ? cursor->map->end() : cursor->map->lower_bound(upper);
    if (!upper.empty() && upper <= lower) cursor->end = cursor->begin;
    cursor->reverse = reverse;
    return std::unique_ptr<plugin::StoreCursor>(std::move(cursor));
  }

 private:
  std::shared_ptr<const Map> newest() {
    const std::lock_guard lock(mutex_);
    return map_;
  }
  std::mutex mutex_;  // guards map_, and its map for as long as nobody shares it
  std::shared_ptr<Map> map_ = std::make_shared<Map>();
};

RHIZOME_PLUGIN({RZ_STORE_ID, plugin::store_table<SampleStore>()})
