// Frames in and out of sessions.
#include "session/sessions.hpp"

#include <algorithm>

namespace rhizome::session {

namespace {

using wire::Kind;

// Link keys whose buckets are remembered after their connections ended.
constexpr std::size_t kMaxAccounts = 4096;

// Where the body of a plain frame begins.
void take_plain(ByteView bytes, const wire::Frame& frame, Inbound& in) {
  in.frame = frame;
  in.frame.body = {};
  in.body_at = wire::kFrameHeader;
  in.bytes = bytes;
}

Ruling malformed(bool counts) {
  return {counts ? Ruling::kMalformed : Ruling::kDrop, 0, "a frame that does not decode"};
}

}  // namespace

std::shared_ptr<Sessions::Session> Sessions::find(std::uint64_t connection) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(connection);
  return found == sessions_.end() ? nullptr : found->second;
}

// REQUIRES: mutex_ is held.
std::shared_ptr<Sessions::Account> Sessions::account_of(const LinkKey& link, std::uint64_t now_ns) {
  if (const auto found = accounts_.find(link); found != accounts_.end()) return found->second;
  // An account that no connection uses may go, and one whose buckets are full again loses nothing
  // by it. Where there is none, the one that would be full soonest goes.
  if (accounts_.size() >= kMaxAccounts) {
    auto goes = accounts_.end();
    std::uint64_t soonest = UINT64_MAX;
    for (auto entry = accounts_.begin(); entry != accounts_.end() && soonest != 0; ++entry) {
      if (entry->second.use_count() != 1) continue;
      const std::lock_guard account(entry->second->mutex);
      const std::uint64_t full_in = entry->second->buckets.full_in_ns(now_ns);
      if (goes != accounts_.end() && full_in >= soonest) continue;
      goes = entry;
      soonest = full_in;
    }
    if (goes != accounts_.end()) accounts_.erase(goes);
  }
  return accounts_[link] = std::make_shared<Account>(bucket_options_);
}

void Sessions::up(const use::Connection& connection, std::uint64_t now_ns) {
  auto session = std::make_shared<Session>(connection, bucket_options_);
  const std::lock_guard lock(mutex_);
  session->account = account_of(connection.link, now_ns);
  sessions_[connection.number] = std::move(session);
}

void Sessions::down(std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(connection);
  std::erase_if(asked_, [&](const auto& entry) { return entry.second->info.number == connection; });
}

void Sessions::make(std::uint64_t connection, const Agreed& agreed) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr) return;
  const std::scoped_lock lock(session->mutex, session->send_mutex);
  session->made = true;
  session->node = agreed.node;
  session->boot = agreed.boot;
  if (session->info.proven) return;
  session->opener.emplace(agreed.receive);
  session->sealer.emplace(agreed.send);
}

// A claimed link key pays out of its connection's own buckets until a tag proves it.
Ruling Sessions::ask(Session& session, bool own_account, Kind kind, std::size_t bytes,
                     std::uint64_t now_ns) const {
  Ruling ruling;
  Buckets::Verdict asked{};
  if (own_account) {
    const std::lock_guard lock(session.account->mutex);
    asked = session.account->buckets.ask(class_of(kind), bytes, now_ns, ruling.retry_after_ms);
  } else {
    asked = session.before.ask(class_of(kind), bytes, now_ns, ruling.retry_after_ms);
  }
  const bool counts = own_account || session.info.proven;
  ruling.why = "requests without end, though it was refused";
  switch (asked) {
    case Buckets::kTake:
      ruling.kind = Ruling::kTake;
      break;
    case Buckets::kRefuse:
      ruling.kind = Ruling::kRefuse;
      break;
    case Buckets::kViolation:
      ruling.kind = counts ? Ruling::kViolation : Ruling::kDrop;
      break;
    case Buckets::kDrop:
      ruling.kind = Ruling::kDrop;
      break;
  }
  return ruling;
}

Ruling Sessions::request(std::uint64_t connection, ByteView bytes, std::uint64_t now_ns,
                         Inbound& in) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr || bytes.empty()) return {};
  in.connection = connection;
  in.link = session->info.link;
  const bool proven = session->info.proven;
  const Kind kind = static_cast<Kind>(bytes[0]);
  const std::lock_guard lock(session->mutex);
  const bool is_plain = is_hello(kind) || !session->made || proven;
  in.in_session = session->made && !is_hello(kind);
  if (in.in_session) in.frame.sender = session->node;
  if (is_plain) {
    const Ruling ruling = ask(*session, in.in_session && proven, kind, bytes.size(), now_ns);
    if (ruling.kind != Ruling::kTake) return ruling;
    const PublicKey sender = in.frame.sender;
    const Result<wire::Frame> frame = wire::decode_frame(bytes);
    if (!frame.ok()) return malformed(proven);
    take_plain(bytes, *frame, in);
    in.frame.sender = sender;
    return ruling;
  }
  Ruling ruling;
  if (session->before.ask(Class::kUnopened, bytes.size(), now_ns, ruling.retry_after_ms) !=
      Buckets::kTake)
    return ruling;
  // A wrong tag ends nothing and costs nothing: anyone between the nodes can send one.
  Result<Opened> opened = session->opener->open(bytes);
  if (!opened.ok() || opened->pattern != Pattern::kRequest) return {};
  ruling = ask(*session, true, kind, bytes.size(), now_ns);
  // Also where it is refused: the answer must name the request.
  in.number = opened->number;
  if (ruling.kind != Ruling::kTake) return ruling;
  const PublicKey sender = in.frame.sender;
  in.opened = std::move(opened->body);
  in.bytes = in.opened;
  in.frame = opened->frame;
  in.frame.sender = sender;
  return ruling;
}

Ruling Sessions::published(std::uint64_t connection, ByteView bytes, std::uint64_t now_ns,
                           Inbound& in) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr || bytes.empty()) return {};
  in.connection = connection;
  in.link = session->info.link;
  const bool proven = session->info.proven;
  const Kind kind = static_cast<Kind>(bytes[0]);
  const std::lock_guard lock(session->mutex);
  if (!session->made) return {};
  const Ruling ruling = ask(*session, proven, Kind::kPropagate, bytes.size(), now_ns);
  if (ruling.kind != Ruling::kTake) return {};
  if (kind != Kind::kPublication && (kind != Kind::kPropagate || !proven))
    return {proven ? Ruling::kMalformed : Ruling::kDrop, 0, "a published frame of another kind"};
  if (kind == Kind::kPublication) {  // another header: open_publication reads it
    in.frame.kind = kind;
    in.frame.lane = wire::lane_of(kind);
    in.body_at = std::min(kPublicationHeader, bytes.size());
    in.bytes = bytes;
  } else {
    const Result<wire::Frame> frame = wire::decode_frame(bytes);
    if (!frame.ok()) return malformed(proven);
    take_plain(bytes, *frame, in);
  }
  in.in_session = true;
  in.frame.sender = session->node;
  return ruling;
}

Ruling Sessions::reply(std::uint64_t request, ByteView bytes, bool& last, Inbound& in) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(request);
    if (found != asked_.end()) session = found->second;
  }
  const Kind kind = bytes.empty() ? Kind{} : static_cast<Kind>(bytes[0]);
  if (session == nullptr) {  // of hello, or on a proven connection
    const Result<wire::Frame> frame = wire::decode_frame(bytes);
    if (!frame.ok()) return malformed(true);
    take_plain(bytes, *frame, in);
    return {Ruling::kTake, 0, ""};
  }
  const std::lock_guard lock(session->mutex);
  if (!session->opener) return {};
  Result<Opened> opened = session->opener->open(bytes);
  if (!opened.ok() || opened->pattern == Pattern::kRequest || opened->number != request) return {};
  last = opened->pattern == Pattern::kLastReply;
  in.opened = std::move(opened->body);
  in.bytes = in.opened;
  in.frame = opened->frame;
  in.frame.kind = kind;
  in.frame.sender = session->node;
  in.in_session = true;
  return {Ruling::kTake, 0, ""};
}

Status Sessions::send_request(std::uint64_t connection, const wire::Frame& frame,
                              std::uint64_t number, std::uint32_t row, const Transmit& transmit) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr) return {Code::kClosed, "the connection has ended"};
  if (session->info.proven || wire::is_hello(frame.kind))
    return transmit(wire::encode_frame(frame));
  const std::lock_guard lock(session->send_mutex);
  if (!session->sealer) return {Code::kClosed, "no session on this connection yet"};
  {
    const std::lock_guard table(mutex_);
    asked_[number] = session;
  }
  Status sent = transmit(session->sealer->seal(frame, Pattern::kRequest, number, row));
  if (!sent.ok()) forget_request(number);
  return sent;
}

Status Sessions::send_reply(std::uint64_t connection, const wire::Frame& frame,
                            const std::optional<std::uint64_t>& number, bool last,
                            std::uint32_t row, const Transmit& transmit) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr) return {Code::kClosed, "the connection has ended"};
  if (session->info.proven || !number) return transmit(wire::encode_frame(frame));
  const std::lock_guard lock(session->send_mutex);
  return transmit(
      session->sealer->seal(frame, last ? Pattern::kLastReply : Pattern::kReply, *number, row));
}

void Sessions::forget_request(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  asked_.erase(number);
}

Result<ByteView> Sessions::open_publication(std::uint64_t connection, ByteView topic,
                                            ByteView frame) {
  const std::shared_ptr<Session> session = find(connection);
  if (session == nullptr) return Status(Code::kClosed, "the connection has ended");
  PublicKey node{};
  BootNonce boot{};
  {
    const std::lock_guard lock(session->mutex);
    node = session->node;
    boot = session->boot;
  }
  return session->subscriber.take(topic, frame, local_.fabric, node, boot);
}

bool Sessions::publishes_signed() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(sessions_.begin(), sessions_.end(), [](const auto& entry) {
    if (entry.second->info.proven) return false;
    const std::lock_guard session(entry.second->mutex);
    return entry.second->made;
  });
}

}  // namespace rhizome::session
