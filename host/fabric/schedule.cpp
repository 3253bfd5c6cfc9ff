// Who is asked for what: what fewest peers hold first, of the least loaded peer, within the bound
// on memory; at the tail the idle take over what a slow or silent peer was asked for.
#include <algorithm>

#include "fabric/catchup.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kAsksPerPeer = 2;    // windows in flight
constexpr std::size_t kActiveJobs = 64;    // epochs that are fetched at a time
constexpr std::size_t kLeastNumbers = 32;  // a piece at the tail is not cut smaller
constexpr std::uint8_t kMostThefts = 3;    // of one piece
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr double kNsPerSecond = 1e9;
constexpr double kPatience = 0.25;  // seconds that a thief must save at least

}  // namespace

std::uint64_t Catchup::numbers_in(const Job& job, std::size_t bytes) const {
  const double numbers = static_cast<double>(bytes) / std::max(job.bytes_per_number, 1.0);
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(numbers));
}

// Peers in good standing that announced this number.
std::size_t Catchup::able(const Job& job, std::uint64_t number) const {
  return static_cast<std::size_t>(std::count_if(
      job.known.begin(), job.known.end(),
      [&](const auto& entry) { return entry.second >= number && in_standing(entry.first); }));
}

void Catchup::schedule() {
  if (stopped_) return;
  for (auto key = active_.begin(); key != active_.end();) {
    Job& job = jobs_[*key];
    prune(*key, job);
    mend(*key, job);
    hand_over(*key, job);
    const std::uint64_t last = held(*key);
    const bool lacks = std::any_of(job.known.begin(), job.known.end(),
                                   [&](const auto& entry) { return entry.second > last; });
    key = lacks || !job.pieces.empty() ? std::next(key) : active_.erase(key);
  }
  const std::uint64_t now = links_.executor().monotonic_ns();
  for (bool again = true; again;) {
    again = false;
    // Least loaded first: everybody gets a first ask before anybody gets a second.
    for (std::size_t load = 0; load < kAsksPerPeer; ++load)
      for (auto& [link, peer] : peers_)
        if (peer.asks == load && peer.paused_until_ns <= now && links_.peer(link) != nullptr)
          again = give_work(link, peer) || again;
  }
}

bool Catchup::give_work(const LinkKey& link, Peer& peer) {
  const Choice choice = choose(link, peer);
  if (choice.job == nullptr) return peer.asks == 0 && steal(link, peer);
  Job& job = *choice.job;
  auto piece = job.pieces.upper_bound(choice.from);
  if (choice.from >= job.cut) {
    Piece fresh;
    fresh.to = choice.to;
    job.cut = choice.to + 1;
    piece = job.pieces.emplace(choice.from, std::move(fresh)).first;
  } else {
    piece = carve(job, std::prev(piece), choice.from, choice.to);
  }
  ask(*choice.key, job, piece, link, choice.bytes);
  return true;
}

Catchup::Choice Catchup::choose(const LinkKey& link, const Peer& peer) {
  Choice best;
  const std::size_t active =
      static_cast<std::size_t>(std::count_if(active_.begin(), active_.end(), [&](const Epoch& key) {
        return !jobs_[key].pieces.empty();
      }));
  const std::uint64_t now = links_.executor().monotonic_ns();
  for (const Epoch& key : active_) {
    Job& job = jobs_[key];
    if (job.paused_until_ns > now || (job.pieces.empty() && active >= kActiveJobs)) continue;
    const Choice choice = choose_of(key, job, link, peer);
    if (choice.job == nullptr) continue;
    const bool better = best.job == nullptr || choice.holders < best.holders ||
                        (choice.holders == best.holders && job.last_asked < best.job->last_asked);
    if (better) best = choice;
  }
  return best;
}

// The first numbers of this epoch that can be asked of this peer now.
Catchup::Choice Catchup::choose_of(const Epoch& key, Job& job, const LinkKey& link,
                                   const Peer& peer) {
  const auto known = job.known.find(link);
  if (known == job.known.end()) return {};
  if (job.alone_until != 0) {
    if (job.alone && links_.peer(*job.alone) != nullptr && in_standing(*job.alone)) {
      if (*job.alone != link) return {};
    }
  }
  const std::uint64_t last = held(key);
  Choice choice;
  for (const auto& [from, piece] : job.pieces) {
    if (piece.state != Piece::kWaiting || piece.without.contains(link)) continue;
    if (from > known->second) return {};
    choice = {&key, &job, from, std::min(piece.to, known->second), 0, 0};
    break;
  }
  if (choice.job == nullptr) {
    const std::uint64_t from = std::max(job.cut, last + 1);
    if (from > known->second) return {};
    if (const auto position = journal_.origin(key.first, key.second); position && position->forked)
      return {};
    job.cut = from;
    choice = {&key, &job, from, known->second, 0, 0};
  }
  choice.holders = able(job, choice.from);
  std::uint64_t numbers = numbers_in(job, peer.chunk);
  // The tail is shared: nobody waits long for the one who was asked last.
  if (choice.holders > 1 && job.alone_until == 0) {
    const std::uint64_t share = (choice.to - choice.from + 1) / (kAsksPerPeer * choice.holders) + 1;
    numbers = std::min(numbers, std::max<std::uint64_t>(share, kLeastNumbers));
  }
  choice.to = std::min(choice.to, choice.from + numbers - 1);
  // Some more than the guess, so that an ask is seldom cut short by it.
  choice.bytes = std::min<std::size_t>(
      options_.chunk_bytes,
      static_cast<std::size_t>(static_cast<double>(choice.to - choice.from + 1) *
                               job.bytes_per_number * 2) +
          4096);
  const bool is_front = job.pieces.empty() || choice.from <= job.pieces.begin()->first;
  if (!is_front && asked_bytes_ + arrived_bytes_ + choice.bytes > options_.buffer_bytes) return {};
  return choice;
}

bool Catchup::steal(const LinkKey& link, Peer& peer) {
  const std::uint64_t now = links_.executor().monotonic_ns();
  const Epoch* best_key = nullptr;
  Job* best_job = nullptr;
  Pieces::iterator best;
  double most = kPatience;
  for (const Epoch& key : active_) {
    Job& job = jobs_[key];
    const auto known = job.known.find(link);
    if (known == job.known.end() || job.alone_until != 0) continue;
    for (auto piece = job.pieces.begin(); piece != job.pieces.end(); ++piece) {
      Piece& asked = piece->second;
      if (asked.state != Piece::kAsked || asked.link == link || asked.thefts >= kMostThefts ||
          piece->first > known->second || asked.without.contains(link))
        continue;
      const auto by = asks_.find(asked.ask);
      if (by == asks_.end()) continue;
      const double silent = static_cast<double>(now - by->second.last_ns) / kNsPerSecond;
      const double bytes = static_cast<double>(asked.to - piece->first + 1) * job.bytes_per_number;
      const double rate = peers_[asked.link].rate;
      const bool stalls = now - by->second.last_ns > options_.stall_ms * kMillisecond;
      // How long it yet takes there, and here.
      const double there = stalls ? 1e9 : rate > 0 ? bytes / rate + silent : silent;
      const double here = peer.rate > 0 ? bytes / peer.rate : kPatience;
      const double saved = there - 2 * here;
      if (saved <= most) continue;
      most = saved;
      best_key = &key, best_job = &job, best = piece;
    }
  }
  if (best_job == nullptr) return false;
  ++counters_.stolen;
  ++best->second.thefts;
  const std::uint64_t to = std::min(best->second.to, best_job->known[link]);
  const auto piece = carve(*best_job, best, best->first, to);
  ask(*best_key, *best_job, piece, link, options_.chunk_bytes);
  return true;
}

}  // namespace rhizome
