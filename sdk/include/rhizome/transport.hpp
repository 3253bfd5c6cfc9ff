// Writing a transport plugin in C++: derive from plugin::Transport, give it a static `open`, and
// export transport_table<YourTransport>(). The trampolines check sizes and keep exceptions inside.
// The contract is rhizome/abi/transport.h and docs/transports.md; the suite that checks it is
// sdk/conformance/transport.
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
    return table_->authorize(table_->context, key.data()) == 1;
  }
  void peer(const LinkKey& key, bool up) const {
    table_->peer(table_->context, key.data(), up ? RZ_PEER_UP : RZ_PEER_DOWN);
  }
  void published(const LinkKey& key, ByteView topic, ByteView frame) const {
    table_->published(table_->context, key.data(), rhizome::to_abi(topic), rhizome::to_abi(frame));
  }
  void request(const LinkKey& key, std::uint64_t request, ByteView frame) const {
    table_->request(table_->context, key.data(), request, rhizome::to_abi(frame));
  }
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) const {
    table_->reply(table_->context, request, static_cast<std::int32_t>(code), rhizome::to_abi(frame),
                  last ? 1 : 0);
  }
  void work(const LinkKey& key, ByteView frame) const {
    table_->work(table_->context, key.data(), rhizome::to_abi(frame));
  }

 private:
  const rz_transport_events* table_ = nullptr;
};

// One open transport. Thread tags and codes are those of the table in rhizome/abi/transport.h.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Status start() = 0;
  virtual void stop() = 0;
  virtual std::vector<std::string> addresses() = 0;
  virtual Status connect(const LinkKey& peer, ByteView address) = 0;
  virtual Status disconnect(const LinkKey& peer) = 0;
  virtual Status publish(ByteView topic, ByteView frame) = 0;
  virtual Status subscribe(const LinkKey& peer, ByteView prefix) = 0;
  virtual Status unsubscribe(const LinkKey& peer, ByteView prefix) = 0;
  virtual Status request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                         std::uint64_t deadline_ms) = 0;
  virtual Status reply(std::uint64_t request, ByteView frame, bool last) = 0;
  virtual Status push(ByteView frame) = 0;
  virtual Status pull(const LinkKey& peer) = 0;
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
inline Transport* self(void* handle) { return static_cast<Transport*>(handle); }

inline std::int32_t publish(void* handle, rz_bytes topic, rz_bytes frame, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_topic(topic));
    RZ_TRY(check_frame(frame));
    return self(handle)->publish(view(topic), view(frame));
  });
}
inline std::int32_t subscribe(void* handle, const std::uint8_t* key, rz_bytes prefix,
                              rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_topic(prefix));
    return self(handle)->subscribe(to_link_key(key), view(prefix));
  });
}
inline std::int32_t unsubscribe(void* handle, const std::uint8_t* key, rz_bytes prefix,
                                rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_topic(prefix));
    return self(handle)->unsubscribe(to_link_key(key), view(prefix));
  });
}
inline std::int32_t request(void* handle, const std::uint8_t* key, std::uint64_t number,
                            rz_bytes frame, std::uint64_t deadline_ms, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_frame(frame));
    return self(handle)->request(to_link_key(key), number, view(frame), deadline_ms);
  });
}
inline std::int32_t reply(void* handle, std::uint64_t number, rz_bytes frame, std::uint32_t last,
                          rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_frame(frame));
    return self(handle)->reply(number, view(frame), last != 0);
  });
}
inline std::int32_t push(void* handle, rz_bytes frame, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_frame(frame));
    return self(handle)->push(view(frame));
  });
}
inline std::int32_t addresses(void* handle, const rz_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    for (const std::string& address : self(handle)->addresses())
      if (const std::int32_t code = sink->write(sink->context, rhizome::to_abi(address));
          code != RZ_OK)
        return code;
    return RZ_OK;
  });
}
template <typename Implementation>
std::int32_t open(rz_bytes config, const rz_transport_identity* identity,
                  const rz_transport_events* events, void** transport, rz_error* error) {
  return guard(error, [&]() -> Status {
    Result<std::unique_ptr<Transport>> made =
        Implementation::open(view(config), *identity, TransportEvents(events));
    if (!made.ok()) return made.status();
    *transport = (*made).release();
    return {};
  });
}

}  // namespace transport_detail

// The frozen table over Implementation, which has
//   static Result<std::unique_ptr<Transport>> open(ByteView config, const rz_transport_identity&,
//                                                  TransportEvents events);
template <typename Implementation>
const rz_transport* transport_table() {
  using namespace transport_detail;
  static constexpr rz_transport kTable = {
      open<Implementation>,
      [](void* h, rz_error* e) { return guard(e, [&] { return self(h)->start(); }); },
      [](void* h) { (void)guard(nullptr, [&] { return self(h)->stop(), RZ_OK; }); },
      [](void* h) { delete self(h); },
      addresses,
      [](void* h, const std::uint8_t* key, rz_bytes address, rz_error* e) {
        return guard(e, [&] { return self(h)->connect(to_link_key(key), view(address)); });
      },
      [](void* h, const std::uint8_t* key, rz_error* e) {
        return guard(e, [&] { return self(h)->disconnect(to_link_key(key)); });
      },
      publish,
      subscribe,
      unsubscribe,
      request,
      reply,
      push,
      [](void* h, const std::uint8_t* key, rz_error* e) {
        return guard(e, [&] { return self(h)->pull(to_link_key(key)); });
      }};
  return &kTable;
}

}  // namespace rhizome::plugin
