// Replacing, never merging.
#include "extent/table.hpp"

namespace rhizome {

Taken ReceiptTable::take(Receipt receipt, std::string bytes, std::uint64_t now_ms,
                         const Roster& roster) {
  const Hash256 hash = blake3(bytes);
  auto found = holders_.find(receipt.holder);
  if (found == holders_.end()) {
    if (holders_.size() >= kMaxHolders) {
      // Voters always have a place: there are fewer of them than places.
      if (!roster.has(receipt.holder)) return Taken::kFull;
      auto oldest = holders_.end();
      for (auto holder = holders_.begin(); holder != holders_.end(); ++holder)
        if (!roster.has(holder->first) &&
            (oldest == holders_.end() || holder->second.taken_ms < oldest->second.taken_ms))
          oldest = holder;
      if (oldest == holders_.end()) return Taken::kFull;
      holders_.erase(oldest);
    }
    found = holders_.try_emplace(receipt.holder).first;
  } else if (receipt.number == found->second.number && hash != found->second.hash) {
    found->second.conflict = true;
    return Taken::kConflict;
  } else if (receipt.number <= found->second.number) {
    return Taken::kOld;
  }
  Holder& holder = found->second;
  if (holder.number.incarnation != receipt.number.incarnation) {
    ++holder.incarnations;
    holder.conflict = false;
  }
  holder.number = receipt.number;
  holder.hash = hash;
  holder.bytes = std::move(bytes);
  holder.synced = receipt.synced;
  holder.scope = std::move(receipt.scope);
  holder.taken_ms = now_ms;
  // What was verified stays so where the number and the head are the same.
  std::map<EpochKey, Entry> entries;
  for (HeldLabels& held : receipt.held) {
    const EpochKey key{held.origin, held.epoch};
    HeadState state = HeadState::kUnknown;
    const auto before = holder.entries.find(key);
    if (before != holder.entries.end() && before->second.held.last == held.last &&
        before->second.held.head == held.head)
      state = before->second.head;
    entries.emplace(key, Entry{std::move(held), state});
  }
  holder.entries = std::move(entries);
  return Taken::kNew;
}

const ReceiptTable::Holder* ReceiptTable::find(const NodeKey& holder) const {
  const auto found = holders_.find(holder);
  return found == holders_.end() ? nullptr : &found->second;
}

void ReceiptTable::set_head(const NodeKey& holder, const EpochKey& key, std::uint64_t last,
                            HeadState state) {
  const auto found = holders_.find(holder);
  if (found == holders_.end()) return;
  const auto entry = found->second.entries.find(key);
  if (entry != found->second.entries.end() && entry->second.held.last == last)
    entry->second.head = state;
}

std::vector<std::pair<NodeKey, std::uint64_t>> ReceiptTable::unknown_heads(
    const EpochKey& key) const {
  std::vector<std::pair<NodeKey, std::uint64_t>> unknown;
  for (const auto& [node, holder] : holders_) {
    const auto entry = holder.entries.find(key);
    if (entry != holder.entries.end() && entry->second.head == HeadState::kUnknown)
      unknown.emplace_back(node, entry->second.held.last);
  }
  return unknown;
}

}  // namespace rhizome
