// The config of one ZeroMQ transport, and which addresses it takes. Read once, at open.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::zeromq {

struct Options {
  std::string listen;  // empty: this node only dials
  std::uint64_t heartbeat_ms = 1000;
  std::uint64_t silence_ms = 5000;
  std::uint64_t window_bytes = 8U << 20U;
  std::uint64_t requests_per_peer = 1024;
  std::uint64_t max_peers = 256;
};

// kInvalid names the key, what was expected and what was found.
Result<Options> parse_options(ByteView json);

// tcp://HOST:PORT or ipc://PATH, nothing else: libzmq's other schemes authenticate nobody.
// `listening`: port 0 and * stand for a free port.
Status check_address(ByteView address, bool listening);

}  // namespace rhizome::zeromq
