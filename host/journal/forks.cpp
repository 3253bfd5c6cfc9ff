// Epochs in which their origin numbered twice: the evidence, what of them is void, and new labels
// for what is ours. Called by the fabric, on its strands for slow work.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kHeadSize = 2 * sizeof(Hash256) + sizeof(Signature) + 6 + 2;
constexpr std::size_t kEvidenceSize = 2 * kHeadSize + 6;

void append_head(const SignedHead& head, std::string& out) {
  out.append(view(head.previous_head.data(), head.previous_head.size()));
  out.append(view(head.head.data(), head.head.size()));
  out.append(view(head.signature.data(), head.signature.size()));
  keys::append_number(head.from, 6, out);
  keys::append_number(head.count, 2, out);
}

SignedHead read_head(const NodeKey& origin, std::uint64_t epoch, ByteView bytes) {
  SignedHead head;
  head.origin = origin;
  head.epoch = epoch;
  std::memcpy(head.previous_head.data(), bytes.data(), sizeof(Hash256));
  std::memcpy(head.head.data(), bytes.data() + sizeof(Hash256), sizeof(Hash256));
  std::memcpy(head.signature.data(), bytes.data() + 2 * sizeof(Hash256), sizeof(Signature));
  head.from = keys::read_number(bytes, kHeadSize - 8, 6);
  head.count = keys::read_number(bytes, kHeadSize - 2, 2);
  return head;
}

struct Contradiction {
  SignedHead ours;
  std::uint64_t void_from = 1;  // no number before it is known to be given twice
};

// From which number on two statements may differ: `other` begins within `ours`. 1 where the head
// before it differs already, for nobody can say since when.
std::uint64_t first_difference(const Statement& ours, const SignedHead& other,
                               std::span<const DeltaId> ids) {
  Hash256 head = ours.previous_head;
  std::uint64_t n = ours.from;
  for (; n < other.from; ++n) head = next_head(head, n, ours.ids[n - ours.from]);
  if (head != other.previous_head) return 1;
  for (const DeltaId& id : ids) {
    if (n > ours.last() || ours.ids[n - ours.from] != id) break;
    ++n;
  }
  return n;
}

// What is held of an epoch ends where a statement ends, and each number is in one of them. So a
// signed one that begins within what is held, and is not held, was signed beside it.
Result<std::optional<Contradiction>> contradiction(const Journal& journal, const SignedHead& other,
                                                   std::span<const DeltaId> ids) {
  const auto position = journal.origin(other.origin, other.epoch);
  if (!position || position->last == 0 || position->forked || other.from > position->last + 1)
    return std::optional<Contradiction>();
  const bool behind = other.from == position->last + 1;
  if (behind && other.previous_head == position->head) return std::optional<Contradiction>();
  const std::uint64_t at = std::min(other.from, position->last);
  std::vector<Numbers> covering;
  RZ_TRY(journal.numbers(other.origin, other.epoch, at, 1, covering));
  if (covering.empty()) return Status(Code::kCorrupt, "journal: a statement is missing");
  const Numbers& held = covering.front();
  Contradiction found;
  found.ours = {other.origin,       other.epoch, held.from,     held.count,
                held.previous_head, held.head,   held.signature};
  if (behind) return std::optional(found);
  if (held.from == other.from && held.count == other.count && held.head == other.head &&
      held.previous_head == other.previous_head)
    return std::optional<Contradiction>();
  std::vector<Statement> whole;
  RZ_TRY(journal.statements(other.origin, other.epoch, at, 1, whole));
  if (whole.empty()) return Status(Code::kCorrupt, "journal: a statement is missing");
  found.void_from = first_difference(whole.front(), other, ids);
  return std::optional(found);
}

std::string renumbered_cursor(std::uint64_t epoch) { return "renumbered/" + std::to_string(epoch); }

}  // namespace

Result<bool> Journal::mark_fork(const SignedHead& other, std::span<const DeltaId> ids) {
  const auto found = contradiction(*this, other, ids);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return false;
  const Contradiction& fork = **found;
  State& s = *state_;
  bool marked = false;
  Status written = s.exclusively([&]() -> Status {
    const std::uint32_t node = s.find_node(other.origin);
    const auto place = s.positions.find({node, other.epoch});
    if (place == s.positions.end() || place->second.forked) return {};
    OriginPosition position = place->second;
    position.forked = true;
    position.void_from = fork.void_from;
    std::string evidence;
    append_head(fork.ours, evidence);
    append_head(other, evidence);
    keys::append_number(fork.void_from, 6, evidence);
    s.batch.put(keys::position(node, other.epoch), values::encode_position(position));
    s.batch.put(keys::fork(node, other.epoch), evidence);
    const bool running = other.origin == s.options.self && other.epoch == s.own_epoch;
    const std::uint64_t epoch = running ? s.stage_epoch(s.own_epoch + 1) : s.own_epoch;
    RZ_TRY(s.write_batch(use::Durability::kSynced, [&s, place, position, epoch] {
      const std::unique_lock lock(s.mutex);
      place->second = position;
      s.own_epoch = epoch;
    }));
    marked = true;
    return {};
  });
  if (!written.ok()) return written;
  return marked;
}

Result<std::optional<std::pair<SignedHead, SignedHead>>> Journal::fork(const NodeKey& origin,
                                                                       std::uint64_t epoch) const {
  using Evidence = std::optional<std::pair<SignedHead, SignedHead>>;
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  if (node == 0) return Evidence();
  auto stored = state_->store.get(keys::fork(node, epoch));
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value()) return Evidence();
  const ByteView bytes = stored->value();
  if (bytes.size() != kEvidenceSize)
    return Status(Code::kCorrupt, "journal: a fork's evidence is damaged");
  return Evidence({read_head(origin, epoch, bytes),
                   read_head(origin, epoch, bytes.substr(kHeadSize, kHeadSize))});
}

// Where the evidence cannot be read all of the epoch is void.
Status Journal::State::load_forks() {
  for (auto& [key, position] : positions) {
    if (!position.forked) continue;
    auto stored = store.get(keys::fork(key.first, key.second));
    if (!stored.ok()) return std::move(stored).status();
    const bool whole = stored->has_value() && stored->value().size() == kEvidenceSize;
    position.void_from = whole ? keys::read_number(stored->value(), 2 * kHeadSize, 6) : 1;
  }
  return {};
}

Status Journal::begin_epoch(std::uint64_t beyond) {
  State& s = *state_;
  return s.exclusively([&]() -> Status {
    if (s.own_epoch > beyond) return {};
    if (beyond >= kMaxEpoch)
      return {Code::kLimit, "journal: no epoch is greater than " + std::to_string(beyond)};
    return s.store_epoch(beyond + 1);
  });
}

Result<bool> Journal::renumber(const SigningKey& self, std::size_t limit) {
  const NodeKey& origin = self.public_key();
  std::vector<OriginPosition> forked;
  {
    const std::shared_lock lock(state_->mutex);
    const std::uint32_t node = state_->find_node(origin);
    for (auto at = state_->positions.lower_bound({node, 0});
         at != state_->positions.end() && at->first.first == node; ++at)
      if (at->second.forked && at->first.second != state_->own_epoch) forked.push_back(at->second);
  }
  for (const OriginPosition& position : forked) {
    const std::string name = renumbered_cursor(position.epoch);
    const Result<Seq> done = cursor(name);
    if (!done.ok()) return done.status();
    std::uint64_t next = std::max(*done + 1, position.void_from);
    if (next > position.last) continue;
    std::vector<Numbers> found;
    RZ_TRY(numbers(origin, position.epoch, next, limit, found));
    Append again;
    again.as_of = last();
    again.number_as = &self;
    for (const Numbers& some : found) {
      next += some.seqs.size();
      for (const Seq seq : some.seqs) {
        if (seq == 0) continue;  // a hole: nothing of ours to number
        auto stored = state_->store.get(keys::record(seq));
        if (!stored.ok()) return std::move(stored).status();
        if (!stored->has_value()) return Status(Code::kCorrupt, "journal: a delta is missing");
        RZ_TRY(decode_stored_id(seq, stored->value(), again.number.emplace_back()));
      }
    }
    if (!again.number.empty())
      if (const Result<Appended> appended = append(again); !appended.ok()) return appended.status();
    RZ_TRY(set_cursor(name, found.empty() ? position.last : next - 1));
    return true;
  }
  return false;
}

}  // namespace rhizome
