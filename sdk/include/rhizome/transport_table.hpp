// The trampolines behind rhizome/transport.hpp, which includes this; not to be included otherwise.
#pragma once

#include <string.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "rhizome/transport.hpp"

namespace rhizome::plugin {

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
