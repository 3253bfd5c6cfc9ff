// Opening a journal: format version, nodes, positions, epoch, and the digest with its tail.
#include <sodium.h>

#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

std::string number_text(std::uint64_t value, int bytes) {
  std::string out;
  keys::append_number(value, bytes, out);
  return out;
}

}  // namespace

Status Journal::State::load() {
  RZ_TRY(load_format());
  RZ_TRY(load_nodes());
  RZ_TRY(load_positions());
  RZ_TRY(load_forks());
  RZ_TRY(load_epoch());
  auto newest = store.cursor(keys::record(0), key_after("R"), /*reverse=*/true);
  if (!newest.ok()) return std::move(newest).status();
  if (const rz_store_entry* entry = newest->next(); entry != nullptr)
    last = keys::read_number(view(entry->key), 1, keys::kSeqSize);
  RZ_TRY(Status(newest->status()));
  recent_floor = last;
  return load_digest();
}

Status Journal::State::load_format() {
  auto format = store.get(keys::kFormat);
  if (!format.ok()) return std::move(format).status();
  if (!format->has_value()) {
    // Chance that no result depends on: it only says where index entries lie.
    std::array<std::uint8_t, keys::IndexHash::kKeySize> key{};
    randombytes_buf(key.data(), key.size());
    hash = keys::IndexHash(key);
    batch.put(keys::kFormat, number_text(kStoreFormatVersion, 4));
    batch.put(keys::kHashKey, view(key.data(), key.size()));
    return write_batch(use::Durability::kSynced);
  }
  const std::uint64_t found =
      format->value().size() == 4 ? keys::read_number(format->value(), 0, 4) : 0;
  if (found == kStoreFormatVersion) {
    auto key = store.get(keys::kHashKey);
    if (!key.ok()) return std::move(key).status();
    std::array<std::uint8_t, keys::IndexHash::kKeySize> bytes{};
    if (!key->has_value() || key->value().size() != bytes.size())
      return {Code::kCorrupt, "store: a damaged index key"};
    std::memcpy(bytes.data(), key->value().data(), bytes.size());
    hash = keys::IndexHash(bytes);
    return {};
  }
  const std::string fix =
      found > kStoreFormatVersion ? "run a newer rhizome on this data"
      : found == 0                ? "the store is damaged or not a Rhizome store"
                   : "older stores are not converted; move the data directory away, start the node "
                     "with an empty one, and let its peers or an export bring the deltas";
  return {Code::kUnsupported, "store format version " + std::to_string(found) +
                                  "; this program reads version " +
                                  std::to_string(kStoreFormatVersion) + ": " + fix};
}

Status Journal::State::load_nodes() {
  auto cursor = store.cursor("O", key_after("O"));
  if (!cursor.ok()) return std::move(cursor).status();
  while (const rz_store_entry* entry = cursor->next()) {
    NodeKey node{};
    if (entry->value.size != node.size()) return {Code::kCorrupt, "store: a damaged node value"};
    std::memcpy(node.data(), entry->value.data, node.size());
    nodes.push_back(node);
    node_index.emplace(node, static_cast<std::uint32_t>(nodes.size()));
  }
  return cursor->status();
}

Status Journal::State::load_positions() {
  auto cursor = store.cursor("p", key_after("p"));
  if (!cursor.ok()) return std::move(cursor).status();
  while (const rz_store_entry* entry = cursor->next()) {
    const ByteView key = view(entry->key);
    if (key.size() != 1 + 2 * keys::kIndexSize)
      return {Code::kCorrupt, "store: a damaged position key"};
    const auto node = static_cast<std::uint32_t>(keys::read_number(key, 1, keys::kIndexSize));
    if (node == 0 || node > nodes.size())
      return {Code::kCorrupt, "store: a position of an unknown node"};
    OriginPosition position;
    position.origin = nodes[node - 1];
    position.epoch = keys::read_number(key, 1 + keys::kIndexSize, keys::kIndexSize);
    RZ_TRY(values::decode_position(view(entry->value), position));
    position.synced = position.last;
    positions.emplace(EpochKey{node, position.epoch}, position);
    holes += position.holes;
  }
  return cursor->status();
}

// A new epoch when the store is new, and when machine or boot changed under the key: then the same
// key may run elsewhere too, or the disk may be an older copy. Nothing is numbered in a forked one.
Status Journal::State::load_epoch() {
  auto stored = store.get(keys::kEpoch);
  if (!stored.ok()) return std::move(stored).status();
  const std::string place = options.machine_id + "\n" + options.boot_id;
  if (stored->has_value() && stored->value().size() >= 4) {
    own_epoch = keys::read_number(stored->value(), 0, 4);
    const auto position = positions.find({find_node(options.self), own_epoch});
    const bool forked = position != positions.end() && position->second.forked;
    if (ByteView(stored->value()).substr(4) == place && !forked) return {};
  }
  return store_epoch(own_epoch + 1);
}

// Epochs are seconds of the wall clock where that is later: a store that was wiped cannot come back
// with an epoch that its first life used, unless the clock went back too.
std::uint64_t Journal::State::stage_epoch(std::uint64_t least) {
  const std::uint64_t seconds = options.wall_ms ? options.wall_ms() / 1000 : 0;
  const std::uint64_t epoch = std::min(std::max(least, seconds), kMaxEpoch);
  batch.put(keys::kEpoch, number_text(epoch, 4) + options.machine_id + "\n" + options.boot_id);
  return epoch;
}

Status Journal::State::store_epoch(std::uint64_t least) {
  batch.clear();
  const std::uint64_t epoch = stage_epoch(least);
  return write_batch(use::Durability::kSynced, [this, epoch] {
    const std::unique_lock lock(mutex);
    own_epoch = epoch;
  });
}

// The digest is stored every so often; what came behind it is folded in again.
Status Journal::State::load_digest() {
  auto stored = store.get(keys::kDigest);
  if (!stored.ok()) return std::move(stored).status();
  Seq from = 1;
  if (stored->has_value()) {
    const std::string& value = stored->value();
    if (value.size() < 14 || !digest->load(ByteView(value).substr(14)))
      return {Code::kCorrupt, "store: a damaged digest value"};
    digest_saved = keys::read_number(value, 0, 6);
    claims_bytes = keys::read_number(value, 6, 8);
    from = digest_saved + 1;
  }
  auto shared = store.get(keys::kShared);
  if (!shared.ok()) return std::move(shared).status();
  // Damaged or of another position: gathered anew when it is asked for.
  shared_saved = shared->has_value() && shared->value().size() > 6 &&
                 keys::read_number(shared->value(), 0, 6) == digest_saved &&
                 digest->load_shared(ByteView(shared->value()).substr(6));
  std::vector<StateDigest::Entry> tail;
  auto cursor = store.cursor(keys::record(from), key_after("R"));
  if (!cursor.ok()) return std::move(cursor).status();
  while (const rz_store_entry* entry = cursor->next()) {
    values::RecordValue record;
    DeltaId id;
    RZ_TRY(values::decode_record(view(entry->value), record));
    RZ_TRY(decode_stored_id(keys::read_number(view(entry->key), 1, keys::kSeqSize),
                            view(entry->value), id));
    tail.push_back({id, record.signature_state == RZ_SIGNATURE_UNSIGNED
                            ? StateDigest::Change::kLocal
                            : StateDigest::Change::kShared});
    claims_bytes += record.claims.size();
  }
  digest->add(tail);
  return cursor->status();
}

}  // namespace rhizome
