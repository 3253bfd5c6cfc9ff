// One append into the leader's group: what of it is new, which numbers it gets, whose statements
// follow, and the entries that say so. Only the commit leader runs this.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

// A delta's state only ever gets better.
int rank(std::uint32_t state) {
  return state == RZ_SIGNATURE_VERIFIED ? 2 : state == RZ_SIGNATURE_VOUCHED ? 1 : 0;
}

}  // namespace

Status Journal::State::stage(const Append& append, Prepared& prepared, Group& group,
                             Appended& appended) {
  if (append.deltas.size() + append.number.size() > keys::kMaxSeq - group.next)
    return {Code::kLimit, "journal: all 2^48 positions are used"};
  std::vector<Fresh*> fresh;
  RZ_TRY(settle(append, group, appended, fresh));
  for (const DeltaView delta : append.upgrades) RZ_TRY(stage_upgrade(delta, group));
  RZ_TRY(stage_numbers(append, group, appended));
  for (const Statement& statement : append.statements)
    RZ_TRY(stage_statement(append, statement, group));

  values::RecordValue header;
  header.received_ms = options.wall_ms ? options.wall_ms() : 0;
  header.source = append.source ? index_of(*append.source, group) : 0;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (fresh[i] == nullptr) continue;
    header.label = fresh[i]->label;
    prepared.finish(i, fresh[i]->seq, header, group.ops);
    fresh[i]->staged = true;
  }
  return {};
}

// Which deltas nobody brought since the caller looked; they get their seqs.
Status Journal::State::settle(const Append& append, Group& group, Appended& appended,
                              std::vector<Fresh*>& fresh) {
  const bool look_in_store = append.as_of < recent_floor;
  const bool look_in_recent = append.as_of != last;
  const std::size_t count = append.deltas.size();
  appended.seqs.reserve(count);
  appended.fresh.reserve(count);
  fresh.reserve(count);
  group.ids.reserve(group.ids.size() + count);
  for (const DeltaView delta : append.deltas) {
    const DeltaId id = DeltaId::from_raw(delta.id());
    Seq held = 0;
    if (look_in_store) {
      const Result<Seq> stored = held_at(id);
      if (!stored.ok()) return stored.status();
      held = *stored;
    } else if (look_in_recent) {
      const auto raced = recent.find(id);
      if (raced != recent.end()) held = raced->second.seq;
    }
    Fresh* added = nullptr;
    if (held == 0) {
      const auto [place, is_new] = group.ids.try_emplace(id, Fresh{group.next, {}, false});
      if (is_new) {
        added = &place->second;
        group.order.push_back(id);
        group.sums.push_back({id, delta.signature_state() == RZ_SIGNATURE_UNSIGNED
                                      ? StateDigest::Change::kLocal
                                      : StateDigest::Change::kShared});
        group.claims_bytes += delta.claims().size();
        ++group.next;
        RZ_TRY(fill_holes(id, *added, group));
      }
      held = place->second.seq;
    }
    fresh.push_back(added);
    appended.fresh.push_back(added != nullptr);
    appended.seqs.push_back(held);
  }
  return {};
}

Status Journal::State::stage_upgrade(DeltaView delta, Group& group) {
  const DeltaId id = DeltaId::from_raw(delta.id());
  if (group.ids.contains(id)) return {};  // another thread's, in this very group: it is as good
  const Result<Seq> seq = held_at(id);
  if (!seq.ok()) return seq.status();
  if (*seq == 0) return {Code::kInvalid, "journal: an upgrade of a delta that is not held"};
  auto stored = store.get(keys::record(*seq));
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value())
    return {Code::kCorrupt,
            "journal: an id names seq " + std::to_string(*seq) + ", which is empty"};
  values::RecordValue value;
  RZ_TRY(values::decode_record(stored->value(), value));
  // Somebody may have upgraded it since the caller looked, perhaps in this group.
  const auto staged = group.upgraded.find(*seq);
  const std::uint32_t now = staged != group.upgraded.end() ? staged->second : value.signature_state;
  if (rank(delta.signature_state()) <= rank(now)) return {};
  if (now == RZ_SIGNATURE_UNSIGNED) {
    group.sums.push_back({id, StateDigest::Change::kFreed});
    // What is stored of the shareable set counts new deltas only: a start gathers it anew.
    if (shared_saved) batch.remove(keys::kShared);
    shared_saved = false;
  }
  group.upgraded[*seq] = delta.signature_state();
  value.signature_state = static_cast<std::uint8_t>(delta.signature_state());
  static constexpr Signature kNone{};
  if (delta.signature() != view(kNone.data(), kNone.size())) value.signature = delta.signature();
  values::encode_record(value, group.scratch);
  batch.put(keys::record(*seq), group.scratch);
  std::string held;
  keys::append_number(*seq, keys::kSeqSize, held);
  held.push_back(static_cast<char>(value.signature_state));
  batch.put(keys::id(delta.id()), held);
  return {};
}

bool Journal::State::is_void(const values::LabelRef& label) const {
  const auto found = positions.find({label.node, label.epoch});
  return found != positions.end() && found->second.forked && label.n >= found->second.void_from;
}

// Has it no number of ours yet that counts? Then `next` is noted as its label. Look-ups of callers
// may be old: only here, one append at a time, is it settled.
Result<bool> Journal::State::needs_number(const DeltaId& id, const values::LabelRef& next,
                                          Group& group) const {
  if (const auto fresh = group.ids.find(id); fresh != group.ids.end()) {
    Fresh& delta = fresh->second;
    if (delta.label.node == next.node && !is_void(delta.label)) return false;
    if (delta.label.n == 0 && !delta.staged) {
      delta.label = next;
      return true;
    }
    return group.numbered.insert(id).second;
  }
  if (!group.numbered.insert(id).second) return false;
  const Result<Seq> seq = held_at(id);
  if (!seq.ok()) return seq.status();
  if (*seq == 0) return Status(Code::kInvalid, "journal: a number for a delta that is not held");
  auto stored = store.get(keys::record(*seq));
  if (!stored.ok()) return std::move(stored).status();
  values::RecordValue value;
  if (stored->has_value()) RZ_TRY(values::decode_record(stored->value(), value));
  if (value.label.n != 0 && value.label.node == next.node && !is_void(value.label)) return false;
  const keys::Key own = keys::more_labels(*seq).number(next.node, keys::kIndexSize);
  auto more = store.cursor(own, key_after(own));
  if (!more.ok()) return std::move(more).status();
  while (const rz_store_entry* entry = more->next()) {
    const std::uint64_t epoch = keys::read_number(view(entry->key), 11, keys::kIndexSize);
    const std::uint64_t n = keys::read_number(view(entry->value), 0, keys::kSeqSize);
    if (!is_void({next.node, epoch, n})) return false;
  }
  RZ_TRY(Status(more->status()));
  return true;
}

Status Journal::State::stage_numbers(const Append& append, Group& group, Appended& appended) {
  if (append.number_as == nullptr || append.number.empty()) return {};
  const NodeKey& key = append.number_as->public_key();
  const OriginPosition present = position_of(key, own_epoch, group);
  // Only where no epoch is left: they go to peers by their ids alone.
  if (present.forked) return {};
  values::LabelRef next{index_of(key, group), own_epoch, present.last + 1};
  std::vector<DeltaId> ids;
  ids.reserve(append.number.size());
  for (const DeltaId& id : append.number) {
    const Result<bool> needed = needs_number(id, next, group);
    if (!needed.ok()) return needed.status();
    if (!*needed) continue;
    ids.push_back(id);
    ++next.n;
  }
  for (std::size_t begin = 0; begin < ids.size(); begin += kStatementMaxIds) {
    const std::size_t count = std::min(kStatementMaxIds, ids.size() - begin);
    const OriginPosition position = position_of(key, own_epoch, group);
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
    Statement statement =
        make_statement(*append.number_as, own_epoch, position.last + 1, position.head,
                       {first, first + static_cast<std::ptrdiff_t>(count)});
    RZ_TRY(stage_statement(append, statement, group));
    appended.numbered.push_back(std::move(statement));
  }
  return {};
}

Status Journal::State::stage_statement(const Append& append, const Statement& statement,
                                       Group& group) {
  // Keys have no room for more; check_statement refuses it before it comes here.
  if (statement.epoch > kMaxEpoch || statement.last() > keys::kMaxSeq) return {};
  const OriginPosition before = position_of(statement.origin, statement.epoch, group);
  // Somebody else brought it first, or it does not follow: the fabric looks again.
  if (before.forked || statement.from != before.last + 1 || statement.previous_head != before.head)
    return {};
  const std::uint32_t node = index_of(statement.origin, group);
  OriginPosition& position =
      group.positions.try_emplace({node, statement.epoch}, before).first->second;
  values::StatementValue value;
  value.from = statement.from;
  value.previous_head = statement.previous_head;
  value.head = statement.head;
  value.signature = statement.signature;
  values::LabelRef label{node, statement.epoch, statement.from};
  for (const DeltaId& id : statement.ids) {
    RZ_TRY(stage_label(id, label, append, value, position, group));
    ++label.n;
  }
  batch.put(keys::statement(node, statement.epoch, statement.last()),
            values::encode_statement(value));
  position.last = statement.last();
  position.head = statement.head;
  group.statements.push_back(statement);
  return {};
}

// Where a label is kept: in the record of a new delta, beside it where the record names another or
// is written already, or as a hole.
Status Journal::State::stage_label(const DeltaId& id, const values::LabelRef& label,
                                   const Append& append, values::StatementValue& value,
                                   OriginPosition& position, Group& group) {
  Seq seq = 0;
  bool beside = true;
  if (const auto found = group.ids.find(id); found != group.ids.end()) {
    Fresh& fresh = found->second;
    seq = fresh.seq;
    if (fresh.label.n == 0 && !fresh.staged) fresh.label = label;
    beside = fresh.label != label;
  } else {
    const Result<Seq> held = held_at(id);
    if (!held.ok()) return held.status();
    seq = *held;
  }
  values::add_to_runs(seq, value.runs);
  if (seq == 0) {
    const auto hole = std::find_if(append.holes.begin(), append.holes.end(), [&](const Hole& h) {
      return h.label.n == label.n && h.id == id;
    });
    const Hole made{{position.origin, label.epoch, label.n},
                    id,
                    hole != append.holes.end() ? hole->reason : "withheld"};
    RZ_TRY(stage_hole(made, label, position, group));
  } else if (beside) {
    std::string number;
    keys::append_number(label.n, keys::kSeqSize, number);
    batch.put(keys::more_labels(seq, label.node, label.epoch), number);
  }
  return {};
}

std::uint32_t Journal::State::index_of(const NodeKey& node, Group& group) {
  if (const std::uint32_t known = find_node(node); known != 0) return known;
  const auto found = std::find(group.new_nodes.begin(), group.new_nodes.end(), node);
  const auto place = static_cast<std::uint32_t>(found - group.new_nodes.begin());
  const auto index = static_cast<std::uint32_t>(nodes.size()) + place + 1;
  if (found == group.new_nodes.end()) {
    group.new_nodes.push_back(node);
    batch.put(keys::node(index), view(node.data(), node.size()));
  }
  return index;
}

OriginPosition Journal::State::position_of(const NodeKey& origin, std::uint64_t epoch,
                                           const Group& group) const {
  OriginPosition none;
  none.origin = origin;
  none.epoch = epoch;
  std::uint32_t node = find_node(origin);
  if (node == 0) {
    const auto found = std::find(group.new_nodes.begin(), group.new_nodes.end(), origin);
    if (found == group.new_nodes.end()) return none;
    node = static_cast<std::uint32_t>(nodes.size() + 1) +
           static_cast<std::uint32_t>(found - group.new_nodes.begin());
  }
  if (const auto staged = group.positions.find({node, epoch}); staged != group.positions.end())
    return staged->second;
  const auto current = positions.find({node, epoch});
  return current != positions.end() ? current->second : none;
}

}  // namespace rhizome
