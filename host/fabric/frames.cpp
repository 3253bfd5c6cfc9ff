// Sending and dispatching frames; the transport's events, copied to the strand.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

using session::Inbound;
using session::Ruling;
using wire::Frame;
using wire::Kind;
using wire::Lane;

namespace {

constexpr std::size_t kFrameOverhead = 64;  // what a frame weighs in a lane beside its bytes
constexpr std::size_t kLargeFrame = 16u << 10;
constexpr std::uint64_t kMillisecond = 1'000'000;

Frame frame_of(Kind kind, Lane lane, ByteView body, std::uint64_t timeout_ms = 0) {
  Frame frame;
  frame.kind = kind;
  frame.lane = lane;
  frame.timeout_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(timeout_ms, UINT32_MAX));
  frame.body = body;
  return frame;
}

}  // namespace

// A wrong config (another fabric, another version) is no attack until it floods.
double weight_of(Code code) {
  return code == Code::kInvalid || code == Code::kCorrupt ? Standing::kBadFrame : 1;
}

// The transport's lane of a frame. What is large may wait, whatever it is: all that is small would
// wait for it.
std::uint32_t transport_lane(Lane lane, std::size_t size) {
  if (size > kLargeFrame || lane >= Lane::kCatchUp) return RZ_LANE_BULK;
  return lane == Lane::kControl ? RZ_LANE_CONTROL : RZ_LANE_LIVE;
}

bool Fabric::Core::authorize(const LinkKey& peer) noexcept {
  return membership_.may_connect(peer, executor_.wall_ms()) &&
         !standing_.excluded(peer, executor_.monotonic_ns());
}

void Fabric::Core::connection(const use::Connection& info, bool up) noexcept {
  if (up) {
    sessions_->up(info, executor_.monotonic_ns());
    connections_.up(info);
  } else {
    sessions_->down(info.number);
    connections_.down(info.number);
    if (!connections_.has_link(info.link)) lanes_->forget(info.link);
  }
  strand_->post([self = shared_from_this(), info, up] { self->on_connection(info, up); });
}

void Fabric::Core::writable(std::uint64_t connection, std::uint32_t) noexcept {
  connections_.writable(connection);
}

// The lane that a frame names is believed only where it is lower than the one of its kind.
Lane Fabric::Core::lane_for(const Inbound& in) const {
  const bool greets = wire::is_hello(in.frame.kind) || in.frame.kind == Kind::kIntroduce;
  const bool expected = greets && membership_.expects(in.link);
  if (!expected && (!in.in_session || !lanes_->knows(in.link))) return Lane::kStranger;
  return std::max(in.frame.lane, wire::lane_of(in.frame.kind));
}

// False where it is not to be looked at; what its sender did wrong is counted.
bool Fabric::Core::passes(const Ruling& ruling, const LinkKey& link) {
  if (ruling.kind == Ruling::kTake) return true;
  if (ruling.kind == Ruling::kMalformed) {
    ++counters_.refused_frames;
    distrust(link, ruling.why, Standing::kBadFrame);
    return false;
  }
  ++counters_.throttled;
  if (ruling.kind == Ruling::kViolation) distrust(link, ruling.why, Standing::kFlood);
  return false;
}

Fabric::Core::Received Fabric::Core::copy_of(Inbound&& in) {
  Received received;
  received.connection = in.connection;
  received.link = in.link;
  received.in_session = in.in_session;
  received.number = in.number;
  received.frame = in.frame;
  received.bytes = std::make_shared<std::string>(in.opened.empty() ? std::string(in.bytes)
                                                                   : std::move(in.opened));
  received.frame.body = ByteView(*received.bytes).substr(in.body_at);
  received.body_at = in.body_at;
  return received;
}

void Fabric::Core::queue(Inbound&& in, std::function<void(Received&&)> handle) {
  const Lane lane = lane_for(in);
  const LinkKey link = in.link;
  const std::size_t size = in.bytes.size() + kFrameOverhead;
  if (!lanes_->reserve(lane, link, size)) return;
  lanes_->put(lane, link, size,
              [received = copy_of(std::move(in)), handle = std::move(handle)]() mutable {
                handle(std::move(received));
              });
}

void Fabric::Core::published(std::uint64_t connection, ByteView topic, ByteView bytes) noexcept {
  Inbound in;
  const Ruling ruling = sessions_->published(connection, bytes, executor_.monotonic_ns(), in);
  if (!passes(ruling, in.link)) return;
  // Lossy by contract: what finds no room is announced and fetched.
  std::string signed_topic = in.frame.kind == Kind::kPublication ? std::string(topic) : "";
  queue(std::move(in),
        [self = shared_from_this(), signed_topic = std::move(signed_topic)](Received&& received) {
          self->on_published(std::move(received), signed_topic);
        });
}

void Fabric::Core::request(std::uint64_t connection, std::uint64_t request,
                           ByteView bytes) noexcept {
  Inbound in;
  const Ruling ruling = sessions_->request(connection, bytes, executor_.monotonic_ns(), in);
  if (!passes(ruling, in.link)) {
    if (ruling.kind != Ruling::kRefuse) return;  // not answered: its timeout tells the asker
    const Asked asked{request, in.link, in.frame.sender, connection, in.number};
    return answer_error(
        asked, {Code::kWouldBlock, "more than your share of such requests", ruling.retry_after_ms});
  }
  queue(std::move(in), [self = shared_from_this(), request](Received&& received) {
    self->on_request(request, std::move(received));
  });
}

void Fabric::Core::reply(std::uint64_t request, Code code, ByteView bytes, bool last) noexcept {
  const Lane lane = static_cast<Lane>(request % kLanes);
  const LinkKey ours{};  // replies to us wait in one queue a lane, in their order
  const bool ends = last;
  Inbound in;
  if (code == Code::kOk) {
    const Ruling ruling = sessions_->reply(request, bytes, last, in);
    if (ruling.kind == Ruling::kDrop) {
      ++counters_.refused_frames;
      if (!ends) return;
      code = Code::kClosed;  // the transport lets no other reply through
    } else if (ruling.kind != Ruling::kTake) {
      code = Code::kInvalid;
    }
  }
  const std::size_t size = in.bytes.size() + kFrameOverhead;
  if (code == Code::kOk && lanes_->reserve(lane, ours, size)) {
    lanes_->put(lane, ours, size,
                [self = shared_from_this(), request, received = copy_of(std::move(in)),
                 last]() mutable { self->on_reply(request, std::move(received), last); });
    // A row of replies that was cut short on its way is not taken for a whole one.
    if (last || !ends) return;
    code = Code::kClosed;
  }
  // An end is always taken: one waits for each request of ours. A reply without room ends its own.
  const Code end = code == Code::kOk ? Code::kLimit : code;
  lanes_->put(lane, ours, 0,
              [self = shared_from_this(), request, end] { self->on_end(request, end); });
}

void Fabric::Core::send(std::uint64_t connection, Kind kind, Lane lane, ByteView body,
                        ReplyHandler handler, std::uint64_t timeout_ms) {
  if (timeout_ms == 0) timeout_ms = options_.request_deadline_ms;
  // The number tells the lane that its replies wait in.
  const std::uint64_t number = next_request_++ * kLanes + static_cast<std::uint64_t>(lane);
  pending_[number] = {connection, kind, std::move(handler)};
  // A small request waits for none of what its lane here is behind: its answers do.
  const std::uint32_t carrier = transport_lane(std::min(lane, Lane::kLive), body.size());
  const auto transmit = [&](const std::string& frame) {
    return transport_->request(connection, number, carrier, timeout_ms, frame);
  };
  Status sent(Code::kClosed, "the connection has ended");
  if (const Connection* const to = connection_of(connection)) {
    const auto of = static_cast<std::size_t>(session::class_of(kind));
    sent = executor_.monotonic_ns() < to->paused_until_ns[of]
               ? Status(Code::kWouldBlock, "it asked us to wait")
               : sessions_->send_request(connection, frame_of(kind, lane, body, timeout_ms), number,
                                         carrier, transmit);
  }
  if (!sent.ok()) {
    strand_->post(
        [self = shared_from_this(), number, code = sent.code()] { self->on_end(number, code); });
  }
}

Status Fabric::Core::answer(const Asked& asked, Kind kind, Lane lane, ByteView body, bool last) {
  const std::uint32_t carrier = transport_lane(lane, body.size());
  return sessions_->send_reply(asked.connection, frame_of(kind, lane, body), asked.number, last,
                               carrier, [&](const std::string& frame) {
                                 return transport_->reply(asked.request, carrier, frame, last);
                               });
}

void Fabric::Core::answer_error(const Asked& asked, const wire::Error& error) {
  // A reply that cannot go (the asker left or reads too slowly) is the asker's timeout to notice.
  const Status sent = answer(asked, Kind::kError, Lane::kControl, wire::encode(error), true);
  if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
}

void Fabric::Core::acknowledge(const Asked& asked) {
  const Status sent = answer(asked, Kind::kAck, Lane::kControl, {}, true);
  if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
}

void Fabric::Core::refuse(const Asked& asked, Code code, std::string_view why) {
  ++counters_.refused_frames;
  answer_error(asked, {code, std::string(why)});
}

void Fabric::Core::on_request(std::uint64_t request, Received&& received) {
  if (stopped_) return;
  ++counters_.received_frames;
  const Frame& frame = received.frame;
  const Asked asked{request, received.link, frame.sender, received.connection, received.number};
  Connection* const connection = connection_of(received.connection);
  if (connection == nullptr) return refuse(asked, Code::kDenied, "this node does not know you");
  if (frame.kind == Kind::kHello) return on_hello(*connection, frame, asked);
  if (frame.kind == Kind::kConfirm) return on_confirm(*connection, frame, asked);
  if (!received.in_session) return refuse(asked, Code::kDenied, "say hello first");
  // Its answer to our confirm was lost, but not what it says after that.
  if (!connection->has_session) on_session(*connection, frame.sender);
  Member* const member = member_of(received.link);
  if (frame.kind == Kind::kIntroduce) return on_introduce(*connection, member, frame, asked);
  if (frame.kind == Kind::kJoin) return on_join(frame, asked);
  if (member == nullptr || !member->greeted)
    return refuse(asked, Code::kDenied, "introduce yourself first");
  if (frame.kind == Kind::kAnnounce) {
    const auto positions = wire::decode_announce(frame.body);
    if (!positions.ok()) return refuse(asked, Code::kInvalid, positions.status().message());
    if (!on_positions(*member, *positions, false))
      return refuse(asked, Code::kWouldBlock,
                    "too many epochs that you announced were not delivered yet");
    return acknowledge(asked);
  }
  if (!serve(*member, frame, asked))
    refuse(
        asked, Code::kUnsupported,
        "this node answers no frames of kind " + std::to_string(static_cast<unsigned>(frame.kind)));
}

void Fabric::Core::on_end(std::uint64_t request, Code code) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  sessions_->forget_request(request);
  if (!stopped_) pending.handler(code, std::make_shared<std::string>(), {}, true);
}

void Fabric::Core::on_reply(std::uint64_t request, Received&& received, bool last) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return;
  const Pending pending = found->second;
  if (last) {
    pending_.erase(found);
    sessions_->forget_request(request);
  }
  if (stopped_) return;
  ++counters_.received_frames;
  Frame frame = received.frame;
  Connection* const from = connection_of(pending.connection);
  if (from != nullptr) frame.sender = from->node;
  if (frame.kind != Kind::kError) return pending.handler(Code::kOk, received.bytes, frame, last);
  const auto error = wire::decode_error(frame.body);
  const Code code = error.ok() ? error->code : error.code();
  if (error.ok() && from != nullptr && error->retry_after_ms != 0)
    from->paused_until_ns[static_cast<std::size_t>(session::class_of(pending.kind))] =
        executor_.monotonic_ns() + error->retry_after_ms * kMillisecond;
  // A node that holds an invitation is refused first, and then shows its ticket.
  const Member* const peer = from == nullptr ? nullptr : member_of(from->info.link);
  const bool joins = code == Code::kDenied && peer != nullptr && peer->ticket.has_value();
  const bool is_expected = joins || code == Code::kWouldBlock;
  log_.write(is_expected ? LogLevel::kDebug : LogLevel::kWarn, "fabric.request.refused",
             {{"reason", error.ok() ? error->message : error.status().message()}});
  pending.handler(code, received.bytes, frame, last);
}

}  // namespace rhizome
