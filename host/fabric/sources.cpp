// Each origin's topic is taken from one peer: the settled form of an epidemic broadcast tree
// (Plumtree; Leitao, Pereira and Rodrigues 2007) with a tree an origin. The source is the eager
// link; all other peers are lazy links, on which heads are announced. A head that the source does
// not bring in time grafts: the numbers are fetched, and a source that misses often is pruned.
#include <algorithm>
#include <optional>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr unsigned kMissesToLeave = 2;
constexpr int kEpochsToWeigh = 16;  // of one origin; its newest
constexpr std::uint64_t kAvoidNs = 30'000 * kMillisecond;

// Which of equal peers: another for each pair of node and origin, so that no relay serves all.
Hash256 lot(const NodeKey& self, const NodeKey& origin, const LinkKey& link) {
  std::string text(view(self.data(), self.size()));
  text.append(view(origin.data(), origin.size())).append(view(link.data(), link.size()));
  return blake3(text);
}

}  // namespace

bool Fabric::Core::has_source(const NodeKey& origin) const {
  const auto found = sources_.find(origin);
  return found != sources_.end() && found->second.chosen;
}

void Fabric::Core::choose_source(const NodeKey& origin) {
  if (origin == key_.public_key()) return;
  if (sources_.size() >= wire::kMaxPositions && !sources_.contains(origin)) return;
  Source& source = sources_[origin];
  const std::uint64_t now = executor_.monotonic_ns();
  struct Choice {
    LinkKey link;
    bool is_origin;
    std::uint64_t epoch, known;
    Hash256 lot;
    auto rank() const { return std::tie(is_origin, epoch, known, lot); }
  };
  std::optional<Choice> best;
  const auto consider = [&](const LinkKey& link, std::uint64_t epoch, std::uint64_t known) {
    const Member* member = member_of(link);
    if (member == nullptr || !member->status.up || !member->greeted) return;
    if (link == source.avoided && now < source.avoided_until_ns) return;
    const Choice choice{link, member->status.key == origin, epoch, known,
                        lot(key_.public_key(), origin, link)};
    if (!best || choice.rank() > best->rank()) best = choice;
  };
  if (LinkKey own{}; link_key_of(origin, own.data())) consider(own, 0, 0);
  // The newest first: any of its peers is better than one of an older epoch.
  auto at = progress_.upper_bound({origin, UINT64_MAX});
  for (int looks = 0; looks < kEpochsToWeigh && at != progress_.begin(); ++looks) {
    --at;
    if (at->first.first != origin) break;
    for (const auto& [link, known] : at->second.known) consider(link, at->first.second, known);
  }
  // Whoever heard of it from us first never said that it holds it too: any peer may be asked.
  if (!best && !source.chosen)
    for (const auto& [link, member] : members_) consider(link, 0, 0);
  if (!best) return;
  const bool stays = source.chosen && source.misses < kMissesToLeave && !best->is_origin;
  if (stays || (source.chosen && source.link == best->link)) return;
  take_from(origin, source, best->link);
}

void Fabric::Core::leave_source(const NodeKey& origin, Source& source) {
  if (!source.chosen) return;
  source.chosen = false;
  Member* old = member_of(source.link);
  if (old == nullptr || old->subscribed.erase(origin) == 0) return;
  const Status left = transport_->unsubscribe(old->connection, origin_topic(origin));
  if (!left.ok()) log_.debug("fabric.unsubscribe.failed", {{"reason", left.message()}});
}

void Fabric::Core::take_from(const NodeKey& origin, Source& source, const LinkKey& link) {
  leave_source(origin, source);
  Member* member = member_of(link);
  if (member->subscribed.insert(origin).second) {
    const Status subscribed = transport_->subscribe(member->connection, origin_topic(origin));
    if (!subscribed.ok()) {
      // Without a source its numbers are fetched as they are announced.
      member->subscribed.erase(origin);
      log_.debug("fabric.subscribe.failed", {{"reason", subscribed.message()}});
      return;
    }
  }
  source.link = link;
  source.chosen = true;
  source.misses = 0;
  ++counters_.source_changes;
}

void Fabric::Core::lose_sources(const LinkKey& link) {
  for (auto& [origin, source] : sources_) {
    if (!source.chosen || source.link != link) continue;
    source.chosen = false;
    choose_source(origin);
  }
}

void Fabric::Core::await_missing(const EpochKey& key) {
  const auto found = progress_.find(key);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  if (progress.awaited || catchup_->is_fetching(key) || is_forked(key)) return;
  progress.awaited = true;
  std::uint64_t announced = 0;
  for (const auto& [link, known] : progress.known) announced = std::max(announced, known);
  const auto look = [self = shared_from_this(), key, announced] {
    const auto place = self->progress_.find(key);
    if (self->stopped_ || place == self->progress_.end()) return;
    Progress& now = place->second;
    now.awaited = false;
    if (self->is_forked(key)) return;
    if (self->reached(key) < announced) {
      const auto source = self->sources_.find(key.first);
      if (source != self->sources_.end() && ++source->second.misses >= kMissesToLeave &&
          source->second.chosen) {
        source->second.avoided = source->second.link;
        source->second.avoided_until_ns = self->executor_.monotonic_ns() + kAvoidNs;
        self->choose_source(key.first);
      }
      self->maybe_fetch(key);
      return;
    }
    // What was announced meanwhile has its own time.
    for (const auto& [link, known] : now.known)
      if (known > self->reached(key)) return self->await_missing(key);
  };
  strand_->post_after(options_.missing_ms * kMillisecond, look);
}

}  // namespace rhizome
