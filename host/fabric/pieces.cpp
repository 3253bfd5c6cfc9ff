// The tiling of what a job lacks: what comes is put where it belongs, what came is handed on in
// order, and what was lost on the way is asked for again.
#include <algorithm>

#include "fabric/catchup.hpp"

namespace rhizome {

namespace {

// Our own journal took nothing: another try a little later.
constexpr std::uint64_t kOwnFailurePauseNs = 1'000'000'000;
constexpr unsigned kGapsToAskAlone = 4;

}  // namespace

// What the journal holds by now, by whatever way it came, is no piece of ours any more.
void Catchup::prune(const Epoch& key, Job& job) {
  const std::uint64_t last = held(key);
  while (!job.pieces.empty()) {
    const auto front = job.pieces.begin();
    Piece& piece = front->second;
    if (front->first > last || piece.state == Piece::kHanded) break;
    if (piece.to > last) {
      if (piece.state == Piece::kArrived) break;  // ingest sorts it out
      Piece rest = std::move(piece);
      job.pieces.erase(front);
      job.pieces.emplace(last + 1, std::move(rest));
      break;
    }
    arrived_bytes_ -= piece.bytes;
    job.pieces.erase(front);
  }
  job.cut = std::max(job.cut, last + 1);
}

// Makes [from, to] a piece of its own. REQUIRES: it lies within `piece`, whose numbers are waiting
// or asked for. The state and all else is the old piece's.
Catchup::Pieces::iterator Catchup::carve(Job& job, Pieces::iterator piece, std::uint64_t from,
                                         std::uint64_t to) {
  if (piece->second.to > to) {
    job.pieces.emplace(to + 1, piece->second);
    piece->second.to = to;
  }
  if (piece->first == from) return piece;
  Piece middle = piece->second;
  piece->second.to = from - 1;
  return job.pieces.emplace(from, std::move(middle)).first;
}

void Catchup::place(Job& job, const Ask& ask, Slice slice,
                    const std::shared_ptr<const std::string>& owner) {
  Peer& peer = peer_of(ask.link);
  while (!slice.bodies.empty()) {
    const std::uint64_t begin = slice.begin();
    auto piece = job.pieces.upper_bound(begin);
    const std::uint64_t next = piece == job.pieces.end() ? slice.end() : piece->first;
    if (piece != job.pieces.begin()) --piece;
    const bool inside =
        piece != job.pieces.end() && piece->first <= begin && begin <= piece->second.to;
    const std::uint64_t until =
        std::min(slice.end(), inside ? piece->second.to + 1 : std::max(next, begin + 1));
    Slice part = slice.take_front(static_cast<std::size_t>(until - begin));
    if (!inside || piece->second.state == Piece::kArrived ||
        piece->second.state == Piece::kHanded) {
      peer.figures.twice += part.bodies.size();
      continue;
    }
    // Held and withheld bodies apart, in runs.
    while (!part.bodies.empty()) {
      const bool is_held = !part.bodies.front().claims.empty();
      std::size_t run = 1;
      while (run < part.bodies.size() && part.bodies[run].claims.empty() != is_held) ++run;
      Slice some = part.take_front(run);
      const auto place = carve(job, piece, some.begin(), some.end() - 1);
      piece = std::next(place);
      if (is_held || !withheld(job, ask, some))
        keep(job, place, std::move(some), owner, ask.link);
      else
        place->second.state = Piece::kWaiting;
    }
  }
}

// Bodies that the peer does not hold: true where another one may, who is then asked.
bool Catchup::withheld(Job& job, const Ask& ask, Slice& slice) {
  std::vector<DeltaId> ids;
  for (const wire::Body& body : slice.bodies) ids.push_back(wire::withheld_id(body));
  std::vector<Journal::Held> found;
  if (journal_.find(ids, found).ok() &&
      std::all_of(found.begin(), found.end(), [](const auto& entry) { return entry.seq != 0; }))
    return false;  // they came under another label: only the number is new
  Piece& piece = job.pieces.find(slice.begin())->second;
  piece.without.insert(ask.link);
  return std::any_of(job.known.begin(), job.known.end(), [&](const auto& entry) {
    return entry.second >= slice.end() - 1 && !piece.without.contains(entry.first) &&
           in_standing(entry.first);
  });
}

void Catchup::keep(Job& job, Pieces::iterator place, Slice slice,
                   const std::shared_ptr<const std::string>& owner, const LinkKey& link) {
  const std::size_t bytes = slice.bytes();
  arrived_bytes_ += bytes;
  // What came in one pack stays together.
  if (place != job.pieces.begin()) {
    Piece& before = std::prev(place)->second;
    if (before.state == Piece::kArrived && before.owner == owner) {
      before.to = place->second.to;
      before.bytes += bytes;
      before.slices.push_back(std::move(slice));
      job.pieces.erase(place);
      return;
    }
  }
  Piece& piece = place->second;
  piece.state = Piece::kArrived;
  piece.link = link;
  piece.ask = 0;
  piece.owner = owner;
  piece.bytes = bytes;
  piece.slices.clear();
  piece.slices.push_back(std::move(slice));
}

// What an ask that ended did not bring is to be asked for again.
void Catchup::release(Job& job, std::uint64_t ask) {
  for (auto& [from, piece] : job.pieces) {
    if (piece.state != Piece::kAsked || piece.ask != ask) continue;
    piece.state = Piece::kWaiting;
    piece.ask = 0;
  }
}

// Something that was handed over did not get in: what lies before the first piece is missing again.
void Catchup::tile_from(Job& job, std::uint64_t first) {
  const std::uint64_t end = job.pieces.empty() ? job.cut : job.pieces.begin()->first;
  if (first >= end) return;  // nothing is missing there
  Piece piece;
  piece.to = end - 1;
  job.pieces.emplace(first, std::move(piece));
}

// Numbers may have been on their way in by another door and then not come through, or their
// statement was passed over: no piece has them, and nothing brings them in any more.
void Catchup::mend(const Epoch& key, Job& job) {
  const std::uint64_t position = held(key);
  const bool any_handed = std::any_of(job.pieces.begin(), job.pieces.end(), [](const auto& entry) {
    return entry.second.state == Piece::kHanded;
  });
  if (any_handed) return;
  if (position < job.expected) job.through = job.expected = 0;
  tile_from(job, std::max(position, job.through) + 1);
}

// The same of an epoch that was closed: what was on its way by then may not have come through, and
// would be asked of no peer again.
void Catchup::begin_anew(const Epoch& key, Job& job) {
  if (!job.pieces.empty()) return;
  const std::uint64_t position = held(key);
  if (position < job.expected) job.through = job.expected = 0;
  job.cut = std::max(position, job.through) + 1;
}

// The front of what came, in order: ingest takes one piece behind the other.
void Catchup::hand_over(const Epoch& key, Job& job) {
  for (auto& [from, piece] : job.pieces) {
    if (piece.state == Piece::kHanded) continue;
    if (piece.state != Piece::kArrived) break;
    piece.state = Piece::kHanded;
    const Slice& last = piece.slices.back();
    const bool ends = last.end() == last.from + last.count;
    piece.begins = piece.slices.front().first == 0 ? piece.slices.front().from : 0;
    piece.completes = ends ? last.end() - 1 : last.from - 1;
    auto incoming = std::make_unique<Incoming>();
    if (const LinkedPeer* peer = links_.peer(piece.link)) incoming->from = peer->key;
    incoming->origin = key.first;
    incoming->epoch = key.second;
    incoming->slices = std::move(piece.slices);
    incoming->owners = {std::move(piece.owner)};
    incoming->weight = piece.bytes;
    incoming->done = [self = shared_from_this(), key, begin = from](Ingested verdict,
                                                                    std::size_t added) {
      if (self->stopped_) return;
      self->links_.strand().post([self, key, begin, verdict, added] {
        if (!self->stopped_) self->judged(key, begin, verdict, added);
      });
    };
    // Its bound is what was asked for.
    ingest_->push(std::move(incoming), true);
  }
}

void Catchup::refused(Job& job, Piece& piece) {
  // Parts of several peers in one statement: who is wrong shows when one alone is asked.
  if (piece.begins != 0 || job.alone == piece.link) {
    ++counters_.refused;
    failed(piece.link, "numbers that their origin never signed", Standing::kBadDelivery);
    job.alone.reset();
  }
  job.alone_until = piece.to;
}

// Parts that do not make one statement, again and again: peers hold other statements of these
// numbers, and one alone brings a whole one.
void Catchup::found_gap(const Epoch& key, Job& job, const Piece& piece) {
  const std::uint64_t last = held(key);
  job.gaps = job.gap_at == last ? job.gaps + 1 : 1;
  job.gap_at = last;
  if (job.gaps < kGapsToAskAlone) return;
  job.gaps = 0;
  job.alone.reset();
  job.alone_until = std::max(job.alone_until, piece.to);
}

void Catchup::forget(const Epoch& key) {
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;
  for (const auto& [from, piece] : found->second.pieces) arrived_bytes_ -= piece.bytes;
  close(key, found->second);
  jobs_.erase(found);
}

void Catchup::judged(const Epoch& key, std::uint64_t from, Ingested verdict, std::size_t added) {
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  const auto place = job.pieces.find(from);
  if (place == job.pieces.end() || place->second.state != Piece::kHanded) return;
  Piece& piece = place->second;
  const std::uint64_t numbers = piece.to - from + 1;
  Peer& peer = peer_of(piece.link);
  if (verdict == Ingested::kForked || verdict == Ingested::kOverlap) {
    const LinkKey link = piece.link;
    forget(key);
    if (verdict == Ingested::kForked) ++counters_.forks;
    if (verdict == Ingested::kOverlap) overlapped(key, link);
    return schedule();
  }
  arrived_bytes_ -= piece.bytes;
  if (verdict == Ingested::kAdmitted || verdict == Ingested::kDuplicate) {
    if (verdict == Ingested::kAdmitted) {
      peer.figures.deltas += added;
      peer.figures.bytes += piece.bytes;
      done_ += numbers;
      done_bytes_ += piece.bytes;
    } else {
      peer.figures.twice += numbers;
    }
    job.brought = true;
    job.expected = std::max(job.expected, piece.completes);
    job.through = std::max(job.through, piece.to);
    job.pieces.erase(place);
  } else {
    if (verdict == Ingested::kRefused) refused(job, piece);
    if (verdict == Ingested::kGap) found_gap(key, job, piece);
    if (verdict == Ingested::kFailed)
      job.paused_until_ns = links_.executor().monotonic_ns() + kOwnFailurePauseNs;
    Piece again;
    again.to = piece.to;
    piece = std::move(again);
    job.through = job.expected = 0;
    tile_from(job, held(key) + 1);
  }
  if (held(key) >= job.alone_until) job.alone.reset(), job.alone_until = 0;
  hand_over(key, job);
  schedule();
}

}  // namespace rhizome
