// Bare libzmq sockets as the benches set them beside the node's. For tests/bench alone.
#pragma once

#include <zmq.h>

#include <cstdlib>

namespace rhizome::bench {

// Keys of their own on both sides. Before either is bound or connected.
inline void use_curve(void* server, void* client) {
  char server_public[41], server_secret[41], public_key[41], secret[41];
  if (zmq_curve_keypair(server_public, server_secret) != 0 ||
      zmq_curve_keypair(public_key, secret) != 0)
    std::abort();
  const int yes = 1;
  zmq_setsockopt(server, ZMQ_CURVE_SERVER, &yes, sizeof yes);
  zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, server_secret, 41);
  zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_public, 41);
  zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, public_key, 41);
  zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, secret, 41);
}

// Binds the one to a free port of the loopback and connects the other to it.
inline void join(void* server, void* client) {
  char endpoint[256];
  std::size_t size = sizeof endpoint;
  if (zmq_bind(server, "tcp://127.0.0.1:*") != 0) std::abort();
  zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size);
  zmq_connect(client, endpoint);
}

}  // namespace rhizome::bench
