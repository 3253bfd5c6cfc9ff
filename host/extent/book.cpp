// The book's roster, receipts, and what this node holds itself.
#include "extent/book.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr ByteView kRosterNote = "extent/roster";
constexpr std::uint64_t kFollowNs = 60'000'000'000;
constexpr std::size_t kMaxEpochsOfOrigin = 64;  // the newest; what is older is closed long since

}  // namespace

ExtentBook::ExtentBook(ExtentOptions options, Journal& journal, const Clock& clock)
    : options_(std::move(options)), journal_(journal), clock_(clock) {
  for (const OriginPosition& position : journal_.origins())
    epochs_[position.origin].insert(position.epoch);
  roster_ = std::make_shared<const Roster>(own_roster());
  load_roster();
}

const PeerJudgement& ExtentBook::judge(const NodeKey& key) const {
  if (key == options_.self.key) return options_.self;
  for (const PeerJudgement& peer : options_.peers)
    if (peer.key == key) return peer;
  return options_.unknown;
}

double ExtentBook::domain_survival(std::string_view domain) const {
  const auto found = options_.domains.find(domain);
  return found == options_.domains.end() ? options_.domain_survival : found->second;
}

std::string ExtentBook::name_of(const NodeKey& key) const {
  const std::shared_ptr<const Roster> present = roster();
  if (const Voter* voter = present->find(key)) return voter->name;
  const PeerJudgement& judged = judge(key);
  return judged.key == key && !judged.name.empty() ? judged.name : to_hex(view(key.data(), 8));
}

// Version 0: this node and the peers of its config, as far as 64 go.
Roster ExtentBook::own_roster() const {
  Roster roster;
  roster.fabric = options_.fabric;
  roster.voters.push_back({options_.self.key, options_.self.name});
  for (const PeerJudgement& peer : options_.peers)
    if (roster.voters.size() < kMaxVoters) roster.voters.push_back({peer.key, peer.name});
  std::sort(roster.voters.begin(), roster.voters.end(),
            [](const Voter& a, const Voter& b) { return a.key < b.key; });
  return roster;
}

void ExtentBook::load_roster() {
  if (!options_.authority) return;
  const auto stored = journal_.note(kRosterNote);
  if (!stored.ok() || !stored->has_value()) return;
  Result<Roster> roster = decode_roster(**stored);
  // One by another authority was taken under another config: version 0 counts until ours comes.
  if (!roster.ok() || roster->authority != *options_.authority ||
      roster->fabric != options_.fabric || !is_signed_by_authority(*roster))
    return;
  roster_ = std::make_shared<const Roster>(std::move(*roster));
}

std::shared_ptr<const Roster> ExtentBook::roster() const {
  const std::lock_guard lock(mutex_);
  return roster_;
}

std::string ExtentBook::roster_bytes() const {
  const std::shared_ptr<const Roster> present = roster();
  return present->version == 0 ? std::string() : encode(*present);
}

Status ExtentBook::take_roster(ByteView bytes) {
  Result<Roster> roster = decode_roster(bytes);
  if (!roster.ok()) return roster.status();
  if (!options_.authority)
    return {Code::kDenied,
            "roster: this node's config names no authority; set roster.authority to the key that "
            "signed it"};
  if (roster->authority != *options_.authority)
    return {Code::kDenied, "roster: signed by another authority than the config's"};
  if (roster->fabric != options_.fabric) return {Code::kDenied, "roster: of another fabric"};
  if (!is_signed_by_authority(*roster))
    return {Code::kDenied, "roster: not signed by its authority"};
  const auto as_before = [&] {
    return Status(Code::kBusy, "roster: version " + std::to_string(roster->version) +
                                   " is not above the present version " +
                                   std::to_string(roster_->version));
  };
  {
    const std::lock_guard lock(mutex_);
    if (roster->version <= roster_->version) return as_before();
  }
  RZ_TRY(journal_.set_note(kRosterNote, bytes));
  {
    const std::lock_guard lock(mutex_);
    if (roster->version <= roster_->version) return as_before();
    roster_ = std::make_shared<const Roster>(std::move(*roster));
  }
  changed();
  return {};
}

Result<ExtentBook::TakenReceipt> ExtentBook::take(
    ByteView bytes, const std::function<bool(const NodeKey&)>& wanted) {
  Result<Receipt> receipt = decode_receipt(bytes);
  if (!receipt.ok()) return receipt.status();
  if (receipt->fabric != options_.fabric)
    return Status(Code::kInvalid, "receipt: of another fabric");
  const NodeKey holder = receipt->holder;
  const ReceiptNumber number = receipt->number;
  if (holder == options_.self.key)
    return TakenReceipt{Taken::kOld, holder, number};  // come back to us
  if (!wanted(holder)) return Status(Code::kDenied, "receipt: of a holder that nobody asked for");
  {
    // What is old is passed over before its signature costs anything.
    const std::lock_guard lock(mutex_);
    const ReceiptTable::Holder* before = table_.find(holder);
    if (before != nullptr && (receipt->number < before->number || before->bytes == bytes))
      return TakenReceipt{Taken::kOld, holder, number};
  }
  if (!is_signed_by_holder(*receipt))
    return Status(Code::kInvalid, "receipt: not signed by its holder");
  Taken taken = Taken::kOld;
  {
    const std::lock_guard lock(mutex_);
    taken = table_.take(std::move(*receipt), std::string(bytes), clock_.wall_ms(), *roster_);
  }
  if (taken == Taken::kNew || taken == Taken::kConflict) changed();
  return TakenReceipt{taken, holder, number};
}

Result<ReceiptNumber> ExtentBook::own_number(ByteView bytes) const {
  const Result<Receipt> receipt = decode_receipt(bytes);
  if (!receipt.ok()) return receipt.status();
  if (receipt->fabric != options_.fabric || receipt->holder != options_.self.key ||
      !is_signed_by_holder(*receipt))
    return Status(Code::kInvalid, "receipt: not signed by this node's key for this fabric");
  return receipt->number;
}

ReceiptNumber ExtentBook::known_of(const NodeKey& holder) const {
  const std::lock_guard lock(mutex_);
  const ReceiptTable::Holder* found = table_.find(holder);
  return found == nullptr ? ReceiptNumber{} : found->number;
}

std::string ExtentBook::receipt_of(const NodeKey& holder) const {
  const std::lock_guard lock(mutex_);
  const ReceiptTable::Holder* found = table_.find(holder);
  return found == nullptr ? std::string() : found->bytes;
}

std::vector<HolderStatus> ExtentBook::holders() const {
  const EpochKey own{options_.self.key, journal_.epoch()};
  const auto position = journal_.origin(own.first, own.second);
  const std::uint64_t last = position ? position->last : 0;
  const std::lock_guard lock(mutex_);
  std::vector<HolderStatus> holders;
  for (const auto& [key, holder] : table_.holders()) {
    const auto entry = holder.entries.find(own);
    const std::uint64_t holds = entry == holder.entries.end() ? 0 : entry->second.held.last;
    holders.push_back({key, holder.number, holder.synced, holder.conflict, holder.incarnations,
                       holder.taken_ms, last - std::min(last, holds)});
  }
  return holders;
}

// REQUIRES: mutex_ is held.
std::vector<HeldRange> ExtentBook::own_ranges(const OriginPosition& position) const {
  if (position.holes == 0)
    return position.synced == 0 ? std::vector<HeldRange>{}
                                : std::vector<HeldRange>{{1, position.synced}};
  // Their count would not do: one may be filled where another is made.
  KnownHoles& known = holes_[{position.origin, position.epoch}];
  if (const std::uint64_t now = journal_.stats().commits; now != known.commits) {
    known = {now, {}};
    for (const Hole& hole : journal_.holes({position.origin, position.epoch, 0},
                                           static_cast<std::size_t>(position.holes)))
      if (hole.label.origin == position.origin && hole.label.epoch == position.epoch)
        known.numbers.push_back(hole.label.n);
  }
  return ranges_without(position.synced, known.numbers);
}

Receipt ExtentBook::own_receipt(const std::vector<NodeKey>& origins) const {
  Receipt receipt;
  receipt.fabric = options_.fabric;
  receipt.synced = options_.durable;
  std::size_t ranges = 0;
  const std::lock_guard lock(mutex_);
  for (const NodeKey& origin : origins) {
    const auto known = epochs_.find(origin);
    if (known == epochs_.end()) continue;
    std::size_t epochs = 0;
    for (auto epoch = known->second.rbegin();
         epoch != known->second.rend() && epochs < kMaxEpochsOfOrigin; ++epoch, ++epochs) {
      if (receipt.held.size() >= kMaxReceiptEntries) break;
      const auto position = journal_.origin(origin, *epoch);
      if (!position || position->synced == 0) continue;
      HeldLabels held{origin, *epoch, position->synced, position->head, own_ranges(*position)};
      if (position->synced != position->last) {
        const auto head = journal_.head_at(origin, *epoch, position->synced);
        if (!head.ok() || !head->has_value()) continue;
        held.head = **head;
      }
      ranges += held.ranges.size();
      if (ranges > kMaxReceiptRanges) break;
      receipt.held.push_back(std::move(held));
    }
  }
  std::sort(receipt.held.begin(), receipt.held.end(), [](const auto& a, const auto& b) {
    return std::pair(a.origin, a.epoch) < std::pair(b.origin, b.epoch);
  });
  return receipt;
}

void ExtentBook::committed(std::span<const Statement> statements) {
  const std::uint64_t now = clock_.wall_ms();
  const std::lock_guard lock(mutex_);
  for (const Statement& statement : statements) {
    epochs_[statement.origin].insert(statement.epoch);
    if (statement.origin != options_.self.key) continue;
    if (own_writes_.size() == kOwnWrites) own_writes_.erase(own_writes_.begin());
    own_writes_.push_back(
        {{statement.origin, statement.epoch, statement.last()}, statement.ids.size(), now});
  }
}

std::vector<OwnWrite> ExtentBook::own_writes() const {
  const std::lock_guard lock(mutex_);
  return own_writes_;
}

// REQUIRES: mutex_ is held.
void ExtentBook::follow(const NodeKey& origin) {
  if (epochs_.size() <= kMaxFollowed) return;  // all are followed
  const std::uint64_t now = clock_.monotonic_ns();
  std::erase_if(followed_, [&](const auto& entry) { return entry.second < now; });
  if (followed_.size() < kMaxFollowed || followed_.contains(origin))
    followed_[origin] = now + kFollowNs;
}

std::vector<NodeKey> ExtentBook::followed() const {
  const std::uint64_t now = clock_.monotonic_ns();
  const std::lock_guard lock(mutex_);
  std::vector<NodeKey> origins;
  if (epochs_.size() <= kMaxFollowed) {
    for (const auto& [origin, epochs] : epochs_) origins.push_back(origin);
  } else {
    for (const auto& [origin, until] : followed_)
      if (until >= now) origins.push_back(origin);
  }
  return origins;
}

// Compares heads that receipts give with our own, which were checked when they came.
void ExtentBook::verify_heads(const EpochKey& key) {
  std::vector<std::pair<NodeKey, std::uint64_t>> unknown;
  {
    const std::lock_guard lock(mutex_);
    unknown = table_.unknown_heads(key);
  }
  if (unknown.empty()) return;
  const auto position = journal_.origin(key.first, key.second);
  for (const auto& [holder, n] : unknown) {
    if (!position || n > position->last) continue;  // it is ahead of us: once we are there
    const auto ours = n == position->last
                          ? Result<std::optional<Hash256>>(std::optional(position->head))
                          : journal_.head_at(key.first, key.second, n);
    if (!ours.ok() || !ours->has_value()) continue;
    const std::lock_guard lock(mutex_);
    const ReceiptTable::Holder* found = table_.find(holder);
    if (found == nullptr) continue;
    const auto entry = found->entries.find(key);
    if (entry == found->entries.end() || entry->second.held.last != n) continue;
    const bool same = entry->second.held.head == **ours;
    table_.set_head(holder, key, n, same ? HeadState::kVerified : HeadState::kFalse);
  }
}

ExtentSnapshot::Epoch ExtentBook::describe(const EpochKey& key, const Roster& roster) {
  // A receipt that comes between the check of heads and the look would count for nothing: once
  // more, a few times.
  std::unique_lock lock(mutex_, std::defer_lock);
  for (int look = 0;; ++look) {
    verify_heads(key);
    lock.lock();
    if (look == 3 || table_.unknown_heads(key).empty()) break;
    lock.unlock();
  }
  ExtentSnapshot::Epoch epoch;
  const auto position = journal_.origin(key.first, key.second);
  if (position) epoch.void_from = position->void_from;
  follow(key.first);
  const auto epochs = epochs_.find(key.first);
  epoch.closed =
      epochs != epochs_.end() && !epochs->second.empty() && *epochs->second.rbegin() > key.second;
  const NodeKey& self = options_.self.key;
  if (key.first == self && key.second < journal_.epoch()) epoch.closed = true;
  if (position && options_.durable)
    epoch.covers.push_back({self, roster.has(self), own_ranges(*position)});
  for (const auto& [node, holder] : table_.holders()) {
    const auto entry = holder.entries.find(key);
    if (entry == holder.entries.end()) continue;
    const std::vector<HeldRange>& ranges = entry->second.held.ranges;
    epoch.claimed.insert(epoch.claimed.end(), ranges.begin(), ranges.end());
    if (!holder.conflict && holder.synced && holder.scope.empty() &&
        entry->second.head == HeadState::kVerified)
      epoch.covers.push_back({node, roster.has(node), ranges});
  }
  return epoch;
}

void ExtentBook::on_change(std::function<void()> listener) {
  listeners_.push_back(std::move(listener));
}

void ExtentBook::changed() {
  for (const auto& listener : listeners_) listener();
}

}  // namespace rhizome
