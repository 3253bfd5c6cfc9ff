// What goes into a store and comes out of it: batches, and cursors over ranges. Used by way of
// rhizome/use/store.hpp. Thread tags are those of rhizome/abi/store.h.
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
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

}  // namespace rhizome::use
