// libFuzzer: every decoder of what subscribers and publishers say, and of an application's token.
#include "feeds/messages.hpp"

namespace {

// What a decoder takes, the encoder gives back byte for byte: the form is canonical.
template <typename T>
void check(const rhizome::Result<T>& decoded, rhizome::ByteView bytes) {
  if (decoded.ok() && encode(*decoded) != bytes) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  const ByteView bytes = view(data, size);
  check(feeds::decode_subscribe(bytes), bytes);
  check(feeds::decode_subscribed(bytes), bytes);
  check(feeds::decode_tail(bytes), bytes);
  check(feeds::decode_query(bytes), bytes);
  check(feeds::decode_batch(bytes), bytes);
  if (const auto cursor = feeds::from_token(bytes);
      cursor.ok() && feeds::to_token(*cursor) != bytes)
    __builtin_trap();
  return 0;
}
