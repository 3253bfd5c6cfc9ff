// Asks and their answers, and how peers stand.
#include "fabric/catchup.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr double kNsPerSecond = 1e9;
constexpr std::size_t kFirstChunk = 256u << 10;  // until a peer's rate is known
constexpr std::size_t kLeastChunk = 32u << 10;
constexpr double kChunkSeconds = 0.5;  // a chunk takes about so long
constexpr std::size_t kMaxEpochs = wire::kMaxPositions;
// One delta may be a MiB, and a pack ends behind the one that fills it.
constexpr std::size_t kOvershoot = (1u << 20) + (256u << 10);
// A peer that fails is left alone, twice as long each time.
constexpr std::uint64_t kFirstPauseMs = 1000;
constexpr unsigned kMostDoublings = 8;
constexpr std::uint64_t kBusyPauseMs = 200;  // doubles too, while nothing comes
constexpr unsigned kMostBusyDoublings = 5;
// A peer whose statement overlaps ours has so long to look at what ours was signed with.
constexpr std::uint64_t kDisputeMs = 10'000;
constexpr std::size_t kMaxDisputes = 4096;
// Peers that left are remembered, with what they brought, while there are no more than these.
constexpr std::size_t kMaxForgottenPeers = 2048;
constexpr double kLeastRate = 32768;  // bytes a second of the slowest link that is reckoned with
constexpr double kSmooth = 0.3;       // the weight of the newest rate

}  // namespace

Catchup::Catchup(Links& links, Journal& journal, std::shared_ptr<Ingest> ingest,
                 CatchupOptions options)
    : links_(links),
      journal_(journal),
      ingest_(std::move(ingest)),
      options_(options),
      serving_(std::make_shared<Serving>(links, journal, options.serving)),
      holes_pause_ms_(options.holes_ms) {}

std::uint64_t Catchup::held(const Epoch& key) const { return reached_(key); }

bool Catchup::is_fetching(const Epoch& key) const {
  const auto found = jobs_.find(key);
  return found != jobs_.end() && !found->second.pieces.empty();
}

Catchup::Peer& Catchup::peer_of(const LinkKey& link) {
  const auto [place, is_new] = peers_.try_emplace(link);
  if (is_new) place->second.chunk = std::min(kFirstChunk, options_.chunk_bytes);
  return place->second;
}

bool Catchup::in_standing(const LinkKey& link) const {
  const auto found = peers_.find(link);
  return found == peers_.end() || found->second.paused_until_ns <= links_.executor().monotonic_ns();
}

void Catchup::learned(const Epoch& key, const LinkKey& from, std::uint64_t last) {
  if (stopped_ || links_.peer(from) == nullptr) return;
  if (jobs_.size() >= kMaxEpochs && !jobs_.contains(key)) return;
  peer_of(from);
  std::uint64_t& known = jobs_[key].known[from];
  known = std::max(known, last);
  if (known > held(key) && !open_.contains(key)) peers_[from].waiting.insert(key);
}

void Catchup::greeted(const LinkedPeer& peer) {
  peer_of(peer.link);
  try_holes_anew();  // perhaps this one has what others had not
  schedule();
}

void Catchup::gone(const LinkKey& link) {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    job->second.known.erase(link);
    // Whoever was asked for what others lack may be asked again: perhaps nobody else is left.
    for (auto& [from, piece] : job->second.pieces) piece.without.clear();
    const bool is_over = job->second.known.empty() && !open_.contains(job->first);
    job = is_over ? jobs_.erase(job) : std::next(job);
  }
  if (const auto peer = peers_.find(link); peer != peers_.end()) peer->second.waiting.clear();
  const auto disputed = disputed_until_ns_.lower_bound({link, Epoch{}});
  auto end = disputed;
  while (end != disputed_until_ns_.end() && end->first.first == link) ++end;
  disputed_until_ns_.erase(disputed, end);
  serving_->gone(link);
  schedule();
}

void Catchup::stop() {
  stopped_ = true;
  serving_->stop();
}

void Catchup::request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) {
  (void)peer;
  const auto wanted = wire::decode_fetch(frame.body);
  if (!wanted.ok()) return links_.refuse(asked, Code::kInvalid, wanted.status().message());
  ++counters_.served;
  const std::uint64_t most = options_.deadline_ms;
  serving_->fetch(asked, *wanted,
                  frame.timeout_ms == 0 ? most : std::min<std::uint64_t>(frame.timeout_ms, most));
}

void Catchup::ask(const Epoch& key, Job& job, Pieces::iterator piece, const LinkKey& link,
                  std::size_t bytes) {
  const std::uint64_t number = next_ask_++;
  const std::uint64_t now = links_.executor().monotonic_ns();
  piece->second.state = Piece::kAsked;
  piece->second.link = link;
  piece->second.ask = number;
  if (job.alone_until != 0) job.alone = link;
  job.last_asked = number;
  asks_[number] = {key, link, piece->first, piece->second.to, bytes, 0, now, now, 0, false};
  asked_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, asked_bytes_ + arrived_bytes_);
  ++peer_of(link).asks;
  ++counters_.fetches;
  // A lost ask is asked again after this; a slow link has time for what was asked.
  const double rate = std::max(peer_of(link).rate / 4, kLeastRate);
  const std::uint64_t deadline_ms = std::min(
      options_.deadline_ms,
      options_.stall_ms + static_cast<std::uint64_t>(static_cast<double>(bytes) / rate * 1e3));
  const wire::Fetch fetch{key.first, key.second, piece->first, piece->second.to, bytes};
  links_.ask(link, wire::Kind::kFetch, wire::Lane::kCatchUp, wire::encode(fetch), deadline_ms,
             [self = shared_from_this(), number](Code code,
                                                 const std::shared_ptr<std::string>& frame_bytes,
                                                 const wire::Frame& frame, bool last) {
               if (!self->stopped_) self->on_reply(number, code, frame_bytes, frame, last);
             });
}

void Catchup::on_reply(std::uint64_t number, Code code, const std::shared_ptr<std::string>& bytes,
                       const wire::Frame& frame, bool last) {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  Ask& ask = found->second;
  ask.last_ns = links_.executor().monotonic_ns();
  const Epoch key = ask.key;
  if (code == Code::kOk && frame.kind == wire::Kind::kFetchReply && !ask.refused &&
      !arrived(ask, bytes, frame.body)) {
    ask.refused = true;
    ++counters_.refused;
  }
  if (last) ended(number, code, frame);
  if (const auto job = jobs_.find(key); job != jobs_.end()) hand_over(key, job->second);
  schedule();
}

// False where it is not what was asked for: then nothing more of this ask is looked at.
bool Catchup::arrived(Ask& ask, const std::shared_ptr<std::string>& bytes, ByteView body) {
  if (ask.came + body.size() > ask.limit + kOvershoot) return false;
  Result<wire::Pack> pack = wire::decode_pack(body);
  if (!pack.ok()) return false;
  const bool fits = Epoch(pack->origin, pack->epoch) == ask.key && pack->number() == ask.next;
  if (!fits) return false;
  std::vector<Slice> slices = slices_of(*pack);
  if (slices.back().end() - 1 > ask.to) return false;
  const std::size_t credited = std::min(ask.limit - std::min(ask.limit, ask.came), body.size());
  asked_bytes_ -= credited;
  ask.came += body.size();
  for (const Slice& slice : slices) counters_.payload_bytes += slice.payload_bytes();
  const std::uint64_t numbers = slices.back().end() - ask.next;
  ask.next = slices.back().end();
  ask.useful += numbers;  // also where they are not wanted any more
  const auto job = jobs_.find(ask.key);
  if (job == jobs_.end()) return true;
  job->second.bytes_per_number +=
      kSmooth * (static_cast<double>(body.size()) / static_cast<double>(numbers) -
                 job->second.bytes_per_number);
  const std::shared_ptr<const std::string> owner = bytes;
  for (Slice& slice : slices) place(job->second, ask, std::move(slice), owner);
  peak_bytes_ = std::max(peak_bytes_, asked_bytes_ + arrived_bytes_);
  return true;
}

void Catchup::failed(const LinkKey& link, std::string_view why, double weight) {
  ++counters_.failed;
  Peer& peer = peer_of(link);
  const unsigned doublings = std::min(peer.failures++, kMostDoublings);
  peer.paused_until_ns =
      links_.executor().monotonic_ns() + (kFirstPauseMs << doublings) * kMillisecond;
  if (weight > 0) links_.distrust(link, why, weight);
  for (const Epoch& key : open_)
    for (auto& [from, piece] : jobs_[key].pieces) piece.without.clear();
}

void Catchup::ended(std::uint64_t number, Code code, const wire::Frame& frame) {
  const Ask ask = asks_[number];
  asks_.erase(number);
  asked_bytes_ -= ask.limit - std::min(ask.limit, ask.came);
  Peer& peer = peer_of(ask.link);
  --peer.asks;
  const auto job = jobs_.find(ask.key);
  if (job != jobs_.end()) release(job->second, number);
  if (ask.useful != 0) {
    peer.failures = peer.busy = 0;
    const double seconds =
        std::max(1e-3, static_cast<double>(ask.last_ns - ask.began_ns) / kNsPerSecond);
    const double rate = static_cast<double>(ask.came) / seconds;
    peer.rate = peer.rate == 0 ? rate : peer.rate + kSmooth * (rate - peer.rate);
    peer.chunk = static_cast<std::size_t>(
        std::clamp(peer.rate * kChunkSeconds, static_cast<double>(kLeastChunk),
                   static_cast<double>(std::min(peer.chunk * 2, options_.chunk_bytes))));
  }
  const bool is_end = code == Code::kOk && frame.kind == wire::Kind::kAck;
  if (ask.refused)
    return failed(ask.link, "a fetch answered with what was not asked for", Standing::kBadDelivery);
  if (code == Code::kWouldBlock || code == Code::kLimit) {  // it, or we, have too much to do
    const unsigned doublings = std::min(peer.busy++, kMostBusyDoublings);
    peer.paused_until_ns =
        links_.executor().monotonic_ns() + (kBusyPauseMs << doublings) * kMillisecond;
    return;
  }
  // That the link is closed only our transport can say; in a peer's own frame it is a refusal.
  const bool is_closed = code == Code::kClosed && frame.kind != wire::Kind::kError;
  if (ask.useful != 0 || is_closed || ask.next > ask.to) return;
  if (!is_end) return failed(ask.link, "a fetch without an answer", Standing::kSilence);
  // It announced these numbers and sent nothing of them.
  ++peer.figures.broken_promises;
  if (job != jobs_.end()) {
    const auto known = job->second.known.find(ask.link);
    if (known != job->second.known.end()) known->second = std::min(known->second, ask.next - 1);
  }
  failed(ask.link, "numbers that it announced and does not hold", Standing::kBrokenPromise);
}

// Both statements may bear their origin's signature: then the peer finds it out as soon as it sees
// what ours was signed with, and shows us the other. Until then nothing is held against it and
// other epochs are asked of it as before; it pays only where it had its time and says the same.
void Catchup::overlapped(const Epoch& key, const LinkKey& link) {
  const std::uint64_t now = links_.executor().monotonic_ns();
  const auto before = disputed_until_ns_.find({link, key});
  const bool had_its_time = before != disputed_until_ns_.end();
  const bool has_seen_ours = overlapped_(key, link);
  if (had_its_time && has_seen_ours)
    failed(link, "numbers that overlap what their origin signed", Standing::kBadDelivery);
  if (!had_its_time && disputed_until_ns_.size() >= kMaxDisputes)
    std::erase_if(disputed_until_ns_, [&](const auto& entry) { return entry.second <= now; });
  if (had_its_time || disputed_until_ns_.size() < kMaxDisputes)
    disputed_until_ns_[{link, key}] = now + kDisputeMs * kMillisecond;
}

bool Catchup::is_disputed(const Epoch& key, const LinkKey& link) const {
  const auto found = disputed_until_ns_.find({link, key});
  return found != disputed_until_ns_.end() && found->second > links_.executor().monotonic_ns();
}

void Catchup::heartbeat() {
  const std::uint64_t now = links_.executor().monotonic_ns();
  if (rated_ns_ != 0 && now > rated_ns_) {
    const double rate = static_cast<double>(done_ - done_before_) * kNsPerSecond /
                        static_cast<double>(now - rated_ns_);
    deltas_per_s_ += 0.5 * (rate - deltas_per_s_);
  }
  done_before_ = done_;
  rated_ns_ = now;
  serving_->forget();
  retry_holes();
  std::erase_if(peers_, [&](const auto& entry) {
    return links_.peer(entry.first) == nullptr && entry.second.asks == 0 &&
           peers_.size() > kMaxForgottenPeers && entry.second.paused_until_ns <= now;
  });
  schedule();
}

CatchupPeer Catchup::figures(const LinkKey& link) const {
  const auto found = peers_.find(link);
  if (found == peers_.end()) return {};
  const Peer& peer = found->second;
  CatchupPeer figures = peer.figures;
  figures.asks = peer.asks;
  figures.bytes_per_s = static_cast<std::uint64_t>(peer.rate);
  const std::uint64_t now = links_.executor().monotonic_ns();
  if (peer.paused_until_ns > now) figures.paused_ms = (peer.paused_until_ns - now) / kMillisecond;
  figures.served_bytes = serving_->served_bytes(link);
  return figures;
}

CatchupProgress Catchup::progress() const {
  CatchupProgress progress;
  progress.done = done_;
  progress.bytes = done_bytes_;
  progress.deltas_per_s = static_cast<std::uint64_t>(deltas_per_s_);
  progress.asks = asks_.size();
  progress.buffered_bytes = arrived_bytes_;
  progress.peak_bytes = peak_bytes_;
  return progress;
}

}  // namespace rhizome
