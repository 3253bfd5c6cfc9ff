// libFuzzer: receipts, rosters and the frames that carry them; what decodes encodes back.
#include <cstdint>
#include <cstdlib>

#include "extent/messages.hpp"

namespace {

void check(bool same) {
  if (!same) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  if (const auto receipt = decode_receipt(bytes); receipt.ok()) check(encode(*receipt) == bytes);
  if (const auto roster = decode_roster(bytes); roster.ok()) check(encode(*roster) == bytes);
  if (const auto body = decode_receipt_body(bytes); body.ok()) check(encode(*body) == bytes);
  if (const auto body = decode_roster_body(bytes); body.ok()) check(encode(*body) == bytes);
  return 0;
}
