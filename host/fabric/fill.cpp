// Bodies that nobody had when their numbers came: asked for again by number when a peer greets and
// then later and later, of one peer after the other. The journal fills the hole with whatever way
// its delta comes by.
#include <algorithm>

#include "fabric/catchup.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::size_t kHolesAtOnce = 256;  // looked at in one round
constexpr std::uint64_t kLongestPauseMs = 600'000;

}  // namespace

void Catchup::try_holes_anew() {
  holes_pause_ms_ = options_.holes_ms;
  holes_due_ns_ = 0;
  last_hole_ = {};
}

void Catchup::retry_holes() {
  const std::uint64_t now = links_.executor().monotonic_ns();
  if (filling_ || now < holes_due_ns_ || journal_.stats().holes == 0) return;
  std::vector<Hole> holes = journal_.holes(last_hole_, kHolesAtOnce);
  if (holes.empty()) {  // once around: the next round begins later, and with other peers
    last_hole_ = {};
    ++hole_round_;
    holes_due_ns_ = now + holes_pause_ms_ * kMillisecond;
    holes_pause_ms_ = std::min(2 * holes_pause_ms_, kLongestPauseMs);
    return;
  }
  // One ask: holes of one epoch whose numbers follow each other.
  std::size_t count = 1;
  while (count < holes.size() && holes[count].label.origin == holes[0].label.origin &&
         holes[count].label.epoch == holes[0].label.epoch &&
         holes[count].label.n == holes[0].label.n + count)
    ++count;
  holes.resize(count);
  last_hole_ = holes.back().label;
  // Whoever heard of these numbers from us never said that it holds them: any peer may.
  std::vector<LinkKey> able;
  for (const LinkedPeer& peer : links_.peers())
    if (in_standing(peer.link)) able.push_back(peer.link);
  if (!able.empty()) ask_for(holes, able[hole_round_ % able.size()]);
}

void Catchup::ask_for(const std::vector<Hole>& holes, const LinkKey& link) {
  const Label& first = holes.front().label;
  const wire::Fetch wanted{first.origin, first.epoch, first.n, holes.back().label.n,
                           options_.chunk_bytes};
  filling_ = true;
  links_.ask(
      link, wire::Kind::kFetch, wire::Lane::kCatchUp, wire::encode(wanted), options_.deadline_ms,
      [self = shared_from_this(), holes](Code code, const std::shared_ptr<std::string>& bytes,
                                         const wire::Frame& frame, bool last) {
        if (self->stopped_) return;
        if (code == Code::kOk && frame.kind == wire::Kind::kFetchReply)
          self->fill(holes, frame.sender, bytes, frame.body);
        if (!last) return;
        self->filling_ = false;
        self->retry_holes();
      });
}

void Catchup::fill(const std::vector<Hole>& holes, const NodeKey& from,
                   const std::shared_ptr<std::string>& bytes, ByteView body) {
  Result<wire::Pack> pack = wire::decode_pack(body);
  if (!pack.ok()) return;
  // Only what is lacking: the rest of the range is held.
  Slice found;
  for (Slice& slice : slices_of(*pack)) {
    for (const wire::Body& delta : slice.bodies) {
      if (delta.claims.empty()) continue;
      const DeltaId id = DeltaId::of_claims(delta.claims);
      const bool lacks =
          std::any_of(holes.begin(), holes.end(), [&](const Hole& hole) { return hole.id == id; });
      if (lacks) found.bodies.push_back(delta);
    }
  }
  if (found.bodies.empty()) return;
  auto incoming = std::make_unique<Incoming>();
  incoming->from = from;
  incoming->origin = pack->origin;
  incoming->epoch = pack->epoch;
  incoming->owners = {bytes};
  incoming->weight = found.bytes();
  incoming->slices.push_back(std::move(found));
  incoming->fills_holes = true;
  incoming->done = [](Ingested, std::size_t) {};
  ingest_->push(std::move(incoming), true);
}

}  // namespace rhizome
