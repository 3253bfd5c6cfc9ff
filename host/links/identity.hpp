// What a transport is opened with: the keys of a node, and its signature for other protocols.
#pragma once

#include "rhizome/abi/transport.h"
#include "rhizome/delta/signature.hpp"

namespace rhizome {

// Needed until the transport's `open` has returned; wipes the secret at its end.
class TransportIdentity {
 public:
  // `node_key` outlives the transport.
  explicit TransportIdentity(const SigningKey& node_key);
  ~TransportIdentity();
  TransportIdentity(const TransportIdentity&) = delete;
  TransportIdentity& operator=(const TransportIdentity&) = delete;

  const rz_transport_identity& abi() const { return identity_; }

 private:
  rz_transport_identity identity_{};
};

}  // namespace rhizome
