// The control socket's framing, both ends: u32 total | u32 header size | JSON header | blob,
// numbers little-endian, total counting everything behind itself. Blocking; one thread a socket.
#pragma once

#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::control {

inline constexpr std::size_t kMaxMessage = 16u << 20;
inline constexpr std::size_t kMaxHeader = 1u << 20;

struct Message {
  std::string header;  // JSON
  std::string blob;
};

// kClosed where the other side is gone (also: closed between messages).
Status send_message(int socket, ByteView header, ByteView blob);
Status receive_message(int socket, Message& message);

}  // namespace rhizome::control
