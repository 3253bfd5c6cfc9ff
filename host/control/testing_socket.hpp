// For tests alone: whole messages on a blocking socket, below the client.
#pragma once

#include <sys/socket.h>

#include "framing.hpp"

namespace rhizome::control {

// False where the other side is gone.
inline bool send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

inline Status send_message(int socket, ByteView header, ByteView blob) {
  std::string bytes;
  RZ_TRY(append_message(header, blob, bytes));
  if (!send_all(socket, bytes)) return {Code::kClosed, "the other side is gone"};
  return {};
}

// Reads no further than the message's end: the next call finds the next one.
inline Status receive_message(int socket, Message& message) {
  std::string bytes;
  for (std::size_t wanted = 8;;) {
    const std::size_t had = bytes.size();
    bytes.resize(wanted);
    if (::recv(socket, bytes.data() + had, wanted - had, MSG_WAITALL) !=
        static_cast<ssize_t>(wanted - had))
      return {Code::kClosed, "the other side is gone"};
    const auto front = front_message(bytes);
    if (!front.ok()) return front.status();
    if (*front) {
      message = {std::string((*front)->header), std::string((*front)->blob)};
      return {};
    }
    for (int i = 3; i >= 0; --i) wanted = wanted << 8 | static_cast<std::uint8_t>(bytes[i]);
    wanted = (wanted & 0xffffffffu) + 4;
  }
}

}  // namespace rhizome::control
