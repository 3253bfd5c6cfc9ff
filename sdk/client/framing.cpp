// Sizes in front of a message.
#include "framing.hpp"

namespace rhizome::control {

namespace {

constexpr std::size_t kSizes = 8;  // the two numbers in front of a message

std::uint32_t get_u32(const char* in) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

void put_u32(std::size_t value, std::string& out) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

Status append_message(ByteView header, ByteView blob, std::string& out) {
  if (header.size() > kMaxHeader || kSizes + header.size() + blob.size() > kMaxMessage)
    return {Code::kLimit, "control message of " + std::to_string(header.size()) + " + " +
                              std::to_string(blob.size()) +
                              " bytes; at most 1 MiB of header and 16 MiB in all"};
  put_u32(4 + header.size() + blob.size(), out);
  put_u32(header.size(), out);
  out.append(header).append(blob);
  return {};
}

Result<std::optional<FrontMessage>> front_message(ByteView arrived) {
  if (arrived.size() < kSizes) return std::optional<FrontMessage>();
  const std::size_t total = get_u32(arrived.data());
  const std::size_t header = get_u32(arrived.data() + 4);
  if (total > kMaxMessage || header > kMaxHeader || total < 4 || header > total - 4)
    return Status(Code::kInvalid,
                  "control message: sizes over their bounds (16 MiB, header 1 MiB)");
  if (arrived.size() < 4 + total) return std::optional<FrontMessage>();
  return std::optional<FrontMessage>(
      FrontMessage{arrived.substr(kSizes, header),
                   arrived.substr(kSizes + header, total - 4 - header), 4 + total});
}

}  // namespace rhizome::control
