// libFuzzer: every decoder of the body of a peer's frame.
#include "wire/messages.hpp"
#include "wire/pack.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  const ByteView bytes = view(data, size);
  // What a decoder takes, the encoder gives back byte for byte: the form is canonical.
  if (const auto own = wire::decode_introduction(bytes); own.ok() && wire::encode(*own) != bytes)
    __builtin_trap();
  if (const auto join = wire::decode_join(bytes); join.ok() && wire::encode(*join) != bytes)
    __builtin_trap();
  if (const auto positions = wire::decode_announce(bytes);
      positions.ok() && wire::encode_announce(*positions) != bytes)
    __builtin_trap();
  if (const auto heads = wire::decode_heads(bytes); heads.ok()) {
    if (wire::encode_heads(*heads) != bytes) __builtin_trap();
    (void)check_signed_head(heads->front());
  }
  if (const auto fetch = wire::decode_fetch(bytes); fetch.ok() && wire::encode(*fetch) != bytes)
    __builtin_trap();
  // A code that this version does not know becomes kInternal, and is not given back.
  if (const auto error = wire::decode_error(bytes);
      error.ok() && error->code != Code::kInternal && wire::encode(*error) != bytes)
    __builtin_trap();
  if (const auto pack = wire::decode_pack(bytes); pack.ok() && wire::encode(*pack) != bytes)
    __builtin_trap();
  if (const auto next = wire::decode_fetched(bytes);
      next.ok() && wire::encode_fetched(*next) != bytes)
    __builtin_trap();
  if (const auto delivery = wire::decode_delivery(bytes); delivery.ok()) {
    if (wire::encode(*delivery) != bytes) __builtin_trap();
    (void)check_statement(delivery->statement);
  }
  return 0;
}
