// libFuzzer: every decoder of what subscribers and publishers say, and of an application's token.
#include <algorithm>

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
  const auto batch = feeds::decode_batch(bytes);
  // A code that this version does not know becomes kInternal, and is not given back.
  const bool knows_codes = batch.ok() && std::none_of(batch->ended.begin(), batch->ended.end(),
                                                      [](const feeds::Batch::Ended& ended) {
                                                        return ended.code == Code::kInternal;
                                                      });
  if (knows_codes) check(batch, bytes);
  if (const auto cursor = feeds::from_token(bytes);
      cursor.ok() && feeds::to_token(*cursor) != bytes)
    __builtin_trap();
  return 0;
}
