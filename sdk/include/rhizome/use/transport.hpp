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
#include "rhizome/use/host.hpp"

namespace rhizome::use {

// A peer's name on a link: an X25519 public key, proven or claimed (Connection::proven).
using LinkKey = std::array<std::uint8_t, RZ_LINK_KEY_SIZE>;

// Beside rhizome::view, which this name would hide in namespace use.
using rhizome::view;
inline ByteView view(const LinkKey& key) { return rhizome::view(key.data(), key.size()); }

// One connection, from its up event to its down event.
struct Connection {
  std::uint64_t number = 0;  // never used twice by a transport
  LinkKey link{};
  bool proven = false;    // else `link` is a claim, and frames can be read and changed on their way
  bool reorders = false;  // frames of one lane may overtake each other
};

// What a transport reports to its user. Called from the transport's own thread, one call at a time
// for each transport; bytes are borrowed for the call. From inside, every function of Transport but
// start and stop may be called. Must not block: the transport waits meanwhile.
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  // May this key connect? Asked on both sides of every connection, before any frame of it is used.
  virtual bool authorize(const LinkKey& peer) noexcept = 0;
  // Up: before any other event of the connection. Down: after all of them; its requests ended with
  // kClosed, and its subscriptions (both ways) are gone.
  virtual void connection(const Connection& connection, bool up) noexcept = 0;
  virtual void published(std::uint64_t connection, ByteView topic, ByteView frame) noexcept = 0;
  // Answer with Transport::reply(request, ...), now or later, from any thread.
  virtual void request(std::uint64_t connection, std::uint64_t request,
                       ByteView frame) noexcept = 0;
  // kOk with a frame, or how the request ended (empty frame, last).
  virtual void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept = 0;
  // A request or reply on this lane met kWouldBlock before; there is room again.
  virtual void writable(std::uint64_t connection, std::uint32_t lane) noexcept = 0;
};

// An open transport; stops and closes at the end of its life.
class Transport {
 public:
  // `events` outlives the handle, and so does what the identity's `sign_context` points to. The
  // rest of the identity is borrowed for the call.
  static Result<Transport> open(const rz_transport* table, InstanceHostPtr host,
                                const std::string& config_json,
                                const rz_transport_identity& identity, TransportEvents* events) {
    auto adapted = std::make_unique<rz_transport_events>(adapt(events));
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code =
        table->open(host->table(), to_abi(config_json), &identity, adapted.get(), &handle, &error);
    RZ_TRY(opened(code, error, host.get()));
    return Transport(table, handle, std::move(host), std::move(adapted));
  }
  Transport(Transport&& other) noexcept
      : table_(other.table_),
        handle_(std::exchange(other.handle_, nullptr)),
        started_(std::exchange(other.started_, false)),
        host_(std::move(other.host_)),
        events_(std::move(other.events_)) {}
  Transport& operator=(Transport&&) = delete;
  ~Transport() {
    if (handle_ == nullptr) return;
    stop();
    host_->end_timers();
    table_->close(handle_);
  }

  // Is this an address that `connect` takes? Needs no instance.
  static Status check_address(const rz_transport* table, ByteView address) {
    rz_error error{};
    return Status::from_abi(table->check_address(to_abi(address), &error), error);
  }

  Status start() {
    rz_error error{};
    const std::int32_t code = table_->start(handle_, &error);
    started_ = code == RZ_OK;
    return Status::from_abi(code, error);
  }
  // Ends what waits (replies kClosed, connections down) and returns when no event can come any
  // more.
  void stop() {
    if (std::exchange(started_, false)) table_->stop(handle_);
  }
  // Where peers can connect, with real port numbers.
  Result<std::vector<std::string>> addresses() const {
    std::vector<std::string> found;
    const rz_list_sink sink{
        &found, [](void* context, rz_bytes item) {
          static_cast<std::vector<std::string>*>(context)->emplace_back(rhizome::view(item));
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
  // Ends this connection alone; a dialled one is dialled again.
  Status end(std::uint64_t connection) { return call(table_->end, connection); }
  // Never blocks. kWouldBlock: no subscriber had room, the frame is lost.
  Status publish(ByteView topic, ByteView frame) {
    return call(table_->publish, to_abi(topic), to_abi(frame));
  }
  Status subscribe(std::uint64_t connection, ByteView topic_prefix) {
    return call(table_->subscribe, connection, to_abi(topic_prefix));
  }
  Status unsubscribe(std::uint64_t connection, ByteView topic_prefix) {
    return call(table_->unsubscribe, connection, to_abi(topic_prefix));
  }
  // On success exactly one last TransportEvents::reply follows, at the latest `timeout_ms` from
  // now; on failure none. kWouldBlock: TransportEvents::writable follows. `request` is never used
  // twice.
  Status request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                 std::uint64_t timeout_ms, ByteView frame) {
    return call(table_->request, connection, request, lane, timeout_ms, to_abi(frame));
  }
  // kWouldBlock: the asker reads too slowly, TransportEvents::writable follows; kClosed: it is gone
  // or no longer waits.
  Status reply(std::uint64_t request, std::uint32_t lane, ByteView frame, bool last) {
    return call(table_->reply, request, lane, to_abi(frame), std::uint32_t{last ? 1U : 0U});
  }

  const rz_transport* table() const { return table_; }
  void* handle() const { return handle_; }

 private:
  Transport(const rz_transport* table, void* handle, InstanceHostPtr host,
            std::unique_ptr<rz_transport_events> events)
      : table_(table), handle_(handle), host_(std::move(host)), events_(std::move(events)) {}

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
          return self(c)->authorize(key(peer)) ? RZ_OK : RZ_DENIED;
        },
        [](void* c, const rz_connection* connection, std::uint32_t state) {
          self(c)->connection(
              {connection->number, key(connection->link_key), connection->level == RZ_LEVEL_PROVEN,
               (connection->flags & RZ_CONNECTION_REORDERS) != 0},
              state == RZ_CONNECTION_UP);
        },
        [](void* c, std::uint64_t connection, rz_bytes topic, rz_bytes frame) {
          self(c)->published(connection, rhizome::view(topic), rhizome::view(frame));
        },
        [](void* c, std::uint64_t connection, std::uint64_t request, rz_bytes frame) {
          self(c)->request(connection, request, rhizome::view(frame));
        },
        [](void* c, std::uint64_t request, std::int32_t code, rz_bytes frame, std::uint32_t last) {
          self(c)->reply(request, code_from_abi(code), rhizome::view(frame), last != 0);
        },
        [](void* c, std::uint64_t connection, std::uint32_t lane) {
          self(c)->writable(connection, lane);
        }};
  }

  const rz_transport* table_;
  void* handle_;
  bool started_ = false;
  InstanceHostPtr host_;
  std::unique_ptr<rz_transport_events> events_;  // the table that the plugin keeps a pointer to
};

}  // namespace rhizome::use
