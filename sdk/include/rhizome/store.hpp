// Writing a store plugin in C++: derive from plugin::Store, give it a static `open`, and export
// store_table<YourStore>(). The trampolines check sizes and keep exceptions inside. The contract is
// rhizome/abi/store.h; samples/out_of_tree_store is a whole one.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rhizome/abi/store.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

inline constexpr std::uint64_t kStoreMaxKey = 1024;
inline constexpr std::uint64_t kStoreMaxValue = 16u << 20;

// An unchanging view of a store; closed by its destructor. [any]
class StoreSnapshot {
 public:
  virtual ~StoreSnapshot() = default;
};

// A walk over a range. [owner]
class StoreCursor {
 public:
  virtual ~StoreCursor() = default;
  // Fills in the next entries, at least one; how many. 0: the end. What they point at stays until
  // the next call.
  virtual Result<std::size_t> next(std::span<rz_store_entry> entries) = 0;
};

// The caller's side of a get: answers one key with its value.
class StoreFound {
 public:
  explicit StoreFound(const rz_store_found* table) : table_(table) {}
  Status operator()(std::uint64_t index, ByteView value) const {
    const std::int32_t code = table_->value(table_->context, index, rhizome::to_abi(value));
    return code == RZ_OK ? Status() : Status(static_cast<Code>(code), "the caller wants no more");
  }

 private:
  const rz_store_found* table_;
};

// One open store, closed by its destructor. Thread tags are those of the table in
// rhizome/abi/store.h: `write` comes one at a time, everything else from any thread beside it.
class Store {
 public:
  virtual ~Store() = default;
  // All ops in their order, or none; on stable storage at the return where `synced`.
  virtual Status write(std::span<const rz_store_op> ops, bool synced) = 0;
  // Calls found(i, value) for each keys[i] that exists, in order. No snapshot: the newest state.
  virtual Status get(StoreSnapshot* snapshot, std::span<const rz_bytes> keys,
                     const StoreFound& found) = 0;
  virtual Result<std::unique_ptr<StoreSnapshot>> snapshot() = 0;
  // lower <= key < upper; an empty upper means to the end. No snapshot: the state at this call.
  virtual Result<std::unique_ptr<StoreCursor>> cursor(StoreSnapshot* snapshot, ByteView lower,
                                                      ByteView upper, bool reverse) = 0;
  virtual Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) = 0;
  virtual Status compact(ByteView, ByteView) { return {}; }
};

namespace store_detail {

template <typename T>
T* self(void* handle) {
  return static_cast<T*>(static_cast<Store*>(handle));
}
inline StoreSnapshot* at(void* snapshot) { return static_cast<StoreSnapshot*>(snapshot); }

inline Status check(const rz_store_op& op) {
  if (op.kind != RZ_STORE_PUT && op.kind != RZ_STORE_DELETE)
    return {Code::kInvalid,
            "write: op kind " + std::to_string(op.kind) + "; expected put (1) or delete (2)"};
  if (op.key.size == 0 || op.key.size > kStoreMaxKey)
    return {Code::kInvalid,
            "write: a key of " + std::to_string(op.key.size) + " bytes; expected 1 to 1024"};
  if (op.value.size > kStoreMaxValue)
    return {Code::kLimit,
            "write: a value of " + std::to_string(op.value.size) + " bytes; at most 16 MiB"};
  return {};
}

template <typename T>
std::int32_t write(void* handle, const rz_store_op* ops, std::uint64_t count,
                   std::uint32_t durability, rz_error* error) {
  return guard(error, [&]() -> Status {
    const std::span<const rz_store_op> batch(ops, static_cast<std::size_t>(count));
    for (const rz_store_op& op : batch) RZ_TRY(check(op));
    return self<T>(handle)->write(batch, durability == RZ_STORE_SYNCED);
  });
}
inline std::int32_t cursor_next(void* cursor, rz_store_entry* entries, std::uint64_t capacity,
                                std::uint64_t* count, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    *count = 0;
    const std::span<rz_store_entry> room(entries, static_cast<std::size_t>(capacity));
    const Result<std::size_t> got = static_cast<StoreCursor*>(cursor)->next(room);
    if (!got.ok()) return to_abi(got.status(), error);
    *count = *got;
    return *got == 0 ? RZ_END : RZ_OK;
  });
}

// Puts a made object into the caller's handle.
template <typename T>
Status hand_over(Result<std::unique_ptr<T>> made, void** handle) {
  if (!made.ok()) return std::move(made).status();
  *handle = made->release();
  return {};
}

}  // namespace store_detail

// The frozen table of T, which has
//   static Result<std::unique_ptr<Store>> open(ByteView directory, ByteView config_json);
// that makes a T. Where T is final the calls to it are direct.
template <typename T>
const rz_store* store_table() {
  namespace d = store_detail;
  static constexpr rz_store kTable = {
      [](rz_bytes directory, rz_bytes config, void** store, rz_error* error) {
        return guard(error,
                     [&] { return d::hand_over(T::open(view(directory), view(config)), store); });
      },
      [](void* store) { delete static_cast<Store*>(store); },
      d::write<T>,
      [](void* store, void* snapshot, const rz_bytes* keys, std::uint64_t count,
         const rz_store_found* found, rz_error* error) {
        return guard(error, [&] {
          return d::self<T>(store)->get(d::at(snapshot), {keys, static_cast<std::size_t>(count)},
                                        StoreFound(found));
        });
      },
      [](void* store, void** snapshot, rz_error* error) {
        return guard(error, [&] { return d::hand_over(d::self<T>(store)->snapshot(), snapshot); });
      },
      [](void*, void* snapshot) { delete d::at(snapshot); },
      [](void* store, void* snapshot, rz_bytes lower, rz_bytes upper, std::uint32_t reverse,
         void** cursor, rz_error* error) {
        return guard(error, [&] {
          return d::hand_over(
              d::self<T>(store)->cursor(d::at(snapshot), view(lower), view(upper), reverse == 1),
              cursor);
        });
      },
      d::cursor_next,
      [](void* cursor) { delete static_cast<StoreCursor*>(cursor); },
      [](void* store, rz_bytes lower, rz_bytes upper, std::uint64_t* bytes, rz_error* error) {
        return guard(error, [&]() -> Status {
          Result<std::uint64_t> size =
              d::self<T>(store)->approximate_size(view(lower), view(upper));
          if (size.ok()) *bytes = *size;
          return std::move(size).status();
        });
      },
      [](void* store, rz_bytes lower, rz_bytes upper, rz_error* error) {
        return guard(error, [&] { return d::self<T>(store)->compact(view(lower), view(upper)); });
      }};
  return &kTable;
}

}  // namespace rhizome::plugin
