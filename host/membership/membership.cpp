// Letting nodes in and remembering them.
#include "membership/membership.hpp"

#include <sodium.h>

#include <algorithm>

#include "rhizome/delta/signature.hpp"

namespace rhizome {

namespace {

// Only the hash of a ticket is kept: whoever reads the store cannot join with it.
Hash256 hash_of(const InviteTicket& ticket) {
  return blake3("rhizome.ticket.v1", view(ticket.data(), ticket.size()), {});
}

LinkKey link_of(const NodeKey& key) {
  LinkKey link{};
  if (!link_key_of(key, link.data())) link = {};
  return link;
}

}  // namespace

void Membership::configured(const LinkKey& link, const NodeKey& key, const std::string& name) {
  const std::lock_guard lock(mutex_);
  configured_[link] = {key, name};
}

bool Membership::expects(const LinkKey& link) const {
  const std::lock_guard lock(mutex_);
  if (configured_.contains(link)) return true;
  const auto known = known_.find(link);
  return known != known_.end() && known->second.node.invited;
}

bool Membership::may_speak(const LinkKey& link) const {
  return mode_ != AdmissionMode::kAllowList || expects(link);
}

bool Membership::may_connect(const LinkKey& link, std::uint64_t now_ms) const {
  return may_speak(link) || invitations(now_ms) != 0;
}

std::optional<NodeKey> Membership::key_of(const LinkKey& link) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = configured_.find(link); found != configured_.end())
    return found->second.first;
  const auto found = known_.find(link);
  return found == known_.end() ? std::nullopt : std::optional(found->second.node.key);
}

std::size_t Membership::invitations(std::uint64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      waiting_.begin(), waiting_.end(),
      [&](const Waiting& waiting) { return waiting.until_ms > now_ms && !waiting.redeemed_by; }));
}

Membership::Known& Membership::remember(const NodeKey& key) {
  const LinkKey link = link_of(key);
  const auto found = known_.find(link);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kMaxAcquaintances) {
    // The longest unheard goes; whom an invitation let in stays as long as others can go.
    const auto oldest =
        std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second.node.invited, a.second.node.met_ms) <
                 std::pair(b.second.node.invited, b.second.node.met_ms);
        });
    known_.erase(oldest);
  }
  Known& made = known_[link];
  made.node.key = key;
  return made;
}

Status Membership::meet(const NodeKey& key, const std::string& name,
                        const std::vector<std::string>& addresses, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const LinkKey link = link_of(key);
  if (configured_.contains(link)) return {};
  const auto found = known_.find(link);
  if (mode_ == AdmissionMode::kAllowList && (found == known_.end() || !found->second.node.invited))
    return {Code::kDenied, "this node does not know your key"};
  if (mode_ == AdmissionMode::kFirstUse && found == known_.end()) {
    const auto same_name = [&](const std::string& taken) { return taken == name; };
    const bool taken =
        std::any_of(configured_.begin(), configured_.end(),
                    [&](const auto& peer) { return same_name(peer.second.second); }) ||
        std::any_of(known_.begin(), known_.end(),
                    [&](const auto& peer) { return same_name(peer.second.node.name); });
    if (taken)
      return {Code::kDenied, "the name '" + name +
                                 "' belongs to another key here; if that node has a new key, "
                                 "`rhizome peers --forget` its old one"};
  }
  const bool same = found != known_.end() && found->second.node.name == name &&
                    found->second.node.addresses == addresses;
  Acquaintance& node = remember(key).node;
  // Not for the sake of the time alone is anything written.
  node.met_ms = now_ms;
  if (same) return {};
  node.name = name;
  node.addresses = addresses;
  has_news_ = true;
  return {};
}

Result<InviteTicket> Membership::invite(std::uint64_t seconds, std::uint64_t now_ms) {
  if (seconds == 0 || seconds > kMostSeconds)
    return Status(Code::kInvalid, "invite: expected 1 second to 30 days");
  InviteTicket ticket{};
  randombytes_buf(ticket.data(), ticket.size());
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.until_ms <= now_ms; });
    if (waiting_.size() >= kMaxInvitations)
      return Status(Code::kLimit, "invite: " + std::to_string(kMaxInvitations) +
                                      " invitations wait already; they expire by themselves");
    waiting_.push_back({hash_of(ticket), now_ms + seconds * 1000, std::nullopt});
    has_news_ = true;
  }
  Status stored = store();
  if (stored.ok()) return ticket;
  // Nobody gets this ticket: it must not let strangers connect to show it.
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_,
                [&](const Waiting& waiting) { return waiting.ticket_hash == hash_of(ticket); });
  return stored;
}

Status Membership::redeem(const InviteTicket& ticket, const NodeKey& key, const std::string& name,
                          std::uint64_t now_ms) {
  RZ_TRY(let_in(ticket, key, name, now_ms));
  return store();
}

Status Membership::let_in(const InviteTicket& ticket, const NodeKey& key, const std::string& name,
                          std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const Hash256 hash = hash_of(ticket);
  for (Waiting& waiting : waiting_) {
    if (waiting.ticket_hash != hash) continue;
    if (waiting.redeemed_by && *waiting.redeemed_by != key)
      return {Code::kDenied, "the invitation was used by another node already; ask for a new one"};
    if (waiting.until_ms <= now_ms)
      return {Code::kDenied, "the invitation has expired; ask for a new one"};
    waiting.redeemed_by = key;
    Acquaintance& node = remember(key).node;
    node.invited = true;
    node.name = name;
    node.met_ms = now_ms;
    has_news_ = true;
    return {};
  }
  return {Code::kDenied, "this node gave no such invitation; ask for a new one"};
}

Status Membership::accept(const Invitation& invitation, std::uint64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    Known& known = remember(invitation.key);
    known.node.invited = true;
    known.node.addresses = {invitation.address};
    known.node.met_ms = now_ms;
    known.ticket = invitation.ticket;
    has_news_ = true;
  }
  return store();
}

std::optional<InviteTicket> Membership::ticket_for(const NodeKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(link_of(key));
  return found == known_.end() ? std::nullopt : found->second.ticket;
}

void Membership::let_in_by(const NodeKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(link_of(key));
  if (found == known_.end() || !found->second.ticket) return;
  found->second.ticket.reset();
  has_news_ = true;  // a used ticket that is shown again does no harm
}

Status Membership::forget(const NodeKey& key) {
  {
    const std::lock_guard lock(mutex_);
    const LinkKey link = link_of(key);
    if (configured_.contains(link))
      return {Code::kDenied, "this peer stands in the config; remove it there and restart"};
    if (known_.erase(link) == 0) return {Code::kNotFound, "no such peer is remembered"};
    has_news_ = true;
  }
  return store();
}

std::vector<Acquaintance> Membership::acquaintances() const {
  const std::lock_guard lock(mutex_);
  std::vector<Acquaintance> nodes;
  for (const auto& [link, known] : known_) nodes.push_back(known.node);
  std::sort(nodes.begin(), nodes.end(), [](const Acquaintance& a, const Acquaintance& b) {
    return std::pair(a.met_ms, a.key) > std::pair(b.met_ms, b.key);
  });
  return nodes;
}

}  // namespace rhizome
