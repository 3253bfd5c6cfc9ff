// Who is asked for what: what fewest peers hold first, of the least loaded peer, within the bound
// on memory; at the tail the idle take over what a slow or silent peer was asked for.
#include <algorithm>

#include "fabric/catchup.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kAsksPerPeer = 2;    // windows in flight
constexpr std::size_t kOpenJobs = 64;      // epochs that are fetched at a time ...
constexpr std::size_t kOpenPerPeer = 32;   // ... in the name of one peer ...
constexpr std::size_t kOpenAlways = 4;     // ... which may have these whatever others have
constexpr std::size_t kWaitingLooks = 16;  // waiting epochs that are weighed for one ask
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
  if (stopped_ || scheduled_) return;
  scheduled_ = true;
  links_.strand().post([self = shared_from_this()] {
    self->scheduled_ = false;
    if (!self->stopped_) self->run();
  });
}

// Costs a look at each open epoch, and for each ask at some of those that wait.
void Catchup::run() {
  for (const Epoch& key : open_) {
    ++counters_.looks;
    Job& job = jobs_[key];
    prune(key, job);
    mend(key, job);
    hand_over(key, job);
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
  close_done();
}

void Catchup::close_done() {
  std::vector<std::pair<Epoch, std::uint64_t>> drained;
  const std::set<Epoch> looked = open_;
  for (const Epoch& key : looked) {
    Job& job = jobs_[key];
    const bool is_done = job.pieces.empty();
    if (!is_done && !is_stuck(job)) continue;
    if (is_done && job.brought) drained.emplace_back(key, job.through);
    job.brought = false;
    close(key, job);
    if (is_done) continue;
    job.pieces.clear();
    job.cut = job.through = job.expected = 0;
    schedule();  // its place is another's now
  }
  for (const auto& [key, through] : drained) drained_(key, through);
}

bool Catchup::may_open(const Peer& peer) const {
  return peer.open < kOpenAlways || (open_.size() < kOpenJobs && peer.open < kOpenPerPeer);
}

void Catchup::open(const Epoch& key, Job& job, const LinkKey& link) {
  if (!open_.insert(key).second) return;
  job.opener = link;
  Peer& peer = peer_of(link);
  ++peer.open;
  peer.turn = key;
  peer.waiting.erase(key);
}

// What is still lacking of it waits for its next turn.
void Catchup::close(const Epoch& key, const Job& job) {
  if (open_.erase(key) == 0) return;
  if (const auto opener = peers_.find(job.opener); opener != peers_.end()) --opener->second.open;
  const std::uint64_t last = held(key);
  for (const auto& [link, known] : job.known)
    if (known > last) peer_of(link).waiting.insert(key);
}

// All of it waits to be asked for, and no peer that has it can be asked: it must not keep its place
// from epochs that can be had.
bool Catchup::is_stuck(const Job& job) const {
  return std::all_of(job.pieces.begin(), job.pieces.end(),
                     [](const auto& entry) { return entry.second.state == Piece::kWaiting; }) &&
         able(job, job.pieces.begin()->first) == 0;
}

bool Catchup::give_work(const LinkKey& link, Peer& peer) {
  const Choice choice = choose(link, peer);
  if (choice.job == nullptr) return peer.asks == 0 && steal(link, peer);
  Job& job = *choice.job;
  open(choice.key, job, link);
  auto piece = job.pieces.upper_bound(choice.from);
  if (choice.from >= job.cut) {
    Piece fresh;
    fresh.to = choice.to;
    job.cut = choice.to + 1;
    piece = job.pieces.emplace(choice.from, std::move(fresh)).first;
  } else {
    piece = carve(job, std::prev(piece), choice.from, choice.to);
  }
  ask(choice.key, job, piece, link, choice.bytes);
  return true;
}

Catchup::Choice Catchup::choose(const LinkKey& link, Peer& peer) {
  Choice best;
  const std::uint64_t now = links_.executor().monotonic_ns();
  for (const Epoch& key : open_) {
    ++counters_.looks;
    Job& job = jobs_[key];
    if (job.paused_until_ns > now) continue;
    const Choice choice = choose_of(key, job, link, peer);
    if (choice.is_better_than(best)) best = choice;
  }
  if (may_open(peer)) choose_waiting(link, peer, best);
  return best;
}

// The next few of those that wait for this peer; what came another way leaves its queue.
void Catchup::choose_waiting(const LinkKey& link, Peer& peer, Choice& best) {
  const std::uint64_t now = links_.executor().monotonic_ns();
  auto next = peer.waiting.upper_bound(peer.turn);
  for (std::size_t looks = std::min(kWaitingLooks, peer.waiting.size());
       looks > 0 && !peer.waiting.empty();) {
    if (next == peer.waiting.end()) next = peer.waiting.begin();
    ++counters_.looks;
    const auto job = jobs_.find(*next);
    if (job == jobs_.end() || open_.contains(*next) || !lacks(*next, job->second, link)) {
      next = peer.waiting.erase(next);
      continue;
    }
    --looks;
    if (job->second.paused_until_ns <= now) {
      begin_anew(*next, job->second);
      const Choice choice = choose_of(*next, job->second, link, peer);
      if (choice.is_better_than(best)) best = choice;
    }
    ++next;
  }
}

// Whether this peer announced numbers that we lack.
bool Catchup::lacks(const Epoch& key, const Job& job, const LinkKey& link) const {
  const auto known = job.known.find(link);
  return known != job.known.end() && known->second > held(key);
}

// The first numbers of this epoch that can be asked of this peer now.
Catchup::Choice Catchup::choose_of(const Epoch& key, Job& job, const LinkKey& link,
                                   const Peer& peer) {
  const auto known = job.known.find(link);
  if (known == job.known.end() || is_disputed(key, link)) return {};
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
    choice = {key, &job, from, std::min(piece.to, known->second), 0, 0};
    break;
  }
  if (choice.job == nullptr) {
    const std::uint64_t from = std::max(job.cut, last + 1);
    if (from > known->second) return {};
    if (const auto position = journal_.origin(key.first, key.second); position && position->forked)
      return {};
    job.cut = from;
    choice = {key, &job, from, known->second, 0, 0};
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
  for (const Epoch& key : open_) {
    ++counters_.looks;
    Job& job = jobs_[key];
    const auto known = job.known.find(link);
    if (known == job.known.end() || job.alone_until != 0 || is_disputed(key, link)) continue;
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
