// What we hold, told to peers: each announce says what changed since the last that this peer had,
// but for what it told us itself. Lost tails are found by it, and sources by what is told to us.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

// In one announce or hello, about 80 bytes each; more go in the next, as soon as it is answered.
constexpr std::size_t kPositionsAtOnce = 1024;
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
  for (auto change = changes_.upper_bound(told); change != changes_.end(); ++change) {
    if (news.size() == kPositionsAtOnce) return news;
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
      member, wire::Kind::kAnnounce, wire::Lane::kControl, wire::encode_announce(news),
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

void Fabric::Core::on_positions(Member& member, const std::vector<wire::Position>& positions,
                                bool at_once) {
  for (const wire::Position& position : positions) {
    const EpochKey key{position.origin, position.epoch};
    Progress* progress = progress_for(key, member.link);
    if (progress == nullptr) continue;
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
}

}  // namespace rhizome
