// Who takes part: configured peers, dialling, heartbeats, and what of it is shown.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

}  // namespace

std::string short_key(const NodeKey& key) { return to_hex(view(key.data(), 8)); }

void Fabric::Core::configure_peers() {
  for (const PeerSpec& spec : options_.peers) {
    Member member;
    if (!link_key_of(spec.key, member.link.data())) {
      log_.error("peer.key.unusable", {{"name", spec.name}, {"key", short_key(spec.key)}});
      continue;
    }
    member.status.name = spec.name;
    member.status.key = spec.key;
    member.status.configured = true;
    if (!spec.address.empty()) member.status.addresses.push_back(spec.address);
    membership_.configured(member.link, spec.key, spec.name);
    if (spec.ticket) member.ticket = spec.ticket;
    members_.emplace(member.link, std::move(member));
  }
}

void Fabric::Core::dial(const Member& member) {
  for (const std::string& address : member.status.addresses) {
    const Status dialled = transport_->connect(member.link, address);
    if (!dialled.ok())
      log_.error(
          "peer.dial.failed",
          {{"name", member.status.name}, {"address", address}, {"reason", dialled.message()}});
  }
}

void Fabric::Core::start() {
  for (const auto& [link, member] : members_) dial(member);
  for (const OriginPosition& origin : journal_.origins())
    note_position({origin.origin, origin.epoch, origin.last, origin.head});
  forks_->start();
  heartbeat();
}

Fabric::Core::Member* Fabric::Core::member_of(const LinkKey& link) {
  const auto found = members_.find(link);
  return found == members_.end() ? nullptr : &found->second;
}

void Fabric::Core::heartbeat() {
  if (stopped_) return;
  for (auto& [number, connection] : open_) say_hello(connection);
  for (auto& [link, member] : members_) {
    if (!member.status.up) continue;
    // A peer that introduced itself to us may hold less than its lost answer would have said.
    const Connection* const connection = connection_of(member.connection);
    const bool due = !member.greeted || member.introduction_unanswered;
    if (due && connection != nullptr && connection->has_session) introduce(member);
    announce(member);
  }
  const NodeKey* origin = nullptr;
  for (auto& [key, progress] : progress_) {
    if (origin == nullptr || *origin != key.first) {
      origin = &key.first;
      if (!has_source(key.first)) choose_source(key.first);
    }
    if (!progress.awaited) maybe_fetch(key);
  }
  for (const auto& service : services_) service->heartbeat();
  connections_.expire();
  remember_members();
  count_behind();
  update_snapshot();
  strand_->post_after(options_.heartbeat_ms * kMillisecond,
                      [self = shared_from_this()] { self->heartbeat(); });
}

void Fabric::Core::remember_members() {
  if (!membership_.has_news()) return;
  notes_strand_->post([self = shared_from_this()] {
    if (self->stopped_) return;
    const Status stored = self->membership_.store();
    // They are known all the same, and the next heartbeat tries again.
    if (!stored.ok()) self->log_.debug("peer.not_stored", {{"reason", stored.to_string()}});
  });
}

// Looks at every epoch that anybody told of: with the heartbeat alone, and not with each hello.
void Fabric::Core::count_behind() {
  behind_of_.clear();
  missing_ = 0;
  for (const auto& [key, progress] : progress_) {
    const auto position = journal_.origin(key.first, key.second);
    if (position && position->forked) continue;
    const std::uint64_t mine = position ? position->last : 0;
    std::uint64_t most = mine;
    for (const auto& [link, known] : progress.known) {
      if (known <= mine) continue;
      behind_of_[link] += known - mine;
      if (known > most && catchup_->in_standing(link)) most = known;
    }
    missing_ += most - mine;
  }
}

void Fabric::Core::update_snapshot() {
  std::vector<MemberStatus> members;
  std::uint64_t most = 0;
  const std::uint64_t now = executor_.monotonic_ns();
  for (auto& [link, member] : members_) {
    const auto behind = behind_of_.find(link);
    member.status.behind = behind == behind_of_.end() ? 0 : behind->second;
    member.status.catch_up = catchup_->figures(link);
    member.status.fetched = member.status.catch_up.deltas;
    member.status.standing = standing_.view_of(link, now);
    if (catchup_->in_standing(link)) most = std::max(most, member.status.behind);
    members.push_back(member.status);
  }
  CatchupProgress progress = catchup_->progress();
  progress.missing = missing_;
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(members);
  behind_ = most;
  catching_up_ = progress;
}

}  // namespace rhizome
