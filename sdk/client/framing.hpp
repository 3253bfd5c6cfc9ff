// The control socket's framing, for both ends: u32 total | u32 header size | JSON header | blob,
// numbers little-endian, total counting everything behind itself. Pure functions.
#pragma once

#include <optional>
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

// Appends the message as it travels. kLimit over the sizes: then nothing is appended.
Status append_message(ByteView header, ByteView blob, std::string& out);

// The message at the front of what arrived, borrowed from it.
struct FrontMessage {
  ByteView header, blob;
  std::size_t size = 0;  // of the whole message as it travelled
};
// None while it is not there to its end; kInvalid for sizes over their bounds.
Result<std::optional<FrontMessage>> front_message(ByteView arrived);

}  // namespace rhizome::control
