// Statements out of the store, word for word; heads; forks; new epochs.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

Status Journal::State::rebuild(std::uint32_t node, const NodeKey& origin, std::uint64_t epoch,
                               Seq last_number, const values::StatementValue& value,
                               Statement& out) const {
  out.origin = origin;
  out.epoch = epoch;
  out.from = value.from;
  out.previous_head = value.previous_head;
  out.head = value.head;
  out.signature = value.signature;
  out.ids.clear();
  for (const values::Run& run : value.runs) {
    if (run.first == 0) {
      for (std::uint64_t i = 0; i < run.count; ++i) {
        auto stored = store.get(keys::hole(node, epoch, value.from + out.ids.size()));
        if (!stored.ok()) return std::move(stored).status();
        Hole hole;
        if (!stored->has_value()) return {Code::kCorrupt, "journal: a hole is missing"};
        RZ_TRY(values::decode_hole(stored->value(), hole));
        out.ids.push_back(hole.id);
      }
      continue;
    }
    auto cursor = store.cursor(keys::record(run.first), keys::record(run.first + run.count));
    if (!cursor.ok()) return std::move(cursor).status();
    std::uint64_t found = 0;
    for (; const rz_store_entry* entry = cursor->next(); ++found) {
      DeltaId id;
      RZ_TRY(decode_stored_id(run.first + found, view(entry->value), id));
      out.ids.push_back(id);
    }
    RZ_TRY(Status(cursor->status()));
    if (found != run.count)
      return {Code::kCorrupt, "journal: deltas of a statement are missing from seq " +
                                  std::to_string(run.first) + " on"};
  }
  if (out.last() != last_number)
    return {Code::kCorrupt, "journal: a statement's value does not fit its key"};
  return {};
}

Status Journal::statements(const NodeKey& origin, std::uint64_t epoch, std::uint64_t from,
                           std::size_t max_ids, std::vector<Statement>& out) const {
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  if (node == 0) return {};
  // Keyed by their last number: the first one at or behind `from` covers it.
  auto cursor = state_->store.cursor(keys::statement(node, epoch, from),
                                     keys::statement(node, epoch, keys::kMaxSeq));
  if (!cursor.ok()) return std::move(cursor).status();
  std::size_t ids = 0;
  while (ids < max_ids) {
    const rz_store_entry* entry = cursor->next();
    if (entry == nullptr) break;
    const ByteView key = view(entry->key);
    values::StatementValue value;
    RZ_TRY(values::decode_statement(view(entry->value), value));
    Statement statement;
    RZ_TRY(state_->rebuild(node, origin, epoch, keys::read_number(key, 9, keys::kSeqSize), value,
                           statement));
    ids += statement.ids.size();
    out.push_back(std::move(statement));
  }
  return cursor->status();
}

Result<std::optional<Hash256>> Journal::head_at(const NodeKey& origin, std::uint64_t epoch,
                                                std::uint64_t n) const {
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  if (node == 0) return std::optional<Hash256>();
  auto cursor = state_->store.cursor(keys::statement(node, epoch, n),
                                     keys::statement(node, epoch, keys::kMaxSeq));
  if (!cursor.ok()) return std::move(cursor).status();
  const rz_store_entry* entry = cursor->next();
  if (entry == nullptr) {
    RZ_TRY(Status(cursor->status()));
    return std::optional<Hash256>();
  }
  values::StatementValue value;
  RZ_TRY(values::decode_statement(view(entry->value), value));
  const std::uint64_t last = keys::read_number(view(entry->key), 9, keys::kSeqSize);
  if (n == last) return std::optional(value.head);
  if (n < value.from) return std::optional<Hash256>();
  // Within a statement: chained anew from the head before it.
  Statement statement;
  RZ_TRY(state_->rebuild(node, origin, epoch, last, value, statement));
  Hash256 head = statement.previous_head;
  for (std::uint64_t at = statement.from; at <= n; ++at)
    head = next_head(head, at, statement.ids[at - statement.from]);
  return std::optional(head);
}

namespace {

// The evidence: two heads that the origin signed, each over what it claims of the same numbers.
std::string fork_evidence(const Statement& a, const Statement& b) {
  std::string evidence;
  for (const Statement* statement : {&a, &b}) {
    evidence.append(view(statement->previous_head.data(), statement->previous_head.size()));
    evidence.append(view(statement->head.data(), statement->head.size()));
    evidence.append(view(statement->signature.data(), statement->signature.size()));
    keys::append_number(statement->from, 6, evidence);
    keys::append_number(statement->ids.size(), 2, evidence);
    for (const DeltaId& id : statement->ids) evidence.append(id.raw());
  }
  return evidence;
}

// One of the two statements of the evidence; moves `evidence` on. False where it is damaged.
bool read_evidence(ByteView& evidence, Statement& out) {
  constexpr std::size_t kFixed = sizeof(Hash256) * 2 + sizeof(Signature) + 6 + 2;
  if (evidence.size() < kFixed) return false;
  std::memcpy(out.previous_head.data(), evidence.data(), sizeof(Hash256));
  std::memcpy(out.head.data(), evidence.data() + sizeof(Hash256), sizeof(Hash256));
  out.from = keys::read_number(evidence, kFixed - 8, 6);
  const std::uint64_t count = keys::read_number(evidence, kFixed - 2, 2);
  evidence.remove_prefix(kFixed);
  if (evidence.size() < count * RZ_DELTA_ID_SIZE) return false;
  for (std::uint64_t i = 0; i < count; ++i, evidence.remove_prefix(RZ_DELTA_ID_SIZE))
    out.ids.push_back(DeltaId::from_raw(evidence.substr(0, RZ_DELTA_ID_SIZE)));
  return true;
}

// The first number at which their heads are known to differ.
std::uint64_t first_difference(const Statement& earlier, const Statement& later) {
  if (earlier.from > later.from) return first_difference(later, earlier);
  // What both say of the number before the later one begins.
  Hash256 head = earlier.previous_head;
  std::uint64_t n = earlier.from;
  while (n < later.from && n - earlier.from < earlier.ids.size()) {
    head = next_head(head, n, earlier.ids[n - earlier.from]);
    ++n;
  }
  if (n < later.from || head != later.previous_head) return std::max<std::uint64_t>(n, 2) - 1;
  while (n <= earlier.last() && n <= later.last() &&
         earlier.ids[n - earlier.from] == later.ids[n - later.from])
    ++n;
  return n;
}

}  // namespace

Result<std::optional<std::uint64_t>> Journal::forked_at(const NodeKey& origin,
                                                        std::uint64_t epoch) const {
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  auto stored = state_->store.get(keys::fork(node, epoch));
  if (!stored.ok()) return std::move(stored).status();
  if (node == 0 || !stored->has_value()) return std::optional<std::uint64_t>();
  Statement a, b;
  ByteView rest = stored->value();
  if (!read_evidence(rest, a) || !read_evidence(rest, b))
    return Status(Code::kCorrupt, "journal: a fork's evidence is damaged");
  return std::optional(first_difference(a, b));
}

Status Journal::mark_fork(const Statement& a, const Statement& b) {
  State& s = *state_;
  return s.exclusively([&]() -> Status {
    const std::uint32_t node = s.find_node(a.origin);
    const auto found = s.positions.find({node, a.epoch});
    if (found == s.positions.end())
      return {Code::kNotFound, "journal: a fork of an origin that it does not hold"};
    OriginPosition position = found->second;
    position.forked = true;
    s.batch.put(keys::position(node, a.epoch), values::encode_position(position));
    s.batch.put(keys::fork(node, a.epoch), fork_evidence(a, b));
    RZ_TRY(s.write_batch(use::Durability::kSynced));
    const std::unique_lock lock(s.mutex);
    found->second = position;
    return {};
  });
}

Status Journal::begin_epoch() {
  State& s = *state_;
  return s.exclusively([&] { return s.store_epoch(s.own_epoch + 1); });
}

}  // namespace rhizome
