// Writing a transport plugin in C++: derive from plugin::Transport, give it a static `open` and a
// static `check_address`, and export transport_table<YourTransport>(). The trampolines check sizes
// and keep exceptions inside. The contract is rhizome/abi/transport.h and docs/transports.md; the
// suite that checks it is rhizome-transport-conformance (docs/transports.md).
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "rhizome/abi/transport.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

using LinkKey = std::array<std::uint8_t, RZ_LINK_KEY_SIZE>;

inline LinkKey to_link_key(const std::uint8_t* bytes) {
  LinkKey key;
  std::memcpy(key.data(), bytes, key.size());
  return key;
}

// The host's side, to be called from one thread of the transport at a time.
class TransportEvents {
 public:
  TransportEvents() = default;
  explicit TransportEvents(const rz_transport_events* table) : table_(table) {}

  bool authorize(const LinkKey& key) const {
    return table_->authorize(table_->context, key.data()) == RZ_OK;
  }
  void connection(const rz_connection& connection, bool up) const {
    table_->connection(table_->context, &connection, up ? RZ_CONNECTION_UP : RZ_CONNECTION_DOWN);
  }
  void published(std::uint64_t connection, ByteView topic, ByteView frame) const {
    table_->published(table_->context, connection, rhizome::to_abi(topic), rhizome::to_abi(frame));
  }
  void request(std::uint64_t connection, std::uint64_t request, ByteView frame) const {
    table_->request(table_->context, connection, request, rhizome::to_abi(frame));
  }
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) const {
    table_->reply(table_->context, request, static_cast<std::int32_t>(code), rhizome::to_abi(frame),
                  last ? 1 : 0);
  }
  void writable(std::uint64_t connection, std::uint32_t lane) const {
    table_->writable(table_->context, connection, lane);
  }

 private:
  const rz_transport_events* table_ = nullptr;
};

// One open transport. Tags and codes are those of the table in rhizome/abi/transport.h. What comes
// here has been checked: frames, topics and lanes are within their limits.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Status start() = 0;
  virtual void stop() = 0;
  virtual std::vector<std::string> addresses() = 0;
  virtual Status connect(const LinkKey& peer, ByteView address) = 0;
  virtual Status disconnect(const LinkKey& peer) = 0;
  virtual Status end(std::uint64_t connection) = 0;
  virtual Status publish(ByteView topic, ByteView frame) = 0;
  virtual Status subscribe(std::uint64_t connection, ByteView prefix) = 0;
  virtual Status unsubscribe(std::uint64_t connection, ByteView prefix) = 0;
  virtual Status request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                         std::uint64_t timeout_ms, ByteView frame) = 0;
  virtual Status reply(std::uint64_t request, std::uint32_t lane, ByteView frame, bool last) = 0;
};

// The frozen table over Implementation, which has
//   static Result<std::unique_ptr<Transport>> open(plugin::Host host, ByteView config,
//                                                  const rz_transport_identity& identity,
//                                                  TransportEvents events);
//   static Status check_address(ByteView address);
template <typename Implementation>
const rz_transport* transport_table();

}  // namespace rhizome::plugin

#include "rhizome/transport_table.hpp"
