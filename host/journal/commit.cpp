// Group commit: the first caller leads, encodes what all who came meanwhile brought, and writes it
// in one store batch. Nobody waits for a timer, and a lone append commits on its caller's thread.
#include <algorithm>
#include <unordered_set>

#include "journal/state.hpp"

namespace rhizome {

namespace {

// How many ids are remembered to settle races between look-up and append.
constexpr std::size_t kRecent = 1u << 16;
// The digest is folded and stored once in so many deltas: bounds what is folded again at open.
constexpr std::size_t kFoldEvery = 4096;
constexpr Seq kSaveEvery = 65536;

}  // namespace

// What the leader stages; nothing of it shows before the store has it.
struct Journal::State::Group {
  Seq next = 0;  // the next seq
  use::Durability durability = use::Durability::kBuffered;
  std::unordered_map<DeltaId, Seq> ids;  // added by this group
  std::vector<DeltaId> order;            // the same, by seq
  std::uint64_t claims_bytes = 0;
  std::map<EpochKey, OriginPosition> positions;
  std::vector<NodeKey> new_nodes;
  std::vector<Statement> statements;
  std::uint64_t holes = 0;
  std::string record;  // scratch
};

Result<Appended> Journal::append(const Append& append) {
  State& s = *state_;
  State::Waiter waiter{&append};
  std::unique_lock lock(s.queue_mutex);
  s.queue.push_back(&waiter);
  while (!waiter.done) {
    if (!s.leading) {
      s.lead(lock);
    } else {
      s.woken.wait(lock);
    }
  }
  return std::move(waiter.result);
}

void Journal::State::lead(std::unique_lock<std::mutex>& lock) {
  leading = true;
  std::vector<Waiter*> group;
  std::uint64_t bytes = 0;
  while (!queue.empty() && bytes < options.group_bytes) {
    Waiter* waiter = queue.front();
    queue.pop_front();
    for (const DeltaView delta : waiter->append->deltas) bytes += delta.claims().size() + 256;
    group.push_back(waiter);
  }
  lock.unlock();
  commit(group);
  lock.lock();
  for (Waiter* waiter : group) waiter->done = true;
  leading = false;
  woken.notify_all();
}

void Journal::State::commit(const std::vector<Waiter*>& waiters) {
  Group group;
  group.next = last + 1;
  batch.clear();
  bool failed = false;
  for (Waiter* waiter : waiters) {
    Appended appended;
    const Status added = add(*waiter->append, group, appended);
    waiter->result = added.ok() ? Result<Appended>(std::move(appended)) : Result<Appended>(added);
    failed = failed || !added.ok();
    if (waiter->append->durability == use::Durability::kSynced)
      group.durability = use::Durability::kSynced;
  }
  if (failed) {
    // Half of the failed append may be in the batch: nothing of it is written, and the others go on
    // without it, one by one.
    batch.clear();
    if (waiters.size() > 1)
      for (Waiter* waiter : waiters) commit({waiter});
    return;
  }
  if (batch.size() == 0) return;
  for (const auto& [key, position] : group.positions)
    batch.put(keys::position(key.first, key.second), values::encode_position(position));
  if (group.next - 1 >= digest_saved + kSaveEvery) save_digest();
  const Status written = store.write(batch, group.durability);
  if (!written.ok()) {
    for (Waiter* waiter : waiters)
      if (waiter->result.ok()) waiter->result = Status(written);
    return;
  }
  ++commits;
  grouped += waiters.size();
  entries += batch.size();
  const Seq first = last + 1;
  apply(group);
  for (const OnCommit& listener : listeners) listener(first, last, group.statements);
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

OriginPosition& Journal::State::position_of(std::uint32_t node, const NodeKey& key,
                                            std::uint64_t epoch, Group& group) {
  const EpochKey place{node, epoch};
  const auto staged = group.positions.find(place);
  if (staged != group.positions.end()) return staged->second;
  OriginPosition position;
  position.origin = key;
  position.epoch = epoch;
  if (const auto current = positions.find(place); current != positions.end())
    position = current->second;
  return group.positions.emplace(place, position).first->second;
}

Status Journal::State::seq_of(const DeltaId& id, const Group& group, Seq& seq) const {
  if (const auto fresh = group.ids.find(id); fresh != group.ids.end()) {
    seq = fresh->second;
    return {};
  }
  auto stored = store.get(keys::id(id.raw()));
  if (!stored.ok()) return std::move(stored).status();
  seq = stored->has_value() && stored->value().size() == 7
            ? keys::read_number(stored->value(), 0, keys::kSeqSize)
            : 0;
  return {};
}

Status Journal::State::add(const Append& append, Group& group, Appended& appended) {
  if (append.deltas.size() + append.number.size() > keys::kMaxSeq - group.next)
    return {Code::kLimit, "journal: all 2^48 positions are used"};
  RZ_TRY(add_deltas(append, group, appended));
  for (const DeltaView delta : append.upgrades) RZ_TRY(add_upgrade(delta, group));
  RZ_TRY(add_numbers(append, group, appended));
  for (const Statement& statement : append.statements)
    RZ_TRY(add_statement(append, statement, group));
  return {};
}

Status Journal::State::add_deltas(const Append& append, Group& group, Appended& appended) {
  // Who numbers these deltas: it goes into their records. Numbers that this append makes come
  // first.
  std::unordered_map<DeltaId, values::LabelRef> labels;
  if (append.number_as != nullptr && !append.number.empty()) {
    const NodeKey& key = append.number_as->public_key();
    const std::uint32_t node = index_of(key, group);
    std::uint64_t n = position_of(node, key, own_epoch, group).last;
    for (const DeltaId& id : append.number)
      labels.try_emplace(id, values::LabelRef{node, own_epoch, ++n});
  }
  for (const Statement& statement : append.statements) {
    const std::uint32_t node = index_of(statement.origin, group);
    std::uint64_t n = statement.from;
    for (const DeltaId& id : statement.ids)
      labels.try_emplace(id, values::LabelRef{node, statement.epoch, n++});
  }
  const std::uint32_t source = append.source ? index_of(*append.source, group) : 0;
  const bool look_in_store = append.as_of < recent_floor;
  appended.seqs.reserve(append.deltas.size());
  appended.fresh.reserve(append.deltas.size());
  for (const DeltaView delta : append.deltas) {
    const DeltaId id = DeltaId::from_raw(delta.id());
    Seq held = 0;
    if (look_in_store) {
      RZ_TRY(seq_of(id, group, held));
    } else if (const auto staged = group.ids.find(id); staged != group.ids.end()) {
      held = staged->second;
    } else if (append.as_of != last) {
      const auto raced = recent.find(id);
      if (raced != recent.end()) held = raced->second;
    }
    appended.fresh.push_back(held == 0);
    appended.seqs.push_back(held != 0 ? held : group.next);
    if (held != 0) continue;
    const auto label = labels.find(id);
    write_delta(delta, group.next, label != labels.end() ? label->second : values::LabelRef{},
                source, group);
    group.ids.emplace(id, group.next);
    group.order.push_back(id);
    group.claims_bytes += delta.claims().size();
    ++group.next;
  }
  return {};
}

void Journal::State::write_delta(DeltaView delta, Seq seq, const values::LabelRef& label,
                                 std::uint32_t source, Group& group) {
  values::RecordValue value;
  value.signature_state = static_cast<std::uint8_t>(delta.signature_state());
  value.received_ms = options.wall_ms ? options.wall_ms() : 0;
  value.source = source;
  value.label = label;
  static constexpr Signature kNone{};
  if (delta.signature() != view(kNone.data(), kNone.size())) value.signature = delta.signature();
  value.claims = delta.claims();
  values::encode_record(value, group.record);
  batch.put(keys::record(seq), group.record);
  char held[7];
  for (int i = 0; i < 6; ++i) held[i] = static_cast<char>(seq >> (8 * (5 - i)));
  held[6] = static_cast<char>(value.signature_state);
  batch.put(keys::id(delta.id()), ByteView(held, sizeof held));
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    switch (p.kind()) {
      case RZ_TARGET_ENTITY:
        batch.put(keys::entity(p.target(), p.context()).number(seq, keys::kSeqSize), {});
        break;
      case RZ_TARGET_DELTA:
        if (p.role() == "negates")
          batch.put(keys::negation(p.target()).number(seq, keys::kSeqSize), {});
        else if (p.role() == "rhizomatic.txn.member")
          batch.put(keys::member(p.target()).number(seq, keys::kSeqSize), {});
        break;
      case RZ_TARGET_STRING:
        batch.put(keys::value(p.role(), 's', p.target()).number(seq, keys::kSeqSize), {});
        break;
      case RZ_TARGET_NUMBER:
      case RZ_TARGET_BOOLEAN: {
        const double number = p.number();
        const char kind = p.kind() == RZ_TARGET_NUMBER ? 'n' : 'b';
        const ByteView bytes(reinterpret_cast<const char*>(&number), sizeof number);
        batch.put(keys::value(p.role(), kind, bytes).number(seq, keys::kSeqSize), {});
        break;
      }
      default:
        break;
    }
  }
}

Status Journal::State::add_upgrade(DeltaView delta, Group& group) {
  Seq seq = 0;
  RZ_TRY(seq_of(DeltaId::from_raw(delta.id()), group, seq));
  if (seq == 0) return {Code::kInvalid, "journal: an upgrade of a delta that is not held"};
  if (seq > last) return {};  // in this very group, by another thread: the next copy upgrades it
  auto stored = store.get(keys::record(seq));
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value()) return {Code::kCorrupt, "store: an id without its record"};
  values::RecordValue value;
  RZ_TRY(values::decode_record(stored->value(), value));
  value.signature_state = static_cast<std::uint8_t>(delta.signature_state());
  static constexpr Signature kNone{};
  if (delta.signature() != view(kNone.data(), kNone.size())) value.signature = delta.signature();
  values::encode_record(value, group.record);
  batch.put(keys::record(seq), group.record);
  std::string held;
  for (int i = 5; i >= 0; --i) held.push_back(static_cast<char>(seq >> (8 * i)));
  held.push_back(static_cast<char>(value.signature_state));
  batch.put(keys::id(delta.id()), held);
  return {};
}

Status Journal::State::add_numbers(const Append& append, Group& group, Appended& appended) {
  if (append.number_as == nullptr || append.number.empty()) return {};
  const NodeKey& key = append.number_as->public_key();
  const std::uint32_t node = index_of(key, group);
  for (std::size_t begin = 0; begin < append.number.size(); begin += kStatementMaxIds) {
    const std::size_t count = std::min(kStatementMaxIds, append.number.size() - begin);
    const OriginPosition position = position_of(node, key, own_epoch, group);
    const auto first = append.number.begin() + static_cast<std::ptrdiff_t>(begin);
    Statement statement =
        make_statement(*append.number_as, own_epoch, position.last + 1, position.head,
                       {first, first + static_cast<std::ptrdiff_t>(count)});
    RZ_TRY(add_statement(append, statement, group));
    appended.numbered.push_back(std::move(statement));
  }
  return {};
}

Status Journal::State::add_statement(const Append& append, const Statement& statement,
                                     Group& group) {
  const std::uint32_t node = index_of(statement.origin, group);
  OriginPosition& position = position_of(node, statement.origin, statement.epoch, group);
  // Somebody else brought it first, or it does not follow: the fabric looks again.
  if (position.forked || statement.from != position.last + 1 ||
      statement.previous_head != position.head)
    return {};
  values::StatementValue value;
  value.from = statement.from;
  value.previous_head = statement.previous_head;
  value.head = statement.head;
  value.signature = statement.signature;
  std::uint64_t n = statement.from;
  for (const DeltaId& id : statement.ids) {
    Seq seq = 0;
    RZ_TRY(seq_of(id, group, seq));
    values::add_to_runs(seq, value.runs);
    if (seq == 0) {
      const auto hole = std::find_if(append.holes.begin(), append.holes.end(),
                                     [&](const Hole& h) { return h.label.n == n && h.id == id; });
      Hole made{{statement.origin, statement.epoch, n},
                id,
                hole != append.holes.end() ? hole->reason : "withheld"};
      batch.put(keys::hole(node, statement.epoch, n), values::encode_hole(made));
      ++group.holes;
    } else if (seq <= last) {
      // Held before: its record names another origin or none, so this label stands beside it.
      std::string number;
      for (int i = 5; i >= 0; --i) number.push_back(static_cast<char>(n >> (8 * i)));
      batch.put(keys::more_labels(seq)
                    .number(node, keys::kIndexSize)
                    .number(statement.epoch, keys::kIndexSize),
                number);
    }
    ++n;
  }
  batch.put(keys::statement(node, statement.epoch, statement.last()),
            values::encode_statement(value));
  position.last = statement.last();
  position.head = statement.head;
  group.statements.push_back(statement);
  return {};
}

void Journal::State::save_digest() {
  const std::lock_guard lock(digest_mutex);
  fold_locked();
  // What this very group adds is not in it yet: it stands at the seq before.
  std::string value;
  for (int i = 5; i >= 0; --i) value.push_back(static_cast<char>(last >> (8 * i)));
  for (int i = 7; i >= 0; --i) value.push_back(static_cast<char>(claims_bytes >> (8 * i)));
  value.append(digest.raw());
  batch.put(keys::kDigest, value);
  digest_saved = last;
}

void Journal::State::apply(Group& group) {
  {
    const std::unique_lock lock(mutex);
    for (const NodeKey& node : group.new_nodes) {
      nodes.push_back(node);
      node_index.emplace(node, static_cast<std::uint32_t>(nodes.size()));
    }
    for (const auto& [key, position] : group.positions) positions[key] = position;
  }
  holes += group.holes;
  for (const auto& [id, seq] : group.ids) recent.emplace(id, seq);
  for (const DeltaId& id : group.order) recent_order.push_back(id);
  while (recent_order.size() > kRecent) {
    const auto oldest = recent.find(recent_order.front());
    recent_floor = std::max(recent_floor, oldest->second);
    recent.erase(oldest);
    recent_order.pop_front();
  }
  {
    const std::lock_guard lock(digest_mutex);
    unfolded.insert(unfolded.end(), group.order.begin(), group.order.end());
    claims_bytes += group.claims_bytes;
    if (unfolded.size() >= kFoldEvery) fold_locked();
  }
  last = group.next - 1;
}

void Journal::State::fold_locked() const {
  for (const DeltaId& id : unfolded) digest.add(id.raw());
  unfolded.clear();
}

void Journal::on_commit(OnCommit listener) {
  std::unique_lock lock(state_->queue_mutex);
  state_->woken.wait(lock, [&] { return !state_->leading; });
  state_->listeners.push_back(std::move(listener));
}

}  // namespace rhizome
