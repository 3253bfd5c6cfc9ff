// Using a store plugin from C++: owning handles over rhizome/abi/store.h. For the host's journal
// and the conformance suite; a plugin author needs rhizome/store.hpp instead. Thread tags are the
// table's.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rhizome/abi/store.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::use {

enum class Durability : std::uint32_t { kBuffered = RZ_STORE_BUFFERED, kSynced = RZ_STORE_SYNCED };

// An ordered batch that owns its bytes in one buffer; cleared and used again without allocation.
class StoreBatch {
 public:
  void put(ByteView key, ByteView value) { add(RZ_STORE_PUT, key, value); }
  void remove(ByteView key) { add(RZ_STORE_DELETE, key, {}); }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return buffer_.size(); }
  void clear() {
    buffer_.clear();
    entries_.clear();
  }
  // The ABI's form, valid until the next change.
  std::span<const rz_store_op> ops() const {
    ops_.clear();
    ops_.reserve(entries_.size());
    for (const Entry& e : entries_) {
      const char* key = buffer_.data() + e.offset;
      ops_.push_back({e.kind, 0, {key, e.key_size}, {key + e.key_size, e.value_size}});
    }
    return ops_;
  }

 private:
  struct Entry {
    std::uint32_t kind;
    std::uint32_t key_size;
    std::size_t offset, value_size;
  };
  void add(std::uint32_t kind, ByteView key, ByteView value) {
    entries_.push_back(
        {kind, static_cast<std::uint32_t>(key.size()), buffer_.size(), value.size()});
    buffer_.append(key).append(value);
  }
  std::string buffer_;
  std::vector<Entry> entries_;
  mutable std::vector<rz_store_op> ops_;
};

// A cursor over a range; read entry by entry, fetched in runs.
class StoreCursor {
 public:
  StoreCursor(const rz_store* table, void* cursor) : table_(table), cursor_(cursor) {}
  StoreCursor(StoreCursor&& other) noexcept
      : table_(other.table_),
        cursor_(std::exchange(other.cursor_, nullptr)),
        entries_(other.entries_),
        count_(other.count_),
        at_(other.at_),
        status_(std::move(other.status_)) {}
  StoreCursor& operator=(StoreCursor&&) = delete;
  ~StoreCursor() {
    if (cursor_ != nullptr) table_->cursor_close(cursor_);
  }

  // The next entry, borrowed until the call after; nullptr at the end or on failure (see status()).
  const rz_store_entry* next() {
    if (at_ == count_) {
      at_ = count_ = 0;
      rz_error error{};
      const std::int32_t code =
          table_->cursor_next(cursor_, entries_.data(), entries_.size(), &count_, &error);
      if (code != RZ_OK) {
        count_ = 0;
        if (code != RZ_END) status_ = Status::from_abi(code, error);
        return nullptr;
      }
    }
    return count_ == 0 ? nullptr : &entries_[at_++];
  }
  const Status& status() const { return status_; }

 private:
  const rz_store* table_;
  void* cursor_;
  std::array<rz_store_entry, 64> entries_{};
  std::uint64_t count_ = 0, at_ = 0;
  Status status_;
};

// An open store; closes it at the end of its life.
class Store {
 public:
  static Result<Store> open(const rz_store* table, const std::string& directory,
                            const std::string& config_json) {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code = table->open(to_abi(directory), to_abi(config_json), &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Store(table, handle);
  }
  Store(Store&& other) noexcept
      : table_(other.table_), handle_(std::exchange(other.handle_, nullptr)) {}
  Store& operator=(Store&&) = delete;
  ~Store() {
    if (handle_ != nullptr) table_->close(handle_);
  }

  Status write(const StoreBatch& batch, Durability durability) {
    return write(batch.ops(), durability);
  }
  Status write(std::span<const rz_store_op> ops, Durability durability) {
    rz_error error{};
    return Status::from_abi(table_->write(handle_, ops.data(), ops.size(),
                                          static_cast<std::uint32_t>(durability), &error),
                            error);
  }
  // The value of one key; nullopt where there is none.
  Result<std::optional<std::string>> get(ByteView key) const {
    std::optional<std::string> found;
    RZ_TRY(get({&key, 1}, [&](std::size_t, ByteView value) { found = std::string(value); }));
    return found;
  }
  // Calls found(index, value) for each key that exists.
  template <typename Found>
  Status get(std::span<const ByteView> keys, Found&& found) const {
    std::vector<rz_bytes> abi_keys;
    abi_keys.reserve(keys.size());
    for (const ByteView key : keys) abi_keys.push_back(to_abi(key));
    const rz_store_found sink{&found, [](void* context, std::uint64_t index, rz_bytes value) {
                                (*static_cast<std::remove_reference_t<Found>*>(context))(
                                    static_cast<std::size_t>(index), rhizome::view(value));
                                return std::int32_t{RZ_OK};
                              }};
    rz_error error{};
    return Status::from_abi(
        table_->get(handle_, nullptr, abi_keys.data(), abi_keys.size(), &sink, &error), error);
  }
  // lower <= key < upper; an empty upper means to the end.
  Result<StoreCursor> cursor(ByteView lower, ByteView upper, bool reverse = false) const {
    rz_error error{};
    void* cursor = nullptr;
    const std::int32_t code = table_->cursor_open(handle_, nullptr, to_abi(lower), to_abi(upper),
                                                  reverse ? 1 : 0, &cursor, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Result<StoreCursor>(StoreCursor(table_, cursor));
  }
  Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) const {
    rz_error error{};
    std::uint64_t bytes = 0;
    const std::int32_t code =
        table_->approximate_size(handle_, to_abi(lower), to_abi(upper), &bytes, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return bytes;
  }
  Status compact() {
    rz_error error{};
    return Status::from_abi(table_->compact(handle_, {nullptr, 0}, {nullptr, 0}, &error), error);
  }

  const rz_store* table() const { return table_; }
  void* handle() const { return handle_; }

 private:
  Store(const rz_store* table, void* handle) : table_(table), handle_(handle) {}
  const rz_store* table_;
  void* handle_;
};

}  // namespace rhizome::use
