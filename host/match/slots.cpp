// Growing the table and its lists; see slots.hpp.
#include "match/slots.hpp"

#include <algorithm>
#include <bit>

namespace rhizome::matching {

Slot& Slots::at(std::uint64_t key) {
  if (Slot* found = find(key)) return *found;
  if ((used_ + 1) * 4 > slots_.size() * 3) rebuild();
  std::size_t i = place(key);
  while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i].key = key;
  ++used_;
  return slots_[i];
}

// Idle slots are left behind; the table doubles only where the others need it.
void Slots::rebuild() {
  const auto live = static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [](const Slot& s) { return s.key != 0 && !s.idle(); }));
  Table<Slot> old(std::max(kFirst, std::bit_ceil((live + 1) * 2)));
  old.swap(slots_);
  used_ = live;
  for (const Slot& slot : old) {
    if (slot.key == 0 || slot.idle()) continue;
    std::size_t i = place(slot.key);
    while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

// A list has room for the next power of two, or for 3/4 of it: a quarter is the most that is idle.
std::uint32_t Slots::capacity(std::uint32_t size) {
  if (size <= 2) return size;
  const std::uint32_t whole = std::bit_ceil(size);
  return size <= whole / 4 * 3 ? whole / 4 * 3 : whole;
}

void Slots::add(Slot& slot, const Posting& posting) {
  if (slot.size == 0) {
    slot.one = posting;
    slot.size = 1;
    return;
  }
  if (slot.size == 1 || capacity(slot.size) == slot.size) {
    const std::vector<Posting> before(slot.begin(), slot.end());
    resize(slot, before.data(), slot.size, slot.size + 1);
  }
  // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): two or more always have a list
  slot.many[slot.size] = posting;
  slot.size = slot.size + 1;
}

void Slots::erase(Slot& slot, std::uint32_t at) {
  if (slot.size == 1) {
    slot.many = nullptr;
    slot.size = 0;
    return;
  }
  slot.many[at] = slot.many[slot.size - 1];
  const std::uint32_t left = slot.size - 1;
  if (capacity(left) == capacity(slot.size)) {
    slot.size = left;
    return;
  }
  const std::vector<Posting> kept(slot.begin(), slot.begin() + left);
  resize(slot, kept.data(), left, left);
}

// `size` postings of `kept` into a list for `room` of them.
void Slots::resize(Slot& slot, const Posting* kept, std::uint32_t size, std::uint32_t room) {
  if (slot.size > 1) {
    list_bytes_ -= capacity(slot.size) * sizeof(Posting);
    delete[] slot.many;
  }
  if (room <= 1) {
    slot.many = nullptr;
    if (size == 1) slot.one = kept[0];
  } else {
    auto* const list = new Posting[capacity(room)];
    std::copy_n(kept, size, list);
    slot.many = list;
    list_bytes_ += capacity(room) * sizeof(Posting);
  }
  slot.size = size;
}

}  // namespace rhizome::matching
