// Sealing, sending, opening and dispatching frames; the transport's events, copied to the strand.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

using wire::Frame;
using wire::Kind;
using wire::Lane;

namespace {

constexpr std::size_t kFrameOverhead = 64;  // what a frame weighs in a lane beside its bytes

}  // namespace

// A wrong config (another fabric, another version) is no attack until it floods.
double weight_of(Code code) {
  return code == Code::kInvalid || code == Code::kCorrupt ? Standing::kBadFrame : 1;
}

bool Fabric::Core::authorize(const LinkKey& peer) noexcept {
  return membership_.may_connect(peer, executor_.wall_ms()) &&
         !standing_.excluded(peer, executor_.monotonic_ns());
}

void Fabric::Core::peer(const LinkKey& peer, bool up) noexcept {
  if (!up) lanes_->forget(peer);
  strand_->post([self = shared_from_this(), peer, up] { self->on_peer(peer, up); });
}

// What a frame says of its lane is believed only where it takes a lower one than its kind has.
Lane Fabric::Core::lane_for(const LinkKey& link, ByteView bytes) const {
  const Result<Frame> frame = wire::open(bytes);
  if (!frame.ok()) return Lane::kStranger;
  const bool greets = frame->kind == Kind::kHello && membership_.expects(link);
  if (!greets && !lanes_->knows(link)) return Lane::kStranger;
  return std::max(frame->lane, wire::lane_of(frame->kind));
}

void Fabric::Core::queue(Lane lane, const LinkKey& from, ByteView frame,
                         std::function<void(const std::shared_ptr<std::string>&)> handle) {
  const std::size_t size = frame.size() + kFrameOverhead;
  if (!lanes_->reserve(lane, from, size)) return;
  lanes_->put(lane, from, size,
              [bytes = std::make_shared<std::string>(frame), handle = std::move(handle)] {
                handle(bytes);
              });
}

void Fabric::Core::published(const LinkKey& peer, ByteView, ByteView frame) noexcept {
  // Lossy by contract: what finds no room is announced and fetched.
  queue(lane_for(peer, frame), peer, frame,
        [self = shared_from_this(), peer](const auto& bytes) { self->on_published(peer, bytes); });
}

void Fabric::Core::request(const LinkKey& peer, std::uint64_t request, ByteView frame) noexcept {
  // One that finds no room is not answered: its deadline tells the asker.
  queue(lane_for(peer, frame), peer, frame,
        [self = shared_from_this(), peer, request](const auto& bytes) {
          self->on_request(peer, request, bytes);
        });
}

void Fabric::Core::reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept {
  const Lane lane = static_cast<Lane>(request % kLanes);
  const std::size_t size = frame.size() + kFrameOverhead;
  const LinkKey ours{};  // replies to us wait in one queue a lane, in their order
  const bool fits = code == Code::kOk && lanes_->reserve(lane, ours, size);
  if (fits) {
    auto bytes = std::make_shared<std::string>(frame);
    lanes_->put(lane, ours, size, [self = shared_from_this(), request, bytes, last] {
      self->on_reply(request, Code::kOk, bytes, last);
    });
    return;
  }
  // An end is always taken: one waits for each request of ours. A reply without room ends its own.
  const Code end = code == Code::kOk ? Code::kLimit : code;
  lanes_->put(lane, ours, 0, [self = shared_from_this(), request, end] {
    self->on_reply(request, end, std::make_shared<std::string>(), true);
  });
}

// Nothing on this floor pushes work; a peer that does is told by the transport's own queue bound.
void Fabric::Core::work(const LinkKey&, ByteView) noexcept { ++counters_.refused_frames; }

std::string Fabric::Core::seal(Kind kind, Lane lane, ByteView body, const NodeKey* recipient,
                               std::uint64_t deadline_ms) const {
  Frame frame;
  frame.fabric = fabric_;
  frame.sender = key_.public_key();
  if (recipient != nullptr) frame.recipient = view(recipient->data(), recipient->size());
  frame.kind = kind;
  frame.lane = lane;
  frame.deadline_ms = deadline_ms;
  frame.body = body;
  return wire::seal(frame, key_);
}

void Fabric::Core::send(Member& member, Kind kind, Lane lane, ByteView body, ReplyHandler handler,
                        std::uint64_t deadline_ms) {
  if (deadline_ms == 0) deadline_ms = options_.request_deadline_ms;
  // Whoever has not greeted us yet is known by its link only, so that its frame names nobody.
  const NodeKey* recipient =
      member.greeted || member.status.configured ? &member.status.key : nullptr;
  const std::string bytes = seal(kind, lane, body, recipient, deadline_ms);
  // The number tells the lane that its replies wait in.
  const std::uint64_t number = next_request_++ * kLanes + static_cast<std::uint64_t>(lane);
  pending_[number] = {member.link, std::move(handler)};
  const Status sent = transport_->request(member.link, number, bytes, deadline_ms);
  if (!sent.ok()) {
    strand_->post([self = shared_from_this(), number, code = sent.code()] {
      self->on_reply(number, code, std::make_shared<std::string>(), true);
    });
  }
}

void Fabric::Core::answer(std::uint64_t request, const NodeKey& to, Kind kind, Lane lane,
                          ByteView body) {
  // A reply that cannot go (the asker left or reads too slowly) is the asker's deadline to notice.
  const Status sent = transport_->reply(request, seal(kind, lane, body, &to), true);
  if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
}

void Fabric::Core::refuse(std::uint64_t request, const NodeKey& to, Code code,
                          std::string_view why) {
  ++counters_.refused_frames;
  answer(request, to, Kind::kError, Lane::kControl, wire::encode({code, std::string(why)}));
}

Result<Frame> Fabric::Core::open_frame(const LinkKey& link, ByteView bytes) const {
  Result<Frame> frame = wire::open(bytes);
  if (!frame.ok()) return frame;
  if (frame->fabric != fabric_)
    return Status(Code::kDenied, "frame: of another fabric; this node's is '" + options_.fabric +
                                     "' (node.fabric in both configs must be equal)");
  const NodeKey& self = key_.public_key();
  if (!frame->recipient.empty() && frame->recipient != view(self.data(), self.size()))
    return Status(Code::kDenied, "frame: addressed to another node");
  // The link is encrypted with a key derived from the node key: one proves the other.
  const auto member = members_.find(link);
  const bool proven = member != members_.end() && member->second.greeted &&
                      member->second.status.key == frame->sender;
  LinkKey derived{};
  if (!proven && (!link_key_of(frame->sender, derived.data()) || derived != link))
    return Status(Code::kCorrupt, "frame: its sender is not the node of this link");
  if (!wire::is_signed_by_sender(bytes, *frame))
    return Status(Code::kCorrupt, "frame: not signed by its sender");
  return frame;
}

void Fabric::Core::on_request(const LinkKey& link, std::uint64_t request,
                              std::shared_ptr<std::string> bytes) {
  if (stopped_) return;
  ++counters_.received_frames;
  const Result<Frame> frame = open_frame(link, *bytes);
  if (!frame.ok()) {
    log_.warn("fabric.frame.refused", {{"reason", frame.status().message()}});
    // An answer to nobody in particular: who sent this is not known.
    const std::string body = wire::encode({frame.code(), frame.status().message()});
    ++counters_.refused_frames;
    distrust(link, frame.status().message(), weight_of(frame.code()));
    const Status sent =
        transport_->reply(request, seal(Kind::kError, Lane::kControl, body, nullptr), true);
    if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
    return;
  }
  const NodeKey from = frame->sender;
  Member* member = member_of(link);
  if (frame->kind == Kind::kHello) return on_hello(member, link, *frame, request);
  if (frame->kind == Kind::kJoin) return on_join(link, *frame, request);
  if (member == nullptr || !member->greeted)
    return refuse(request, from, Code::kDenied, "say hello first");
  switch (frame->kind) {
    case Kind::kAnnounce: {
      const auto positions = wire::decode_announce(frame->body);
      if (!positions.ok())
        return refuse(request, from, Code::kInvalid, positions.status().message());
      answer(request, from, Kind::kAck, Lane::kControl, {});
      return on_positions(*member, *positions, false);
    }
    default:
      if (serve(*member, *frame, request)) return;
      return refuse(request, from, Code::kUnsupported,
                    "this node answers no frames of kind " +
                        std::to_string(static_cast<unsigned>(frame->kind)));
  }
}

void Fabric::Core::on_reply(std::uint64_t request, Code code, std::shared_ptr<std::string> bytes,
                            bool last) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return;
  const Pending pending = found->second;
  if (last) pending_.erase(found);
  if (stopped_) return;
  if (code != Code::kOk) return pending.handler(code, bytes, {}, last);
  ++counters_.received_frames;
  const Result<Frame> frame = open_frame(pending.link, *bytes);
  if (!frame.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.reply.refused", {{"reason", frame.status().message()}});
    distrust(pending.link, frame.status().message(), weight_of(frame.code()));
    return pending.handler(frame.code(), bytes, {}, last);
  }
  if (frame->kind == Kind::kError) {
    const auto error = wire::decode_error(frame->body);
    // Who holds an invitation is refused first, and then shows its ticket.
    const Member* const peer = member_of(pending.link);
    const bool joins =
        error.ok() && error->code == Code::kDenied && peer != nullptr && peer->ticket.has_value();
    log_.write(joins ? LogLevel::kDebug : LogLevel::kWarn, "fabric.request.refused",
               {{"reason", error.ok() ? error->message : error.status().message()}});
    return pending.handler(error.ok() ? error->code : error.code(), bytes, *frame, last);
  }
  pending.handler(Code::kOk, bytes, *frame, last);
}

}  // namespace rhizome
