// Makes the sockets of a transport with every option that keeps strangers out and memory bounded,
// and answers ZAP, libzmq's question whether a key may connect. Owner thread, but for `listen`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "rhizome/status.hpp"
#include "rhizome/transport.hpp"

namespace rhizome::zeromq {

using plugin::LinkKey;

inline constexpr int kLingerMs = 50;  // how long a goodbye may take

// A context for one transport: ZAP's address exists once in a context.
Status make_context(std::optional<zmq::context_t>* context);

// The ZAP handler's socket. REQUIRES: made before any listener of the context. Without it, every
// key is refused (ZMQ_ZAP_ENFORCE_DOMAIN; libzmq's default would let every key in).
Status make_zap(zmq::context_t& context, zmq::socket_t* socket);

// A bound ROUTER that takes CURVE connections to this identity, and the monitor of its listening
// and of the connections that come and go. kBusy where the address is taken; kInvalid for a host
// name that does not resolve. `backlog`: connections that wait to be accepted.
Status make_listener(zmq::context_t& context, const rz_transport_identity& identity,
                     const std::string& address, int backlog, zmq::socket_t* socket,
                     zmq::socket_t* monitor);

// A DEALER that connects once (it never reconnects: a lost one is replaced), and only to the
// holder of `peer`. `monitor` tells of its end.
Status make_dialler(zmq::context_t& context, const rz_transport_identity& identity,
                    const LinkKey& peer, const std::string& address, zmq::socket_t* socket,
                    zmq::socket_t* monitor);

// Watches a socket for the given events. `name` is unique in the context.
Status make_monitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name,
                    int events, zmq::socket_t* monitor);
// REQUIRES: before `watched` is closed. A monitor that is closed without this blocks libzmq's own
// thread at the next event, for good.
void end_monitor(zmq::socket_t& watched, zmq::socket_t* monitor);
// Did the connection end, or fail to come about, since the last look?
bool saw_an_end(zmq::socket_t& monitor);

// Answers one waiting ZAP request, if any; false when none waited. A key is let in only when
// `authorize` says so; the connection's User-Id becomes the key in hex.
bool answer_zap(zmq::socket_t& zap, const std::function<bool(const LinkKey&)>& authorize);

// The key that the sender of this message proved to hold (set by answer_zap); false: none.
bool key_of(zmq::message_t& message, LinkKey* key);
// The numeric address that the message came from, without a port; empty where there is none.
std::string address_of(zmq::message_t& message);

}  // namespace rhizome::zeromq
