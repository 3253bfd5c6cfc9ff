// See identity.hpp.
#include "links/identity.hpp"

#include <cstring>

#include "rhizome/plugin.hpp"

namespace rhizome {

namespace {

// What nodes and authors sign: texts that begin with their domain, and the ids of deltas.
bool is_of_rhizome(ByteView message) {
  constexpr ByteView kDomains = "rhizome.", kMultihash = "\x1e\x20";
  return message.substr(0, kDomains.size()) == kDomains ||
         message.substr(0, kMultihash.size()) == kMultihash;
}

std::int32_t sign(void* context, rz_bytes message, std::uint8_t signature[64], rz_error* error) {
  return plugin::guard(error, [&]() -> Status {
    if (is_of_rhizome(view(message)))
      return {Code::kDenied,
              "sign: the message begins like a text that nodes or authors sign; a transport signs "
              "only for handshakes and certificates of its own protocol"};
    const Signature made = static_cast<const SigningKey*>(context)->sign(view(message));
    std::memcpy(signature, made.data(), made.size());
    return {};
  });
}

}  // namespace

TransportIdentity::TransportIdentity(const SigningKey& node_key) {
  identity_.struct_size = sizeof identity_;
  node_key.derive_link_keys(identity_.link_public_key, identity_.link_secret_key);
  std::memcpy(identity_.node_public_key, node_key.public_key().data(),
              sizeof identity_.node_public_key);
  identity_.sign_context = const_cast<SigningKey*>(&node_key);  // the ABI's contexts are not const
  identity_.sign = sign;
}

TransportIdentity::~TransportIdentity() { explicit_bzero(&identity_, sizeof identity_); }

}  // namespace rhizome
