// What we hold, told to peers: each announce says what changed since the last that this peer had,
// but for what it told us itself. Lost tails are found by it, and sources by what is told to us.
#include <algorithm>
#include <utility>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

// In one announce or hello, about 80 bytes each; more go in the next, as soon as it is answered.
constexpr std::size_t kPositionsAtOnce = 1024;
// Looked at for one announce or hello; what the peer told us itself is passed over.
constexpr std::size_t kMostLooks = 4 * kPositionsAtOnce;
// Epochs that one peer may name and of which nothing is held.
constexpr std::size_t kMaxUnproven = 4096;
// A lost announce is said again after so many heartbeats.
constexpr std::uint64_t kAnnounceHeartbeats = 3;

}  // namespace

void Fabric::Core::note_position(const wire::Position& position) {
  if (position.last == 0) return;
  const EpochKey key{position.origin, position.epoch};
  const auto found = positions_.find(key);
  if (found == positions_.end() && positions_.size() >= wire::kMaxPositions) return;
  Held& held = found == positions_.end() ? positions_[key] : found->second;
  if (held.position.last >= position.last) return;
  if (held.change != 0) changes_.erase(held.change);
  held.position = position;
  held.change = ++last_change_;
  changes_.emplace(held.change, key);
}

std::vector<wire::Position> Fabric::Core::news_for(const LinkKey& link, std::uint64_t& told) const {
  std::vector<wire::Position> news;
  std::size_t looks = 0;
  for (auto change = changes_.upper_bound(told); change != changes_.end(); ++change) {
    if (news.size() == kPositionsAtOnce || ++looks > kMostLooks) return news;
    told = change->first;
    const wire::Position& position = positions_.at(change->second).position;
    const auto progress = progress_.find(change->second);
    if (progress != progress_.end()) {
      const auto known = progress->second.known.find(link);
      if (known != progress->second.known.end() && known->second >= position.last) continue;
    }
    news.push_back(position);
  }
  return news;
}

void Fabric::Core::announce(Member& member) {
  if (!member.status.up || !member.greeted || member.announce_under_way) return;
  std::uint64_t told = member.announced;
  const std::vector<wire::Position> news = news_for(member.link, told);
  if (news.empty()) {
    member.announced = told;
    return;
  }
  member.announce_under_way = true;
  send(
      member.connection, wire::Kind::kAnnounce, wire::Lane::kControl, wire::encode_announce(news),
      [this, link = member.link, told, more = news.size() == kPositionsAtOnce](
          Code code, const std::shared_ptr<std::string>&, const wire::Frame&, bool) {
        Member* peer = member_of(link);
        if (peer == nullptr) return;
        peer->announce_under_way = false;
        if (code != Code::kOk || !peer->greeted) return;
        peer->announced = std::max(peer->announced, told);
        if (more) announce(*peer);
      },
      options_.heartbeat_ms * kAnnounceHeartbeats);
}

// A new connection: the peer may have lost what it held on the last one, and says anew what it
// holds.
void Fabric::Core::forget_known(const LinkKey& link) {
  for (auto& [key, progress] : progress_) {
    progress.known.erase(link);
    progress.heads.erase(link);
  }
}

// We came to where peers said that they are: is what they hold there the same?
void Fabric::Core::compare_heads(const wire::Position& ours) {
  const EpochKey key{ours.origin, ours.epoch};
  const auto found = progress_.find(key);
  if (found == progress_.end()) return;
  std::erase_if(found->second.heads, [&](const auto& entry) {
    const auto& [last, head] = entry.second;
    if (last == ours.last && head != ours.head) forks_->suspect(entry.first, key);
    return last <= ours.last;
  });
}

bool Fabric::Core::on_positions(Member& member, const std::vector<wire::Position>& positions,
                                bool at_once) {
  bool all_kept = true;
  for (const wire::Position& position : positions) {
    if (position.last == 0) continue;  // of nothing
    const EpochKey key{position.origin, position.epoch};
    Progress* progress = progress_for(key, member.link);
    if (progress == nullptr) {
      all_kept = all_kept && has_room_for_unproven(member.link);
      continue;
    }
    std::uint64_t& known = progress->known[member.link];
    known = std::max(known, position.last);
    if (is_forked(key)) continue;
    const auto ours = positions_.find(key);
    const std::uint64_t noted = ours == positions_.end() ? 0 : ours->second.position.last;
    if (position.last > noted) progress->heads[member.link] = {position.last, position.head};
    if (position.last == noted && position.head != ours->second.position.head)
      forks_->suspect(member.link, key);
    if (known <= reached(key)) continue;
    // What it held before we were linked comes by no topic.
    const bool had_source = has_source(position.origin);
    if (!had_source) choose_source(position.origin);
    if (at_once || !had_source)
      maybe_fetch(key);
    else
      await_missing(key);
  }
  return all_kept;
}

// A peer's word costs us an entry until something of the epoch is held. Where it has too many of
// them its further ones wait at the peer, which announces them again; an honest one delivers
// meanwhile.
bool Fabric::Core::has_room_for_unproven(const LinkKey& teller) const {
  const auto found = unproven_.find(teller);
  return found == unproven_.end() || found->second < kMaxUnproven;
}

void Fabric::Core::proven(const EpochKey& key) {
  const auto found = progress_.find(key);
  if (found == progress_.end() || !found->second.unproven) return;
  found->second.unproven = false;
  if (const auto count = unproven_.find(found->second.teller); --count->second == 0)
    unproven_.erase(count);
}

void Fabric::Core::forget_unproven(const LinkKey& link) {
  if (!unproven_.contains(link)) return;
  for (auto entry = progress_.begin(); entry != progress_.end();) {
    auto& [key, progress] = *entry;
    if (!progress.unproven || progress.teller != link) {
      ++entry;
      continue;
    }
    progress.known.erase(link);
    if (!progress.known.empty()) {
      progress.teller = progress.known.begin()->first;
      ++unproven_[progress.teller];
      if (membership_.expects(progress.teller)) uncount_stranger(progress);
      ++entry;
      continue;
    }
    drop_parked(progress);
    catchup_->forget(key);
    uncount_stranger(progress);
    const NodeKey origin = key.first;
    entry = progress_.erase(entry);
    forget_origin(origin);
  }
  unproven_.erase(link);
}

void Fabric::Core::uncount_stranger(Progress& progress) {
  if (std::exchange(progress.by_stranger, false)) --told_by_strangers_;
}

// Its topic is taken from nobody any more, where nothing of it is known.
void Fabric::Core::forget_origin(const NodeKey& origin) {
  const auto epoch = progress_.lower_bound({origin, 0});
  if (epoch != progress_.end() && epoch->first.first == origin) return;
  if (peer_of(origin) != nullptr) return;  // it may begin to write
  const auto source = sources_.find(origin);
  if (source == sources_.end()) return;
  leave_source(origin, source->second);
  sources_.erase(source);
}

}  // namespace rhizome
