// libFuzzer target: any bytes as a channel message. What decodes must encode to the same bytes.
#include <cstdlib>
#include <string>

#include "zeromq/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rhizome::zeromq::Message message;
  const rhizome::ByteView bytes = rhizome::view(data, size);
  if (!rhizome::zeromq::decode(bytes, &message)) return 0;
  std::string again(rhizome::zeromq::encoded_size(message), '\0');
  rhizome::zeromq::encode(message, reinterpret_cast<std::uint8_t*>(again.data()));
  if (again != bytes) std::abort();
  return 0;
}
