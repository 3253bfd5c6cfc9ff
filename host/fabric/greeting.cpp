// From a connection to a peer that was greeted: hello makes a session, introductions follow in it.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

// A lost hello or introduction is sent again after so many heartbeats.
constexpr std::uint64_t kHelloHeartbeats = 5;

}  // namespace

Fabric::Core::Connection* Fabric::Core::connection_of(std::uint64_t number) {
  const auto found = open_.find(number);
  return found == open_.end() ? nullptr : &found->second;
}

// The one key that may say hello on this link: a key and its negative share one link key.
std::optional<NodeKey> Fabric::Core::expected_key(const LinkKey& link) {
  if (std::optional<NodeKey> known = membership_.key_of(link)) return known;
  const Member* const member = member_of(link);
  if (member == nullptr || member->status.key == NodeKey{}) return std::nullopt;
  return member->status.key;
}

void Fabric::Core::on_connection(const use::Connection& info, bool up) {
  if (stopped_) return;
  if (!up) {
    open_.erase(info.number);
    Member* const member = member_of(info.link);
    if (member == nullptr || member->connection != info.number) return;
    leave(*member);
    return take_back(info.link);
  }
  if (member_of(info.link) == nullptr && !authorize(info.link)) return;
  const auto made = open_.emplace(
      info.number,
      Connection{info, {sessions_->local(), info.link, info.proven}, false, false, {}, {}});
  Connection& connection = made.first->second;
  // A link key that is only claimed takes no place, least of all its owner's: a session proves it.
  if (!info.proven)
    await_session(connection);
  else if (member_of(info.link) == nullptr && !membership_.may_speak(info.link))
    await_ticket(connection);
  else if (!come(connection))
    return;
  say_hello(connection);
}

// A peer whose connection ended may have another one: two instances of its transport, or one whose
// end this side sees late.
void Fabric::Core::take_back(const LinkKey& link) {
  Connection* best = nullptr;
  for (auto& [number, connection] : open_) {
    if (connection.info.link != link || (!connection.has_session && !connection.info.proven))
      continue;
    if (best == nullptr || connection.has_session || !best->has_session) best = &connection;
  }
  if (best != nullptr) (void)come(*best);
}

// The peer of this connection takes its place. False: there is none for it.
// REQUIRES: its link key is proven, by the transport or by its session.
bool Fabric::Core::come(Connection& connection) {
  const LinkKey link = connection.info.link;
  Member* member = member_of(link);
  const bool comes = member == nullptr || !member->status.up;
  if (comes && !membership_.expects(link)) {
    member = admit_stranger(link, connection.info.number);
    if (member == nullptr) {
      turn_away(connection);
      return false;
    }
  } else if (member == nullptr) {
    member = place_for(link);
    if (member == nullptr) return false;
  }
  if (member->connection != connection.info.number) {
    if (member->connection != 0) leave(*member);
    member->connection = connection.info.number;
    member->status.up = true;
    log_.info("peer.up", {{"name", member->status.name}, {"key", short_key(member->status.key)}});
    forget_known(link);
    update_snapshot();
  }
  if (connection.has_session) introduce(*member);
  return true;
}

void Fabric::Core::leave(Member& member) {
  member.connection = 0;
  member.status.up = false;
  log_.info("peer.down", {{"name", member.status.name}, {"key", short_key(member.status.key)}});
  member.greeted = false;
  member.introducing = false;
  member.announced = 0;
  member.subscribed.clear();
  for (const auto& service : services_) service->gone(member.link);
  forget_unproven(member.link);
  forget_origin(member.status.key);
  lose_sources(member.link);
  update_snapshot();
}

void Fabric::Core::say_hello(Connection& connection) {
  if (connection.has_session || connection.hello_under_way ||
      session::role_of(sessions_->local().link, connection.info.link) != session::Role::kInitiator)
    return;
  connection.hello_under_way = true;
  const std::uint64_t number = connection.info.number;
  send(
      number, wire::Kind::kHello, wire::Lane::kControl, connection.handshake.begin(),
      [this, number](Code code, const std::shared_ptr<std::string>&, const wire::Frame& frame,
                     bool) {
        Connection* const peer = connection_of(number);
        if (peer == nullptr) return;
        peer->hello_under_way = false;
        if (code == Code::kOk && frame.kind == wire::Kind::kHelloReply)
          return on_hello_reply(*peer, frame);
        if (const auto error = wire::decode_error(frame.body); error.ok())
          note_problem(peer->info.link, error->message);
      },
      options_.heartbeat_ms * kHelloHeartbeats);
}

void Fabric::Core::on_hello_reply(Connection& connection, const wire::Frame& frame) {
  session::Agreed agreed;
  const Result<std::string> confirm =
      connection.handshake.finish(frame.body, expected_key(connection.info.link), agreed);
  if (!confirm.ok()) return hello_failed(connection, confirm.status());
  // What the other side sends once it has our confirmation may come before its answer to it.
  sessions_->make(connection.info.number, agreed);
  connection.hello_under_way = true;
  const std::uint64_t number = connection.info.number;
  send(
      number, wire::Kind::kConfirm, wire::Lane::kControl, *confirm,
      [this, number, node = agreed.node](Code code, const std::shared_ptr<std::string>&,
                                         const wire::Frame& answer, bool) {
        Connection* const peer = connection_of(number);
        if (peer == nullptr) return;
        peer->hello_under_way = false;
        if (code == Code::kOk && answer.kind == wire::Kind::kAck) on_session(*peer, node);
      },
      options_.heartbeat_ms * kHelloHeartbeats);
}

void Fabric::Core::on_hello(Connection& connection, const wire::Frame& frame, const Asked& asked) {
  if (session::role_of(sessions_->local().link, connection.info.link) != session::Role::kResponder)
    return refuse(asked, Code::kDenied, "hello is said by the side whose link key is smaller");
  Result<std::string> reply =
      connection.handshake.answer(frame.body, expected_key(connection.info.link));
  if (!reply.ok()) {
    hello_failed(connection, reply.status());
    return refuse(asked, reply.code(), reply.status().message());
  }
  const Status sent = answer(asked, wire::Kind::kHelloReply, wire::Lane::kControl, *reply, true);
  if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
}

void Fabric::Core::on_confirm(Connection& connection, const wire::Frame& frame,
                              const Asked& asked) {
  const Result<session::Agreed> agreed = connection.handshake.confirm(frame.body);
  if (!agreed.ok()) {
    hello_failed(connection, agreed.status());
    return refuse(asked, agreed.code(), agreed.status().message());
  }
  sessions_->make(connection.info.number, *agreed);
  acknowledge(asked);
  on_session(connection, agreed->node);
}

// On an unproven connection anyone on the way can have made it fail.
void Fabric::Core::hello_failed(const Connection& connection, const Status& why) {
  ++counters_.refused_frames;
  log_.warn("fabric.hello.refused", {{"reason", why.message()}});
  note_problem(connection.info.link, why.message());
  if (connection.info.proven) distrust(connection.info.link, why.message(), weight_of(why.code()));
}

void Fabric::Core::note_problem(const LinkKey& link, const std::string& problem) {
  Member* const member = member_of(link);
  if (member == nullptr || member->greeted) return;
  member->status.problem = problem;
  update_snapshot();
}

void Fabric::Core::on_session(Connection& connection, const NodeKey& node) {
  connection.has_session = true;
  connection.node = node;
  const LinkKey link = connection.info.link;
  Member* const member = member_of(link);
  if (connection.info.proven) {
    if (member != nullptr && member->connection == connection.info.number) introduce(*member);
  } else if (member == nullptr && !membership_.may_speak(link)) {
    await_ticket(connection);
  } else {
    (void)come(connection);
  }
}

std::string Fabric::Core::introduction(const LinkKey& link, std::uint64_t& told) const {
  wire::Introduction own;
  own.name = options_.name.substr(0, wire::kMaxName);
  own.addresses = options_.advertise;
  if (own.addresses.empty())
    if (auto addresses = transport_->addresses(); addresses.ok()) own.addresses = *addresses;
  if (own.addresses.size() > wire::kMaxAddresses) own.addresses.resize(wire::kMaxAddresses);
  own.provides = {"propagate", "announce"};
  for (const auto& service : services_)
    if (!service->provides().empty()) own.provides.emplace_back(service->provides());
  told = 0;
  own.positions = news_for(link, told);
  own.settings = options_.settings;
  return wire::encode(own);
}

void Fabric::Core::introduce(Member& member) {
  if (member.introducing || !member.status.up) return;
  member.introducing = true;
  member.introduction_unanswered = true;
  std::uint64_t told = 0;
  const std::string body = introduction(member.link, told);
  send(
      member.connection, wire::Kind::kIntroduce, wire::Lane::kControl, body,
      [this, number = member.connection, told](Code code, const std::shared_ptr<std::string>&,
                                               const wire::Frame& frame, bool) {
        Connection* const connection = connection_of(number);
        Member* peer = connection == nullptr ? nullptr : member_of(connection->info.link);
        if (peer == nullptr || peer->connection != number) return;
        peer->introducing = false;
        if (code == Code::kDenied) {
          const Result<wire::Error> error = wire::decode_error(frame.body);
          peer->status.problem = error.ok() ? error->message : error.status().message();
          update_snapshot();
          return show_ticket(*peer);
        }
        if (code != Code::kOk || frame.kind != wire::Kind::kIntroduce) return;
        if (!accept_introduction(*connection, frame).ok()) return;
        peer = member_of(connection->info.link);
        peer->introduction_unanswered = false;
        peer->announced = told;
        announce(*peer);
      },
      options_.heartbeat_ms * kHelloHeartbeats);
}

// REQUIRES: the frame came in the session of this connection, so that its sender is proven.
Status Fabric::Core::accept_introduction(Connection& connection, const wire::Frame& frame) {
  const LinkKey link = connection.info.link;
  const Result<wire::Introduction> theirs = wire::decode_introduction(frame.body);
  if (!theirs.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.introduction.refused", {{"reason", theirs.status().message()}});
    return theirs.status();
  }
  RZ_TRY(membership_.meet(frame.sender, theirs->name, theirs->addresses, executor_.wall_ms()));
  Member* member = member_of(link);
  if (member == nullptr) {
    member =
        membership_.expects(link) ? place_for(link) : admit_stranger(link, connection.info.number);
    if (member == nullptr) return {Code::kLimit, "this node knows as many members as it may"};
  }
  if (member->connection != connection.info.number) {
    if (member->connection != 0) leave(*member);
    forget_known(link);
    member->connection = connection.info.number;
    member->status.up = true;
  }
  member->greeted = true;
  lanes_->know(link, true);
  member->status.key = frame.sender;
  member->status.problem.clear();
  compare_settings(*member, *theirs);
  if (!member->status.configured) {
    member->status.name = theirs->name;
    member->status.addresses = theirs->addresses;
  }
  member->peer = {link, frame.sender, member->status.name, theirs->provides,
                  member->status.configured};
  // Its own numbers are taken from itself, before it has written any.
  choose_source(frame.sender);
  on_positions(*member, theirs->positions, true);
  for (const auto& service : services_) service->greeted(member->peer);
  membership_.let_in_by(frame.sender);
  return {};
}

void Fabric::Core::on_introduce(Connection& connection, Member* member, const wire::Frame& frame,
                                const Asked& asked) {
  const LinkKey link = connection.info.link;
  if (member == nullptr && (!authorize(link) || !membership_.may_speak(link)))
    return refuse(asked, Code::kDenied, "this node does not know your key");
  if (const Status accepted = accept_introduction(connection, frame); !accepted.ok())
    return refuse(asked, accepted.code(), accepted.message());
  std::uint64_t told = 0;
  const std::string body = introduction(link, told);
  const Status sent = answer(asked, wire::Kind::kIntroduce, wire::Lane::kControl, body, true);
  if (!sent.ok()) log_.debug("fabric.reply.lost", {{"reason", sent.to_string()}});
  member_of(link)->announced = told;
  update_snapshot();
}

}  // namespace rhizome
