// What goes over a link: sending, receiving, telling the host. Owner thread. See engine.hpp.
#include <zmq.h>

#include <algorithm>

#include "zeromq/engine.hpp"

namespace rhizome::zeromq {

// False: the connection cannot take it any more, and the link is to be dropped.
bool Engine::send(Link* link, Lane lane, zmq::message_t* message) {
  LaneState& state = link->lane(lane);
  state.said = Ledger::now_ms();
  if (link->dialled) {
    zmq::socket_t& socket = dials_[link->peer].sockets[static_cast<std::size_t>(lane)];
    return socket && zmq_msg_send(message->handle(), socket.handle(), ZMQ_DONTWAIT) >= 0;
  }
  zmq::message_t routing_id(state.routing_id.data(), state.routing_id.size());
  if (zmq_msg_send(routing_id.handle(), router_.handle(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
    return false;
  return zmq_msg_send(message->handle(), router_.handle(), ZMQ_DONTWAIT) >= 0;
}

bool Engine::send(Link* link, Lane lane, const Message& message) {
  zmq::message_t encoded = make_message(message);
  return send(link, lane, &encoded);
}

void Engine::receive(LinkId id, Lane lane, Body* body) {
  Link* link = find(id);
  Message message;
  if (!decode(body->to_string_view(), &message)) {
    complain("a malformed message");
    drop(id, true);
    return;
  }
  LaneState& state = link->lane(lane);
  state.heard = Ledger::now_ms();
  switch (message.kind) {
    case Kind::kWelcome:
      welcome(link, lane, message);
      return;
    case Kind::kReady:
      if (!link->dialled && !link->up && link->lanes[0].greeted && link->lanes[1].greeted)
        up(id, message.session);
      return;
    case Kind::kReset:
    case Kind::kBye:
      drop(id, false);
      return;
    case Kind::kPing:
      return;
    case Kind::kAck:
      ledger_.acked(id, lane, message.number);
      return;
    default:
      break;
  }
  if (!link->up) return;
  if (!may_come(message.kind, lane) || !handle(id, lane, message)) {
    complain("a message against the rules");
    drop(id, true);
    return;
  }
  if (is_accounted(message.kind)) account(id, lane, body->size());
}

// False: an honest peer does not send this.
bool Engine::handle(LinkId id, Lane lane, const Message& message) {
  switch (message.kind) {
    case Kind::kSubscribe:
      return ledger_.granted(id, message.topic);
    case Kind::kUnsubscribe:
      ledger_.revoked(id, message.topic);
      return true;
    case Kind::kRequest:
      handle_request(id, message);
      return true;
    case Kind::kReply:
      return take_reply(id, lane, message);
    case Kind::kMoved:
      take_early(id, message.number);
      return true;
    case Kind::kFailed:
      if (message.value == RZ_OK) return false;
      forget_early(find(id), message.number);
      if (ledger_.replied(id, message.number, true))
        events_.reply(message.number, code_from_abi(static_cast<std::int32_t>(message.value)), {},
                      true);
      return true;
    case Kind::kCancel:
      ledger_.cancelled(id, message.number);
      return true;
    case Kind::kPublished:
      if (ledger_.wants(id, message.topic)) events_.published(id, message.topic, message.frame);
      return true;
    default:
      return false;  // a hello to one that dialled
  }
}

// False: out of order, or more in front of its turn than a window holds.
bool Engine::take_reply(LinkId id, Lane lane, const Message& message) {
  switch (ledger_.place_of(id, message.number, lane)) {
    case Ledger::Place::kUnawaited:
      return true;
    case Ledger::Place::kNext:
      if (ledger_.replied(id, message.number, message.last))
        events_.reply(message.number, Code::kOk, message.frame, message.last);
      return true;
    case Ledger::Place::kEarly:
      break;
    case Ledger::Place::kWrong:
      return false;
  }
  Link* link = find(id);
  const std::size_t most = std::max<std::size_t>(options_.window_bytes, kMaxMessage);
  if (link->early_bytes + message.frame.size() > most) return false;
  link->early_bytes += message.frame.size() + 1;
  std::string kept(1, message.last ? 1 : 0);
  link->early[message.number].push_back(kept.append(message.frame));
  return true;
}

// The control lane has said all that came before the move: what waited is next.
void Engine::take_early(LinkId id, std::uint64_t request) {
  if (!ledger_.moved(id, request)) return;
  Link* link = find(id);
  const auto found = link->early.find(request);
  if (found == link->early.end()) return;
  const std::vector<std::string> frames = found->second;
  forget_early(link, request);
  for (const std::string& kept : frames) {
    const bool last = kept[0] != 0;
    if (ledger_.replied(id, request, last))
      events_.reply(request, Code::kOk, ByteView(kept).substr(1), last);
  }
}

void Engine::forget_early(Link* link, std::uint64_t request) {
  const auto found = link->early.find(request);
  if (found == link->early.end()) return;
  for (const std::string& kept : found->second) link->early_bytes -= kept.size();
  link->early.erase(found);
}

void Engine::handle_request(LinkId id, const Message& message) {
  Link* link = find(id);
  const std::uint64_t token = ledger_.opened(id, message.number, message.value);
  if (token != 0) {
    events_.request(id, token, message.frame);
    return;
  }
  Message refusal;
  refusal.kind = Kind::kFailed;
  refusal.number = message.number;
  refusal.value = RZ_LIMIT;
  if (!send(link, Lane::kControl, refusal)) drop(id, false);
}

// The message is dealt with: tell its sender now and then, which is what opens its window again.
void Engine::account(LinkId id, Lane lane, std::size_t size) {
  Link* link = find(id);
  if (link == nullptr) return;
  LaneState& state = link->lane(lane);
  state.received += cost_of(size);
  if (state.received - state.acked < std::min(options_.window_bytes, state.window) / 8) return;
  state.acked = state.received;
  Message ack;
  ack.kind = Kind::kAck;
  ack.number = state.received;
  if (!send(link, lane, ack)) drop(id, false);
}

// What a peer did wrong is counted, and logged the 1st, 2nd, 4th, 8th ... time.
void Engine::complain(const char* about) {
  ++complaints_;
  if ((complaints_ & (complaints_ - 1)) != 0) return;
  host_.log(RZ_LOG_WARN, "zeromq transport: refused " + std::string(about) + " (" +
                             std::to_string(complaints_) + " refusals so far)");
}

}  // namespace rhizome::zeromq
