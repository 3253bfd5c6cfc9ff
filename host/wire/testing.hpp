// For tests and benches alone: a frame as its sender seals it.
#pragma once

#include <string>

#include "wire/frame.hpp"

namespace rhizome::wire_testing {

inline std::string sealed(const SigningKey& key, wire::Kind kind, wire::Lane lane, ByteView body,
                          ByteView recipient = {}, ByteView fabric = "default") {
  wire::Frame frame;
  frame.fabric = wire::fabric_id(fabric);
  frame.sender = key.public_key();
  frame.recipient = recipient;
  frame.kind = kind;
  frame.lane = lane;
  frame.body = body;
  return wire::seal(frame, key);
}

}  // namespace rhizome::wire_testing
