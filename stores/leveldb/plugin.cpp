// The store's table over Store. The host calls it on the threads that abi/store.h tags.
#include "rhizome/plugin.hpp"

#include <leveldb/env.h>
#include <leveldb/iterator.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "store.hpp"

namespace {

using rhizome::Status;
using rhizome::view;
using rhizome::leveldb_store::sealed;
using rhizome::leveldb_store::Store;
using rhizome::plugin::guard;

leveldb::Slice slice(rz_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

leveldb::ReadOptions reading(void* snapshot) {
  leveldb::ReadOptions how;
  how.verify_checksums = true;  // the default returns wrong data after a flipped bit
  how.snapshot = static_cast<const leveldb::Snapshot*>(snapshot);
  return how;
}

// A run of entries is copied into one buffer: LevelDB's iterator forgets an entry at the next step.
struct Cursor {
  Store* store;
  const leveldb::Snapshot* own_snapshot;
  std::unique_ptr<leveldb::Iterator> at;
  std::string lower, upper;
  bool reverse, started = false;
  std::string buffer;
  struct Place {
    std::size_t offset, key_size, value_size;
  };
  std::vector<Place> places;

  bool inside() const {
    if (!at->Valid()) return false;
    return reverse ? at->key().compare(lower) >= 0 : upper.empty() || at->key().compare(upper) < 0;
  }
  void step() {
    sealed([&] {
      if (started) {
        reverse ? at->Prev() : at->Next();
        return;
      }
      started = true;
      if (!reverse) return at->Seek(lower);
      if (upper.empty()) return at->SeekToLast();
      at->Seek(upper);
      at->Valid() ? at->Prev() : at->SeekToLast();
    });
  }
};
constexpr std::size_t kRunBytes = 64 * 1024;

std::int32_t open_store(rz_bytes directory, rz_bytes config, void** store, rz_error* error) {
  return guard(error, [&]() -> Status {
    auto options = rhizome::leveldb_store::parse_options(view(config));
    if (!options.ok()) return options.status();
    auto opened = Store::open(std::string(view(directory)), *options, leveldb::Env::Default(),
                              rhizome::leveldb_store::sync_directory_of);
    if (!opened.ok()) return opened.status();
    *store = opened->release();
    return {};
  });
}

void close_store(void* store) { delete static_cast<Store*>(store); }

std::int32_t write(void* store, const rz_store_op* ops, std::uint64_t count,
                   std::uint32_t durability, rz_error* error) {
  return guard(error, [&] {
    return static_cast<Store*>(store)->write(ops, count, durability == RZ_STORE_SYNCED);
  });
}

std::int32_t get(void* handle, void* snapshot, const rz_bytes* keys, std::uint64_t count,
                 const rz_store_found* found, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    auto& store = *static_cast<Store*>(handle);
    const leveldb::ReadOptions how = reading(snapshot);
    std::string value;
    for (std::uint64_t i = 0; i < count; ++i) {
      const leveldb::Status status =
          sealed([&] { return store.db().Get(how, slice(keys[i]), &value); });
      if (status.IsNotFound()) continue;
      if (!status.ok()) return rhizome::plugin::to_abi(store.describe(status, "get"), error);
      const std::int32_t code = found->value(found->context, i, rhizome::to_abi(value));
      if (code != RZ_OK) return code;
    }
    return RZ_OK;
  });
}

std::int32_t snapshot_open(void* store, void** snapshot, rz_error* error) {
  return guard(error, [&] {
    *snapshot = const_cast<leveldb::Snapshot*>(
        sealed([&] { return static_cast<Store*>(store)->db().GetSnapshot(); }));
    return RZ_OK;
  });
}

void snapshot_close(void* store, void* snapshot) {
  static_cast<Store*>(store)->db().ReleaseSnapshot(static_cast<leveldb::Snapshot*>(snapshot));
}

std::int32_t cursor_open(void* handle, void* snapshot, rz_bytes lower, rz_bytes upper,
                         std::uint32_t reverse, void** cursor, rz_error* error) {
  return guard(error, [&] {
    auto& store = *static_cast<Store*>(handle);
    auto made = std::make_unique<Cursor>();
    made->store = &store;
    made->lower = view(lower);
    made->upper = view(upper);
    made->reverse = reverse != 0;
    leveldb::ReadOptions how = reading(snapshot);
    made->own_snapshot = nullptr;
    if (snapshot == nullptr)
      how.snapshot = made->own_snapshot = sealed([&] { return store.db().GetSnapshot(); });
    how.fill_cache = false;  // a scan would push everything else out
    made->at.reset(sealed([&] { return store.db().NewIterator(how); }));
    *cursor = made.release();
    return RZ_OK;
  });
}

std::int32_t cursor_next(void* handle, rz_store_entry* entries, std::uint64_t capacity,
                         std::uint64_t* count, rz_error* error) {
  *count = 0;
  return guard(error, [&]() -> std::int32_t {
    auto& cursor = *static_cast<Cursor*>(handle);
    cursor.buffer.clear();
    cursor.places.clear();
    while (cursor.places.size() < capacity && cursor.buffer.size() < kRunBytes) {
      if (cursor.started && !cursor.inside()) break;
      cursor.step();
      if (!cursor.inside()) break;
      const leveldb::Slice key = cursor.at->key(), value = cursor.at->value();
      cursor.places.push_back({cursor.buffer.size(), key.size(), value.size()});
      cursor.buffer.append(key.data(), key.size()).append(value.data(), value.size());
    }
    if (const leveldb::Status status = cursor.at->status(); !status.ok())
      return rhizome::plugin::to_abi(cursor.store->describe(status, "read a range"), error);
    for (const Cursor::Place& place : cursor.places) {
      const char* key = cursor.buffer.data() + place.offset;
      entries[(*count)++] = {{key, place.key_size}, {key + place.key_size, place.value_size}};
    }
    return *count == 0 ? RZ_END : RZ_OK;
  });
}

void cursor_close(void* handle) {
  const std::unique_ptr<Cursor> gone(static_cast<Cursor*>(handle));
  gone->at.reset();
  if (gone->own_snapshot != nullptr) gone->store->db().ReleaseSnapshot(gone->own_snapshot);
}

std::int32_t approximate_size(void* handle, rz_bytes lower, rz_bytes upper, std::uint64_t* bytes,
                              rz_error* error) {
  return guard(error, [&] {
    // Keys are at most 1,024 bytes, so this is behind all of them.
    const std::string last(1025, '\xff');
    const leveldb::Range range(slice(lower), upper.size == 0 ? leveldb::Slice(last) : slice(upper));
    sealed([&] { static_cast<Store*>(handle)->db().GetApproximateSizes(&range, 1, bytes); });
    return RZ_OK;
  });
}

std::int32_t compact(void* handle, rz_bytes lower, rz_bytes upper, rz_error* error) {
  return guard(error, [&] {
    const leveldb::Slice from = slice(lower), to = slice(upper);
    sealed([&] {
      static_cast<Store*>(handle)->db().CompactRange(lower.size ? &from : nullptr,
                                                     upper.size ? &to : nullptr);
    });
    return RZ_OK;
  });
}

constexpr rz_store kTable = {open_store,    close_store,      write,       get,
                             snapshot_open, snapshot_close,   cursor_open, cursor_next,
                             cursor_close,  approximate_size, compact};

}  // namespace

RHIZOME_PLUGIN({RZ_STORE_ID, &kTable})
