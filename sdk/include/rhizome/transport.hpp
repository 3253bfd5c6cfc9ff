// Writing a transport plugin in C++: derive from plugin::Transport, give it a static `open` and a
// static `check_address`, and export transport_table<YourTransport>(). The trampolines check sizes
// and keep exceptions inside. The contract is rhizome/abi/transport.h and docs/transports.md; the
// suite that checks it is sdk/conformance/transport.
#pragma once

#include <string.h>

#include <algorithm>
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

namespace transport_detail {

inline Status check_frame(rz_bytes frame) {
  if (frame.size <= RZ_FRAME_MAX_SIZE) return {};
  return {Code::kLimit, "frame of " + std::to_string(frame.size) + " bytes; a frame is at most " +
                            std::to_string(RZ_FRAME_MAX_SIZE) + ": send it in parts"};
}
inline Status check_topic(rz_bytes topic) {
  if (topic.size <= RZ_TOPIC_MAX_SIZE) return {};
  return {Code::kLimit, "topic of " + std::to_string(topic.size) + " bytes; a topic is at most " +
                            std::to_string(RZ_TOPIC_MAX_SIZE)};
}
inline Status check_lane(std::uint32_t lane) {
  if (lane < RZ_LANES) return {};
  return {Code::kInvalid,
          "lane " + std::to_string(lane) + "; a lane is 0 to " + std::to_string(RZ_LANES - 1)};
}
inline Transport* self(void* handle) { return static_cast<Transport*>(handle); }

inline std::int32_t publish(void* handle, rz_bytes topic, rz_bytes frame, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_topic(topic));
    RZ_TRY(check_frame(frame));
    return self(handle)->publish(view(topic), view(frame));
  });
}
inline std::int32_t subscribe(void* handle, std::uint64_t connection, rz_bytes prefix,
                              rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_topic(prefix));
    return self(handle)->subscribe(connection, view(prefix));
  });
}
inline std::int32_t request(void* handle, std::uint64_t connection, std::uint64_t number,
                            std::uint32_t lane, std::uint64_t timeout_ms, rz_bytes frame,
                            rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_frame(frame));
    RZ_TRY(check_lane(lane));
    if (timeout_ms > RZ_TIMEOUT_MAX_MS) timeout_ms = RZ_TIMEOUT_MAX_MS;
    return self(handle)->request(connection, number, lane, timeout_ms, view(frame));
  });
}
inline std::int32_t reply(void* handle, std::uint64_t number, std::uint32_t lane, rz_bytes frame,
                          std::uint32_t last, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_frame(frame));
    RZ_TRY(check_lane(lane));
    return self(handle)->reply(number, lane, view(frame), last != 0);
  });
}
inline std::int32_t addresses(void* handle, const rz_list_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    for (const std::string& address : self(handle)->addresses())
      if (const std::int32_t code = sink->item(sink->context, rhizome::to_abi(address));
          code != RZ_OK)
        return code;
    return RZ_OK;
  });
}
// What this version knows of the identity: a host that was built with an older header has a shorter
// struct. Its secret is erased.
struct KnownIdentity {
  explicit KnownIdentity(const rz_transport_identity& given) {
    std::memcpy(&identity, &given, std::min<std::size_t>(given.struct_size, sizeof identity));
  }
  KnownIdentity(const KnownIdentity&) = delete;
  KnownIdentity& operator=(const KnownIdentity&) = delete;
  ~KnownIdentity() { ::explicit_bzero(&identity, sizeof identity); }
  rz_transport_identity identity{};
};
template <typename Implementation>
std::int32_t open(const rz_host* host, rz_bytes config, const rz_transport_identity* identity,
                  const rz_transport_events* events, void** transport, rz_error* error) {
  return guard(error, [&]() -> Status {
    const KnownIdentity known(*identity);
    Result<std::unique_ptr<Transport>> made =
        Implementation::open(Host(host), view(config), known.identity, TransportEvents(events));
    if (!made.ok()) return made.status();
    *transport = (*made).release();
    return {};
  });
}

}  // namespace transport_detail

// The frozen table over Implementation, which has
//   static Result<std::unique_ptr<Transport>> open(plugin::Host host, ByteView config,
//                                                  const rz_transport_identity& identity,
//                                                  TransportEvents events);
//   static Status check_address(ByteView address);
template <typename Implementation>
const rz_transport* transport_table() {
  using namespace transport_detail;
  static constexpr rz_transport kTable = {
      open<Implementation>,
      [](void* h) { delete self(h); },
      [](void* h, rz_error* e) { return guard(e, [&] { return self(h)->start(); }); },
      [](void* h) { (void)guard(nullptr, [&] { return self(h)->stop(), RZ_OK; }); },
      [](rz_bytes address, rz_error* e) {
        return guard(e, [&]() -> Status { return Implementation::check_address(view(address)); });
      },
      addresses,
      [](void* h, const std::uint8_t* key, rz_bytes address, rz_error* e) {
        return guard(e, [&] { return self(h)->connect(to_link_key(key), view(address)); });
      },
      [](void* h, const std::uint8_t* key, rz_error* e) {
        return guard(e, [&] { return self(h)->disconnect(to_link_key(key)); });
      },
      [](void* h, std::uint64_t connection, rz_error* e) {
        return guard(e, [&] { return self(h)->end(connection); });
      },
      publish,
      subscribe,
      [](void* h, std::uint64_t connection, rz_bytes prefix, rz_error* e) {
        return guard(e, [&] { return self(h)->unsubscribe(connection, view(prefix)); });
      },
      request,
      reply};
  return &kTable;
}

}  // namespace rhizome::plugin
