// Reading and writing whole messages on a stream socket.
#include "framing.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace rhizome::control {

namespace {

void put_u32(std::uint32_t value, char* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> (8 * i));
}
std::uint32_t get_u32(const char* in) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

Status broken(const char* doing) {
  if (errno == EPIPE || errno == ECONNRESET)
    return {Code::kClosed, "control socket: the other side is gone"};
  return {Code::kIo, std::string("control socket: ") + doing + ": " + std::strerror(errno)};
}

Status read_exactly(int socket, char* out, std::size_t size) {
  while (size != 0) {
    const ssize_t got = ::recv(socket, out, size, 0);
    if (got == 0) return {Code::kClosed, "control socket: the other side is gone"};
    if (got < 0) {
      if (errno == EINTR) continue;
      return broken("receive");
    }
    out += got;
    size -= static_cast<std::size_t>(got);
  }
  return {};
}

Status write_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return broken("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace

Status send_message(int socket, ByteView header, ByteView blob) {
  if (header.size() > kMaxHeader || header.size() + blob.size() + 8 > kMaxMessage)
    return {Code::kLimit, "control message: over 16 MiB, or its header over 1 MiB"};
  std::string head(8, '\0');
  put_u32(static_cast<std::uint32_t>(4 + header.size() + blob.size()), head.data());
  put_u32(static_cast<std::uint32_t>(header.size()), head.data() + 4);
  head.append(header);
  RZ_TRY(write_all(socket, head));
  return write_all(socket, blob);
}

Status receive_message(int socket, Message& message) {
  char sizes[8];
  RZ_TRY(read_exactly(socket, sizes, sizeof sizes));
  const std::uint32_t total = get_u32(sizes);
  const std::uint32_t header = get_u32(sizes + 4);
  if (total > kMaxMessage || header > kMaxHeader || total < 4 || header > total - 4)
    return {Code::kInvalid, "control message: sizes over their bounds (16 MiB, header 1 MiB)"};
  message.header.resize(header);
  message.blob.resize(total - 4 - header);
  RZ_TRY(read_exactly(socket, message.header.data(), header));
  return read_exactly(socket, message.blob.data(), message.blob.size());
}

}  // namespace rhizome::control
