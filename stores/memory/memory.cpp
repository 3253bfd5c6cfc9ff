// The memory store: an ordered map that keeps old versions for as long as somebody may look at
// them. Loaded by the host like any store; tables are called on the threads that abi/store.h tags.
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "rhizome/abi/store.h"
#include "rhizome/plugin.hpp"

namespace {

using rhizome::ByteView;
using rhizome::view;
using rhizome::plugin::fail;
using rhizome::plugin::guard;

constexpr std::size_t kMaxKey = 1024;
constexpr std::size_t kMaxValue = 16u << 20;
constexpr std::uint64_t kNewest = UINT64_MAX;

// One value of a key and the write that made it; a delete is a version without a value.
struct Version {
  std::uint64_t write;
  std::shared_ptr<const std::string> value;
};
using Versions = std::vector<Version>;  // newest last, never empty

struct Store {
  mutable std::shared_mutex mutex;
  std::map<std::string, Versions, std::less<>> entries;  // guarded by mutex
  std::uint64_t writes = 0;                              // guarded by mutex
  std::multiset<std::uint64_t> snapshots;                // guarded by mutex: versions still seen
};

struct Snapshot {
  std::uint64_t write;
};

const std::string* seen_at(const Versions& versions, std::uint64_t write) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version)
    if (version->write <= write) return version->value.get();
  return nullptr;
}

// Forgets versions that no snapshot sees. True where nothing of the key is left.
bool trim(Versions& versions, const Store& store) {
  const std::uint64_t oldest = store.snapshots.empty() ? kNewest : *store.snapshots.begin();
  std::size_t keep = versions.size() - 1;
  while (keep > 0 && versions[keep].write > oldest) --keep;
  versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(keep));
  return versions.size() == 1 && versions[0].value == nullptr && versions[0].write <= oldest;
}

struct Cursor {
  Store* store;
  std::uint64_t write;
  bool own_snapshot;
  bool reverse;
  std::string lower, upper;  // what is left: lower <= key < upper
  bool unbounded;            // upper is empty: to the end
  bool done = false;
  // The run that was handed out last, so that it stays readable while writers go on.
  std::vector<std::pair<std::string, std::shared_ptr<const std::string>>> run;
};

std::int32_t open_store(rz_bytes, rz_bytes, void** store, rz_error* error) {
  return guard(error, [&] {
    *store = new Store;
    return RZ_OK;
  });
}

void close_store(void* store) { delete static_cast<Store*>(store); }

std::int32_t write(void* handle, const rz_store_op* ops, std::uint64_t count, std::uint32_t,
                   rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (ops[i].key.size == 0 || ops[i].key.size > kMaxKey)
        return fail(
            error, RZ_INVALID,
            "write: a key has " + std::to_string(ops[i].key.size) + " bytes; expected 1 to 1024");
      if (ops[i].value.size > kMaxValue)
        return fail(
            error, RZ_LIMIT,
            "write: a value has " + std::to_string(ops[i].value.size) + " bytes; at most 16 MiB");
      if (ops[i].kind != RZ_STORE_PUT && ops[i].kind != RZ_STORE_DELETE)
        return fail(
            error, RZ_INVALID,
            "write: op kind " + std::to_string(ops[i].kind) + "; expected put (1) or delete (2)");
    }
    auto& store = *static_cast<Store*>(handle);
    const std::unique_lock lock(store.mutex);
    const std::uint64_t number = ++store.writes;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto value = ops[i].kind == RZ_STORE_PUT
                       ? std::make_shared<const std::string>(view(ops[i].value))
                       : nullptr;
      const auto entry = store.entries.try_emplace(std::string(view(ops[i].key))).first;
      entry->second.push_back({number, std::move(value)});
      if (trim(entry->second, store)) store.entries.erase(entry);
    }
    return RZ_OK;
  });
}

std::int32_t get(void* handle, void* snapshot, const rz_bytes* keys, std::uint64_t count,
                 const rz_store_found* found, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    const auto& store = *static_cast<Store*>(handle);
    const std::uint64_t at = snapshot ? static_cast<Snapshot*>(snapshot)->write : kNewest;
    const std::shared_lock lock(store.mutex);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto entry = store.entries.find(view(keys[i]));
      if (entry == store.entries.end()) continue;
      const std::string* value = seen_at(entry->second, at);
      if (value == nullptr) continue;
      const std::int32_t code = found->value(found->context, i, rhizome::to_abi(*value));
      if (code != RZ_OK) return code;
    }
    return RZ_OK;
  });
}

std::uint64_t hold_snapshot(Store& store) {
  const std::unique_lock lock(store.mutex);
  store.snapshots.insert(store.writes);
  return store.writes;
}

void let_snapshot_go(Store& store, std::uint64_t write_number) {
  const std::unique_lock lock(store.mutex);
  store.snapshots.erase(store.snapshots.find(write_number));
}

std::int32_t snapshot_open(void* handle, void** snapshot, rz_error* error) {
  return guard(error, [&] {
    *snapshot = new Snapshot{hold_snapshot(*static_cast<Store*>(handle))};
    return RZ_OK;
  });
}

void snapshot_close(void* handle, void* snapshot) {
  const std::unique_ptr<Snapshot> gone(static_cast<Snapshot*>(snapshot));
  let_snapshot_go(*static_cast<Store*>(handle), gone->write);
}

std::int32_t cursor_open(void* handle, void* snapshot, rz_bytes lower, rz_bytes upper,
                         std::uint32_t reverse, void** cursor, rz_error* error) {
  return guard(error, [&] {
    auto made = std::make_unique<Cursor>();
    made->store = static_cast<Store*>(handle);
    made->lower = view(lower);
    made->upper = view(upper);
    made->unbounded = upper.size == 0;
    made->reverse = reverse != 0;
    made->own_snapshot = snapshot == nullptr;
    made->write = snapshot ? static_cast<Snapshot*>(snapshot)->write : hold_snapshot(*made->store);
    *cursor = made.release();
    return RZ_OK;
  });
}

// Collects the next run; the cursor's bounds move past it.
void fill(Cursor& cursor, std::uint64_t capacity) {
  const std::shared_lock lock(cursor.store->mutex);
  const auto& entries = cursor.store->entries;
  const auto first = entries.lower_bound(cursor.lower);
  const auto last = cursor.unbounded ? entries.end() : entries.lower_bound(cursor.upper);
  const auto take = [&](const auto& entry) {
    if (const std::string* value = seen_at(entry.second, cursor.write); value != nullptr) {
      for (const Version& version : entry.second)
        if (version.value.get() == value) cursor.run.emplace_back(entry.first, version.value);
    }
  };
  if (!cursor.unbounded && cursor.lower >= cursor.upper) return;
  if (cursor.reverse) {
    auto at = last;
    while (at != first && cursor.run.size() < capacity) take(*--at);
    cursor.done = at == first;
    if (!cursor.done) {
      cursor.upper = at->first;
      cursor.unbounded = false;
    }
  } else {
    auto at = first;
    while (at != last && cursor.run.size() < capacity) take(*at++);
    cursor.done = at == last;
    if (!cursor.done) cursor.lower = at->first;
  }
}

std::int32_t cursor_next(void* handle, rz_store_entry* entries, std::uint64_t capacity,
                         std::uint64_t* count, rz_error* error) {
  *count = 0;
  return guard(error, [&]() -> std::int32_t {
    auto& cursor = *static_cast<Cursor*>(handle);
    cursor.run.clear();
    if (!cursor.done && capacity != 0) fill(cursor, capacity);
    for (const auto& [key, value] : cursor.run)
      entries[(*count)++] = {rhizome::to_abi(key), rhizome::to_abi(*value)};
    return *count == 0 ? RZ_END : RZ_OK;
  });
}

void cursor_close(void* handle) {
  const std::unique_ptr<Cursor> gone(static_cast<Cursor*>(handle));
  if (gone->own_snapshot) let_snapshot_go(*gone->store, gone->write);
}

std::int32_t approximate_size(void* handle, rz_bytes lower, rz_bytes upper, std::uint64_t* bytes,
                              rz_error* error) {
  return guard(error, [&] {
    const auto& store = *static_cast<Store*>(handle);
    const std::shared_lock lock(store.mutex);
    const auto last =
        upper.size == 0 ? store.entries.end() : store.entries.lower_bound(view(upper));
    *bytes = 0;
    for (auto at = store.entries.lower_bound(view(lower)); at != last; ++at) {
      if (upper.size != 0 && at->first >= view(upper)) break;
      if (const std::string* value = seen_at(at->second, kNewest); value != nullptr)
        *bytes += at->first.size() + value->size();
    }
    return RZ_OK;
  });
}

// Versions go as soon as nobody sees them and the key is written again; this does it for the rest.
std::int32_t compact(void* handle, rz_bytes, rz_bytes, rz_error* error) {
  return guard(error, [&] {
    auto& store = *static_cast<Store*>(handle);
    const std::unique_lock lock(store.mutex);
    for (auto at = store.entries.begin(); at != store.entries.end();)
      at = trim(at->second, store) ? store.entries.erase(at) : std::next(at);
    return RZ_OK;
  });
}

constexpr rz_store kTable = {open_store,    close_store,      write,       get,
                             snapshot_open, snapshot_close,   cursor_open, cursor_next,
                             cursor_close,  approximate_size, compact};

}  // namespace

RHIZOME_PLUGIN({RZ_STORE_ID, &kTable})
