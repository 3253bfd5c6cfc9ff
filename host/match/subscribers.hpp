// Who asks for one filter: a single one stands with the filter, more stand next to each other in a
// list of their own, so that telling a match reads them in a row. One strand, as the index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace rhizome::matching {

struct Subscriber {
  std::uint64_t id;
  std::uint32_t group;
  std::uint32_t at;  // its number among all subscriptions
};

class Subscribers {
 public:
  Subscribers() : many_(nullptr) {}
  Subscribers(Subscribers&& other) noexcept : Subscribers() { swap(other); }
  Subscribers& operator=(Subscribers&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Subscribers() {
    if (room_ != 0) delete[] many_;
  }

  const Subscriber* begin() const { return room_ == 0 ? &one_ : many_; }
  const Subscriber* end() const { return begin() + size_; }
  const Subscriber& back() const { return end()[-1]; }
  std::uint32_t size() const { return size_; }
  bool listed() const { return room_ != 0; }
  std::size_t list_bytes() const { return room_ * sizeof(Subscriber); }

  void add(const Subscriber& one) {
    if (size_ == 0 && room_ == 0) {
      one_ = one;
      size_ = 1;
      return;
    }
    if (size_ >= room_) {
      const std::uint32_t room = std::max(2u, size_ + size_ / 2 + 1);
      auto* const list = new Subscriber[room];
      std::copy(begin(), end(), list);
      if (room_ != 0) delete[] many_;
      many_ = list;
      room_ = room;
    }
    many_[size_++] = one;
  }
  // The last takes its place. REQUIRES: it is not the only one.
  void erase(std::uint32_t at) {
    const_cast<Subscriber*>(begin())[at] = back();  // NOLINT: begin() is this one's own memory
    if (--size_ != 1) return;
    const Subscriber left = *begin();
    delete[] std::exchange(many_, nullptr);
    room_ = 0;
    one_ = left;
  }

 private:
  void swap(Subscribers& other) {
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
    std::swap(one_, other.one_);  // the larger of the two
  }

  std::uint32_t size_ = 0, room_ = 0;  // no room: the one stands here
  union {
    Subscriber one_;
    Subscriber* many_;
  };
};

}  // namespace rhizome::matching
