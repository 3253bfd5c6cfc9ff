// Writing a store plugin in C++: derive from plugin::Store, give it a static `open`, and export
// store_table<YourStore>(). The trampolines check sizes and keep exceptions inside. The contract is
// rhizome/abi/store.h; samples/out_of_tree_store is a complete one.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rhizome/abi/store.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

// What `write` applies as a whole or not at all. Checked: ops are puts and deletes within the size
// limits, and there is at least one. Borrowed for the call.
struct StoreBatch {
  std::span<const rz_store_op> ops;  // in their order
  bool synced = false;               // on stable storage at the return, with all batches before it
  ByteView marker;                   // 16 bytes that name this batch
};

// A walk over a range. [owner] [blocks]
class StoreCursor {
 public:
  virtual ~StoreCursor() = default;
  // Fills in the next entries, at least one; returns how many. 0: the end. What they point at stays
  // until the next call.
  virtual Result<std::size_t> next(std::span<rz_store_entry> entries) = 0;
};

// The caller's side of a `get`: answers one key with its value. A failure ends the `get`, which
// returns it.
class StoreFound {
 public:
  explicit StoreFound(const rz_store_found* table) : table_(table) {}
  Status operator()(std::uint64_t index, ByteView value) const {
    const std::int32_t code = table_->value(table_->context, index, rhizome::to_abi(value));
    return code == RZ_OK ? Status() : Status(static_cast<Code>(code), "the caller ended the get");
  }

 private:
  const rz_store_found* table_;
};

// One open store, closed by its destructor. Thread tags are those of the table in
// rhizome/abi/store.h: `write` comes one call at a time, reads from any thread beside it.
class Store {
 public:
  virtual ~Store() = default;
  virtual Status write(const StoreBatch& batch) = 0;
  // Calls found(i, value) for each keys[i] that exists, in order.
  virtual Status get(std::span<const rz_bytes> keys, const StoreFound& found) = 0;
  // lower <= key < upper, as of this call; an empty upper means to the end.
  virtual Result<std::unique_ptr<StoreCursor>> cursor(ByteView lower, ByteView upper,
                                                      bool reverse) = 0;
};

// Reports to the host that the store's state is RZ_STORE_* now, because of `cause`. Any thread.
inline void report_store_state(const Host& host, std::uint32_t state, ByteView cause = {}) {
  if (const auto* table = host.service<rz_host_store>(RZ_HOST_STORE_ID))
    table->state(table->context, state, rhizome::to_abi(cause));
}

namespace store_detail {

template <typename T>
T* self(void* handle) {
  return static_cast<T*>(static_cast<Store*>(handle));
}

inline Status check(const rz_store_op& op) {
  if (op.kind != RZ_STORE_PUT && op.kind != RZ_STORE_DELETE)
    return {Code::kInvalid,
            "write: op kind " + std::to_string(op.kind) + "; expected put (1) or delete (2)"};
  if (op.key.size == 0 || op.key.size > RZ_STORE_KEY_MAX_SIZE)
    return {Code::kInvalid,
            "write: a key of " + std::to_string(op.key.size) + " bytes; expected 1 to 1024"};
  if (op.value.size > RZ_STORE_VALUE_MAX_SIZE)
    return {Code::kLimit,
            "write: a value of " + std::to_string(op.value.size) + " bytes; at most 16 MiB"};
  return {};
}

template <typename T>
std::int32_t write(void* handle, const rz_store_batch* given, rz_error* error) {
  return guard(error, [&]() -> Status {
    if (given->count == 0) return {Code::kInvalid, "write: a batch of 0 ops; expected at least 1"};
    const StoreBatch batch{{given->ops, static_cast<std::size_t>(given->count)},
                           given->durability == RZ_STORE_SYNCED,
                           rhizome::view(given->marker, RZ_STORE_MARKER_SIZE)};
    for (const rz_store_op& op : batch.ops) RZ_TRY(check(op));
    return self<T>(handle)->write(batch);
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

// The table of T, which has
//   static Result<std::unique_ptr<Store>> open(Host host, ByteView config_json,
//                                              ByteView directory);
// that makes a T. The host may be kept until the destructor has returned. Where T is final the
// calls to it are direct.
template <typename T>
const rz_store* store_table() {
  namespace d = store_detail;
  static constexpr rz_store kTable = {
      [](const rz_host* host, rz_bytes config, rz_bytes directory, void** store, rz_error* error) {
        return guard(error, [&] {
          return d::hand_over<Store>(T::open(Host(host), view(config), view(directory)), store);
        });
      },
      [](void* store) { delete static_cast<Store*>(store); },
      d::write<T>,
      [](void* store, const rz_bytes* keys, std::uint64_t count, const rz_store_found* found,
         rz_error* error) {
        return guard(error, [&] {
          return d::self<T>(store)->get({keys, static_cast<std::size_t>(count)}, StoreFound(found));
        });
      },
      [](void* store, rz_bytes lower, rz_bytes upper, std::uint32_t reverse, void** cursor,
         rz_error* error) {
        return guard(error, [&] {
          return d::hand_over<StoreCursor>(
              d::self<T>(store)->cursor(view(lower), view(upper), reverse == 1), cursor);
        });
      },
      d::cursor_next,
      [](void* cursor) { delete static_cast<StoreCursor*>(cursor); }};
  return &kTable;
}

// The optional table of a T that also has
//   Result<bool> resolve(ByteView marker);   // is the last batch, which failed, applied?
template <typename T>
const rz_store_resolve* store_resolve_table() {
  namespace d = store_detail;
  static constexpr rz_store_resolve kTable = {
      [](void* store, const std::uint8_t* marker, std::uint32_t* applied, rz_error* error) {
        return guard(error, [&]() -> Status {
          const Result<bool> found =
              d::self<T>(store)->resolve(rhizome::view(marker, RZ_STORE_MARKER_SIZE));
          if (!found.ok()) return found.status();
          *applied = *found ? 1 : 0;
          return {};
        });
      }};
  return &kTable;
}

// The optional table of a T that also has
//   Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper);
//   Status compact(ByteView lower, ByteView upper);
template <typename T>
const rz_store_maintain* store_maintain_table() {
  namespace d = store_detail;
  static constexpr rz_store_maintain kTable = {
      [](void* store, rz_bytes lower, rz_bytes upper, std::uint64_t* bytes, rz_error* error) {
        return guard(error, [&]() -> Status {
          const Result<std::uint64_t> size =
              d::self<T>(store)->approximate_size(view(lower), view(upper));
          if (!size.ok()) return size.status();
          *bytes = *size;
          return {};
        });
      },
      [](void* store, rz_bytes lower, rz_bytes upper, rz_error* error) {
        return guard(error, [&] { return d::self<T>(store)->compact(view(lower), view(upper)); });
      }};
  return &kTable;
}

}  // namespace rhizome::plugin
