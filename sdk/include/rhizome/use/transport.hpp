// Using a transport plugin from C++: an owning handle over rhizome/abi/transport.h and its events
// as a C++ interface. For the host's fabric and the conformance suite; the author of a transport
// needs rhizome/transport.hpp instead. Thread tags are the table's.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/transport.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::use {

// A peer's name: the X25519 public key that its connection proved.
using LinkKey = std::array<std::uint8_t, RZ_LINK_KEY_SIZE>;

inline ByteView view(const LinkKey& key) { return rhizome::view(key.data(), key.size()); }

// What a transport tells its user. Called from the transport's own thread, one call at a time for
// each transport; bytes are borrowed for the call. From inside, only [any] functions of Transport
// may be called (everything but start and stop). Must not block: the transport waits meanwhile.
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  // May this key connect? Asked on both sides of every connection, before any frame of it is used.
  virtual bool authorize(const LinkKey& peer) noexcept = 0;
  // Up: usable in both directions, whoever dialled. Down: its requests ended with kClosed, and its
  // subscriptions and pulls (both ways) are forgotten: make them again when it is up again.
  virtual void peer(const LinkKey& peer, bool up) noexcept = 0;
  virtual void published(const LinkKey& peer, ByteView topic, ByteView frame) noexcept = 0;
  // Answer with Transport::reply(request, ...), now or later, from any thread.
  virtual void request(const LinkKey& peer, std::uint64_t request, ByteView frame) noexcept = 0;
  // kOk with a frame, or how the request failed (empty frame, last).
  virtual void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept = 0;
  virtual void work(const LinkKey& peer, ByteView frame) noexcept = 0;
};

// An open transport; stops and closes at the end of its life.
class Transport {
 public:
  // `events` outlives the handle. The secret key is borrowed for the call.
  static Result<Transport> open(const rz_transport* table, const std::string& config_json,
                                const rz_transport_identity& identity, TransportEvents* events) {
    auto adapted = std::make_unique<rz_transport_events>(adapt(events));
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code =
        table->open(to_abi(config_json), &identity, adapted.get(), &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Transport(table, handle, std::move(adapted));
  }
  Transport(Transport&& other) noexcept
      : table_(other.table_),
        handle_(std::exchange(other.handle_, nullptr)),
        started_(std::exchange(other.started_, false)),
        events_(std::move(other.events_)) {}
  Transport& operator=(Transport&&) = delete;
  ~Transport() {
    if (handle_ == nullptr) return;
    stop();
    table_->close(handle_);
  }

  Status start() {
    rz_error error{};
    const std::int32_t code = table_->start(handle_, &error);
    started_ = code == RZ_OK;
    return Status::from_abi(code, error);
  }
  // Ends what waits (replies kClosed, peers down) and returns when no event can come any more.
  void stop() {
    if (std::exchange(started_, false)) table_->stop(handle_);
  }
  // Where peers can connect, with real port numbers.
  Result<std::vector<std::string>> addresses() const {
    std::vector<std::string> found;
    const rz_sink sink{
        &found, [](void* context, rz_bytes chunk) {
          static_cast<std::vector<std::string>*>(context)->emplace_back(rhizome::view(chunk));
          return std::int32_t{RZ_OK};
        }};
    rz_error error{};
    const std::int32_t code = table_->addresses(handle_, &sink, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return found;
  }

  Status connect(const LinkKey& peer, ByteView address) {
    return call(table_->connect, peer.data(), to_abi(address));
  }
  Status disconnect(const LinkKey& peer) { return call(table_->disconnect, peer.data()); }
  // Never blocks. kWouldBlock: our own queue is full and nobody was sent this frame.
  Status publish(ByteView topic, ByteView frame) {
    return call(table_->publish, to_abi(topic), to_abi(frame));
  }
  Status subscribe(const LinkKey& peer, ByteView topic_prefix) {
    return call(table_->subscribe, peer.data(), to_abi(topic_prefix));
  }
  Status unsubscribe(const LinkKey& peer, ByteView topic_prefix) {
    return call(table_->unsubscribe, peer.data(), to_abi(topic_prefix));
  }
  // On success exactly one last TransportEvents::reply follows, at the latest at the deadline; on
  // failure none. `request` is never used twice.
  Status request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                 std::uint64_t deadline_ms) {
    return call(table_->request, peer.data(), request, to_abi(frame), deadline_ms);
  }
  // kWouldBlock: the asker reads too slowly, try again; kClosed: it is gone or no longer waits.
  Status reply(std::uint64_t request, ByteView frame, bool last) {
    return call(table_->reply, request, to_abi(frame), std::uint32_t{last ? 1U : 0U});
  }
  Status push(ByteView frame) { return call(table_->push, to_abi(frame)); }
  Status pull(const LinkKey& peer) { return call(table_->pull, peer.data()); }

  const rz_transport* table() const { return table_; }
  void* handle() const { return handle_; }

 private:
  Transport(const rz_transport* table, void* handle, std::unique_ptr<rz_transport_events> events)
      : table_(table), handle_(handle), events_(std::move(events)) {}

  template <typename Function, typename... Arguments>
  Status call(Function function, Arguments... arguments) {
    rz_error error{};
    const std::int32_t code = function(handle_, arguments..., &error);
    return Status::from_abi(code, error);
  }
  static LinkKey key(const std::uint8_t* bytes) {
    LinkKey copy;
    std::memcpy(copy.data(), bytes, copy.size());
    return copy;
  }
  static TransportEvents* self(void* context) { return static_cast<TransportEvents*>(context); }
  static rz_transport_events adapt(TransportEvents* events) {
    return {
        events,
        [](void* c, const std::uint8_t* peer) -> std::int32_t {
          return self(c)->authorize(key(peer)) ? 1 : 0;
        },
        [](void* c, const std::uint8_t* peer, std::uint32_t state) {
          self(c)->peer(key(peer), state == RZ_PEER_UP);
        },
        [](void* c, const std::uint8_t* peer, rz_bytes topic, rz_bytes frame) {
          self(c)->published(key(peer), rhizome::view(topic), rhizome::view(frame));
        },
        [](void* c, const std::uint8_t* peer, std::uint64_t request, rz_bytes frame) {
          self(c)->request(key(peer), request, rhizome::view(frame));
        },
        [](void* c, std::uint64_t request, std::int32_t code, rz_bytes frame, std::uint32_t last) {
          self(c)->reply(request, static_cast<Code>(code), rhizome::view(frame), last != 0);
        },
        [](void* c, const std::uint8_t* peer, rz_bytes frame) {
          self(c)->work(key(peer), rhizome::view(frame));
        }};
  }

  const rz_transport* table_;
  void* handle_;
  bool started_ = false;
  std::unique_ptr<rz_transport_events> events_;  // the table that the plugin keeps a pointer to
};

}  // namespace rhizome::use
