// Posting lists by hash: under a token, or under a pair of them, the filters that it proposes. Open
// addressing, half a cache line a slot, a single posting inside it. One strand, as the index.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "match/pages.hpp"
#include "match/tokens.hpp"

namespace rhizome::matching {

using FilterNumber = std::uint32_t;

// A filter under its key, with up to three more tokens that must stand in the delta: places in the
// delta's Bloom filter. Place 0 always holds.
struct Posting {
  FilterNumber filter;
  std::uint32_t rest;  // three places of ten bits
};

struct Slot {
  struct Marks {
    std::uint32_t ranges;          // under a role's token: 1 + the number of its values' ranges
    std::uint16_t leads, seconds;  // whether pairs begin or end with the token; never goes over
  };
  std::uint64_t key = 0;  // 0: a free slot
  union {
    Posting one;  // size 1
    Posting* many;
  };
  union {
    std::uint64_t second;  // of a pair: its second token
    Marks marks;           // of a token
  };
  std::uint32_t size : 30;
  std::uint32_t pair : 1;
  std::uint32_t tried : 1;  // its list is long, and cannot be spread over pairs
  std::uint32_t stamp = 0;  // the last delta that had the token

  Slot() : many(nullptr), second(0), size(0), pair(0), tried(0) {}
  const Posting* begin() const { return size <= 1 ? &one : many; }
  const Posting* end() const { return begin() + size; }
  bool idle() const {
    return size == 0 && (pair || (marks.ranges == 0 && marks.leads == 0 && marks.seconds == 0));
  }
};
static_assert(sizeof(Slot) == 32);

class Slots {
 public:
  Slots() : slots_(kFirst) {}
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() {
    for (const Slot& slot : slots_)
      if (slot.size > 1) delete[] slot.many;
  }

  void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[place(key)]); }
  Slot* find(std::uint64_t key) {
    for (std::size_t i = place(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return &slots_[i];
      if (slots_[i].key == 0) return nullptr;
    }
  }
  // Makes it where there is none. Slots found before may move.
  Slot& at(std::uint64_t key);
  void add(Slot& slot, const Posting& posting);
  // The last takes its place.
  void erase(Slot& slot, std::uint32_t at);
  // Keeps those postings of the slot for which keep(posting).
  template <typename Keep>
  std::size_t keep_if(Slot& slot, const Keep& keep);
  template <typename Visit>
  void each(const Visit& visit) {
    for (Slot& slot : slots_)
      if (slot.key != 0) visit(slot);
  }
  void new_stamps() {
    for (Slot& slot : slots_) slot.stamp = 0;
  }
  std::size_t used() const { return used_; }
  std::size_t memory_bytes() const { return slots_.size() * sizeof(Slot) + list_bytes_; }

 private:
  static constexpr std::size_t kFirst = 64;

  // Multiplied, so that the low bits of what is no hash count too.
  std::size_t place(std::uint64_t key) const {
    return key * 0x9e3779b97f4a7c15u >> 32 & (slots_.size() - 1);
  }
  void rebuild();
  static std::uint32_t capacity(std::uint32_t size);
  void resize(Slot& slot, const Posting* kept, std::uint32_t size, std::uint32_t room);

  Table<Slot> slots_;
  std::size_t used_ = 0, list_bytes_ = 0;
};

template <typename Keep>
std::size_t Slots::keep_if(Slot& slot, const Keep& keep) {
  bool all = true;
  for (const Posting& posting : slot) all = all && keep(posting);
  if (all) return 0;
  std::vector<Posting> kept;
  for (const Posting& posting : slot)
    if (keep(posting)) kept.push_back(posting);
  const std::size_t dropped = slot.size - kept.size();
  const auto size = static_cast<std::uint32_t>(kept.size());
  resize(slot, kept.data(), size, size);
  return dropped;
}

}  // namespace rhizome::matching
