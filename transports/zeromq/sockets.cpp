// Socket options and ZAP. See sockets.hpp, and docs/transports.md for the reason of each option.
#include "zeromq/sockets.hpp"

#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <zmq.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "zeromq/message.hpp"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93  // a draft in zmq.h, in every libzmq since 4.3
#endif

namespace rhizome::zeromq {
namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr const char* kZapDomain = "rhizome";
// More than a full window of the smallest messages, so that the window is what bounds.
constexpr int kSendMessages = 262'144;
// A peer that overruns its window waits in TCP once so many of its messages wait here.
constexpr int kReceiveMessages = 128;

Status failed(const std::string& doing) {
  const int error = zmq_errno();
  const Code code = error == EADDRINUSE                  ? Code::kBusy
                    : error == EINVAL || error == ENODEV ? Code::kInvalid
                    : error == EACCES || error == EPERM  ? Code::kDenied
                                                         : Code::kIo;
  return {code, "zeromq transport: " + doing + ": " + zmq_strerror(error)};
}

template <typename T>
Status set(zmq::socket_t& socket, int option, const T& value) {
  if (zmq_setsockopt(socket.handle(), option, &value, sizeof value) == 0) return {};
  return failed("socket option " + std::to_string(option));
}

Status make(zmq::context_t& context, int type, zmq::socket_t* socket) {
  try {
    *socket = zmq::socket_t(context, type);
  } catch (const zmq::error_t&) {
    return failed("making a socket");
  }
  return set(*socket, ZMQ_LINGER, 0);
}

Status set_common(zmq::socket_t& socket, const rz_transport_identity& identity) {
  // libzmq compares what is on the wire: CURVE adds 33 bytes.
  RZ_TRY(set(socket, ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(kMaxMessage + 33)));
  RZ_TRY(set(socket, ZMQ_SNDHWM, kSendMessages));
  RZ_TRY(set(socket, ZMQ_RCVHWM, kReceiveMessages));
  RZ_TRY(set(socket, ZMQ_HANDSHAKE_IVL, 2000));
  RZ_TRY(set(socket, ZMQ_HEARTBEAT_IVL, 2000));
  RZ_TRY(set(socket, ZMQ_HEARTBEAT_TIMEOUT, 8000));
  RZ_TRY(set(socket, ZMQ_TCP_KEEPALIVE, 1));
  RZ_TRY(set(socket, ZMQ_TCP_KEEPALIVE_IDLE, 30));
  RZ_TRY(set(socket, ZMQ_IPV6, 1));
  RZ_TRY(set(socket, ZMQ_CURVE_SECRETKEY, identity.link_secret_key));
  return set(socket, ZMQ_CURVE_PUBLICKEY, identity.link_public_key);
}

std::vector<zmq::message_t> receive_all(zmq::socket_t& socket) {
  std::vector<zmq::message_t> parts;
  do {
    zmq::message_t part;
    if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return {};
    parts.push_back(std::move(part));
  } while (parts.back().more());
  return parts;
}

void send_part(zmq::socket_t& socket, ByteView bytes, bool more) {
  zmq::message_t part(bytes.data(), bytes.size());
  (void)zmq_msg_send(part.handle(), socket.handle(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

}  // namespace

Status make_context(std::optional<zmq::context_t>* context) {
  try {
    context->emplace(1);
  } catch (const zmq::error_t&) {
    return failed("making a context");
  }
  (void)zmq_ctx_set((*context)->handle(), ZMQ_MAX_SOCKETS, 16'384);
  return {};
}

Status make_zap(zmq::context_t& context, zmq::socket_t* socket) {
  RZ_TRY(make(context, ZMQ_REP, socket));
  if (zmq_bind(socket->handle(), kZapAddress) != 0) return failed("binding the ZAP handler");
  return {};
}

namespace {

// libzmq listens on numbers and on names of interfaces; people also write names of hosts.
Result<std::string> listening_address(const std::string& address) {
  constexpr std::string_view kTcp = "tcp://";
  if (address.rfind(kTcp, 0) != 0) return address;
  const std::size_t colon = address.rfind(':');
  const std::string host = address.substr(kTcp.size(), colon - kTcp.size());
  const std::string port = address.substr(colon + 1);
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  if (host == "*" || host[0] == '[' || numeric || ::if_nametoindex(host.c_str()) != 0)
    return address;
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0)
    return Status(Code::kInvalid, "zeromq transport: listening on " + address + ": the name '" +
                                      host + "' does not resolve (" + ::gai_strerror(error) +
                                      "); write an address of this machine, or * for all");
  char number[NI_MAXHOST] = {};
  const bool is_six = found->ai_family == AF_INET6;
  (void)::getnameinfo(found->ai_addr, found->ai_addrlen, number, sizeof number, nullptr, 0,
                      NI_NUMERICHOST);
  ::freeaddrinfo(found);
  return std::string(kTcp) + (is_six ? "[" : "") + number + (is_six ? "]:" : ":") + port;
}

}  // namespace

Status make_listener(zmq::context_t& context, const rz_transport_identity& identity,
                     const std::string& address, int backlog, zmq::socket_t* socket,
                     zmq::socket_t* monitor) {
  const Result<std::string> numeric = listening_address(address);
  if (!numeric.ok()) return numeric.status();
  RZ_TRY(make(context, ZMQ_ROUTER, socket));
  RZ_TRY(set(*socket, ZMQ_CURVE_SERVER, 1));
  RZ_TRY(set_common(*socket, identity));
  RZ_TRY(set(*socket, ZMQ_ROUTER_MANDATORY, 1));
  RZ_TRY(set(*socket, ZMQ_BACKLOG, backlog));
  if (zmq_setsockopt(socket->handle(), ZMQ_ZAP_DOMAIN, kZapDomain, std::strlen(kZapDomain)) != 0)
    return failed("socket option ZMQ_ZAP_DOMAIN");
  RZ_TRY(set(*socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1));
  // Before it listens: the first event is the listener's descriptor.
  RZ_TRY(make_monitor(context, *socket, "inproc://listener",
                      ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED, monitor));
  if (zmq_bind(socket->handle(), numeric->c_str()) != 0) {
    const Status status = failed("listening on " + address);
    end_monitor(*socket, monitor);
    return status;
  }
  return {};
}

Status make_dialler(zmq::context_t& context, const rz_transport_identity& identity,
                    const LinkKey& peer, const std::string& address, zmq::socket_t* socket,
                    zmq::socket_t* monitor) {
  static std::atomic<std::uint64_t> next{1};
  constexpr int kEnds = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  RZ_TRY(make(context, ZMQ_DEALER, socket));
  RZ_TRY(set(*socket, ZMQ_CURVE_SERVERKEY, peer));
  RZ_TRY(set_common(*socket, identity));
  RZ_TRY(set(*socket, ZMQ_RECONNECT_IVL, -1));
  RZ_TRY(set(*socket, ZMQ_CONNECT_TIMEOUT, 3000));
  RZ_TRY(
      make_monitor(context, *socket, "inproc://dialler" + std::to_string(next++), kEnds, monitor));
  if (zmq_connect(socket->handle(), address.c_str()) != 0)
    return failed("connecting to " + address);
  return {};
}

Status make_monitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name,
                    int events, zmq::socket_t* monitor) {
  if (zmq_socket_monitor(watched.handle(), name.c_str(), events) != 0)
    return failed("watching a socket");
  RZ_TRY(make(context, ZMQ_PAIR, monitor));
  // Without a bound of its own: libzmq's thread would wait for room, with all connections, and with
  // the lock that ending this takes. It holds the ends of one tick, as many as can be accepted.
  RZ_TRY(set(*monitor, ZMQ_RCVHWM, 0));
  if (zmq_connect(monitor->handle(), name.c_str()) != 0) return failed("watching a socket");
  return {};
}

void end_monitor(zmq::socket_t& watched, zmq::socket_t* monitor) {
  if (watched) (void)zmq_socket_monitor(watched.handle(), nullptr, 0);
  monitor->close();
}

bool saw_an_end(zmq::socket_t& monitor) {
  bool ended = false;
  while (!receive_all(monitor).empty()) ended = true;
  return ended;
}

bool answer_zap(zmq::socket_t& zap, const std::function<bool(const LinkKey&)>& authorize) {
  // RFC 27: version, request id, domain, address, identity, mechanism, credentials.
  std::vector<zmq::message_t> parts = receive_all(zap);
  if (parts.empty()) return false;
  const auto text = [&](std::size_t i) {
    return i < parts.size() ? parts[i].to_string_view() : std::string_view();
  };
  LinkKey key{};
  bool welcome = false;
  if (parts.size() == 7 && text(0) == "1.0" && text(2) == kZapDomain && text(5) == "CURVE" &&
      text(6).size() == key.size()) {
    std::memcpy(key.data(), text(6).data(), key.size());
    welcome = authorize(key);
  }
  send_part(zap, "1.0", true);
  send_part(zap, text(1), true);
  send_part(zap, welcome ? "200" : "400", true);
  send_part(zap, welcome ? "OK" : "this key may not connect", true);
  send_part(zap, welcome ? to_hex(view(key.data(), key.size())) : std::string(), true);
  send_part(zap, "", false);
  return true;
}

std::string address_of(zmq::message_t& message) {
  const char* address = zmq_msg_gets(message.handle(), "Peer-Address");
  if (address == nullptr) return {};
  // A socket that listens on both families shows IPv4 as mapped.
  constexpr std::string_view kMapped = "::ffff:";
  std::string_view text(address);
  if (text.substr(0, kMapped.size()) == kMapped) text.remove_prefix(kMapped.size());
  return std::string(text);
}

bool key_of(zmq::message_t& message, LinkKey* key) {
  const char* hex = zmq_msg_gets(message.handle(), "User-Id");
  std::string bytes;
  if (hex == nullptr || !from_hex(hex, &bytes) || bytes.size() != key->size()) return false;
  std::memcpy(key->data(), bytes.data(), bytes.size());
  return true;
}

}  // namespace rhizome::zeromq
