// The flat delta in C++: a view of one block, and the batch that flows through the whole node.
// The layout is rhizome/abi/delta.h; decoding into it is codec.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "rhizome/abi/delta.h"
#include "rhizome/bytes.hpp"

namespace rhizome {

// One pointer of a delta. Borrows from the delta's block.
class PointerView {
 public:
  PointerView(const rz_delta* delta, const rz_pointer* pointer) : delta_(delta), p_(pointer) {}

  std::uint32_t kind() const { return p_->kind; }  // RZ_TARGET_*
  ByteView role() const { return at(p_->role_offset, p_->role_size); }
  ByteView target() const { return at(p_->target_offset, p_->target_size); }  // text, id or bytes
  ByteView context() const { return at(p_->context_offset, p_->context_size); }  // empty: none
  double number() const { return p_->number; }
  bool boolean() const { return p_->number != 0; }
  bool is_entity() const { return kind() == RZ_TARGET_ENTITY; }
  bool is_delta() const { return kind() == RZ_TARGET_DELTA; }

 private:
  ByteView at(std::uint32_t offset, std::uint32_t size) const {
    return view(rz_delta_at(delta_, offset, size));
  }
  const rz_delta* delta_;
  const rz_pointer* p_;
};

// One delta. Borrows its block; copy the view freely, never outlive the block.
class DeltaView {
 public:
  explicit DeltaView(const rz_delta* delta) : d_(delta) {}

  const rz_delta* raw() const { return d_; }
  ByteView id() const { return view(d_->id, RZ_DELTA_ID_SIZE); }  // 34 raw bytes
  ByteView claims() const { return view(rz_delta_at(d_, d_->claims_offset, d_->claims_size)); }
  ByteView author() const { return view(rz_delta_at(d_, d_->author_offset, d_->author_size)); }
  double timestamp() const { return d_->timestamp; }
  std::uint32_t signature_state() const { return d_->signature_state; }
  ByteView signature() const { return view(d_->signature, RZ_DELTA_SIGNATURE_SIZE); }
  std::size_t size() const { return d_->pointer_count; }
  PointerView operator[](std::size_t i) const {
    return {d_, rz_delta_pointer(d_, static_cast<std::uint32_t>(i))};
  }

 private:
  const rz_delta* d_;
};

// Deltas in one growing run of memory, with no allocation a delta. Moved, never copied; owned by
// one stage at a time. Views into it are invalid after the next append (the memory may move).
class DeltaBatch {
 public:
  std::size_t size() const { return offsets_.size(); }
  bool empty() const { return offsets_.empty(); }
  std::size_t memory_bytes() const { return used_; }
  DeltaView operator[](std::size_t i) const { return DeltaView(block(i)); }
  rz_delta* mutable_block(std::size_t i) {
    return reinterpret_cast<rz_delta*>(memory_.get() + offsets_[i]);
  }
  const rz_delta* block(std::size_t i) const {
    return reinterpret_cast<const rz_delta*>(memory_.get() + offsets_[i]);
  }
  // Copies a block of another batch.
  void append(DeltaView delta) {
    std::memcpy(reserve(delta.raw()->block_size), delta.raw(), delta.raw()->block_size);
    commit(delta.raw()->block_size);
  }
  // Forgets all deltas and keeps the memory.
  void clear() {
    offsets_.clear();
    used_ = 0;
  }
  // Drops the last delta.
  void pop_back() {
    used_ = offsets_.back();
    offsets_.pop_back();
  }

  // For the codec: room for a block of up to `bytes` at the end, then what was really used of it
  // (a multiple of 8), which makes it the batch's last delta.
  std::byte* reserve(std::size_t bytes);
  void commit(std::size_t bytes) {
    offsets_.push_back(used_);
    used_ += bytes;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{8}); }
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::vector<std::size_t> offsets_;
};

inline std::byte* DeltaBatch::reserve(std::size_t bytes) {
  if (capacity_ - used_ < bytes) {
    const std::size_t wanted = used_ + bytes;
    const std::size_t grown = wanted > capacity_ * 2 ? wanted : capacity_ * 2;
    std::unique_ptr<std::byte[], Free> bigger(
        static_cast<std::byte*>(::operator new[](grown, std::align_val_t{8})));
    if (used_ != 0) std::memcpy(bigger.get(), memory_.get(), used_);
    memory_ = std::move(bigger);
    capacity_ = grown;
  }
  return memory_.get() + used_;
}

}  // namespace rhizome
