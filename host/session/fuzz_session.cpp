// libFuzzer: frames and the three messages of hello, as a stranger or a broker may send them.
#include "session/sessions.hpp"

namespace {

using namespace rhizome;

const SigningKey& own_key() {
  static const SigningKey key = SigningKey::from_seed({1});
  return key;
}

session::Local local() {
  session::Local made{&own_key(), wire::fabric_id("default"), "default", {}, {}, nullptr};
  (void)link_key_of(own_key().public_key(), made.link.data());
  return made;
}

// What a decoder takes, the encoder gives back byte for byte: the form is canonical.
void decode(ByteView bytes) {
  if (const auto frame = wire::decode_frame(bytes);
      frame.ok() && wire::encode_frame(*frame) != bytes)
    __builtin_trap();
  if (const auto hello = session::decode_hello(bytes);
      hello.ok() && session::encode(*hello) != bytes)
    __builtin_trap();
  if (const auto reply = session::decode_reply(bytes);
      reply.ok() && session::encode(*reply) != bytes)
    __builtin_trap();
  if (const auto confirm = session::decode_confirm(bytes);
      confirm.ok() && session::encode_confirm(*confirm) != bytes)
    __builtin_trap();
}

void converse(ByteView bytes, bool proven) {
  static const session::Local self = local();
  LinkKey other{};
  (void)link_key_of(SigningKey::from_seed({2}).public_key(), other.data());
  session::Handshake responder(self, other, proven), initiator(self, other, proven);
  (void)responder.answer(bytes, std::nullopt).ok();
  if (responder.confirm(bytes).ok()) __builtin_trap();  // nobody here has signed
  (void)initiator.begin();
  session::Agreed agreed;
  if (initiator.finish(bytes, std::nullopt, agreed).ok()) __builtin_trap();
  session::Sessions sessions(self, {});
  sessions.up({1, other, proven, true}, 1);
  session::Inbound in;
  (void)sessions.request(1, bytes, 1, in);
  sessions.make(1, agreed);
  (void)sessions.published(1, bytes, 1, in);
  if (const auto ruling = sessions.request(1, bytes, 1, in);
      !proven && in.in_session && ruling.kind == session::Ruling::kTake)
    __builtin_trap();  // its tag is right by chance
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = view(data, size);
  decode(bytes);
  converse(bytes, true);
  converse(bytes, false);
  return 0;
}
