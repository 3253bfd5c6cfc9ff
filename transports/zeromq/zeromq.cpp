// rhizome.zeromq: ZeroMQ with CURVE, the default transport. The face to the host; what callers may
// do is the ledger's (any thread), the sockets are the engine's (its own thread).
#include <strings.h>

#include <cstring>
#include <thread>

#include "rhizome/abi/transport_remote.h"
#include "zeromq/engine.hpp"

namespace rhizome::zeromq {
namespace {

class ZeromqTransport final : public plugin::Transport {
 public:
  static Result<std::unique_ptr<plugin::Transport>> open(ByteView config,
                                                         const rz_transport_identity& identity,
                                                         plugin::TransportEvents events) {
    const Result<Options> options = parse_options(config);
    if (!options.ok()) return options.status();
    return std::unique_ptr<plugin::Transport>(
        std::make_unique<ZeromqTransport>(*options, identity, events));
  }
  ZeromqTransport(const Options& options, const rz_transport_identity& identity,
                  plugin::TransportEvents events)
      : options_(options),
        identity_(identity),
        ledger_(options_),
        engine_(options_, identity_, events, ledger_) {}
  ~ZeromqTransport() override {
    ZeromqTransport::stop();
    ::explicit_bzero(&identity_, sizeof identity_);
  }

  Status start() override {
    if (thread_.joinable() || stopping_) return {Code::kInvalid, "zeromq transport: started twice"};
    RZ_TRY(engine_.bind());
    ledger_.open();
    thread_ = std::thread([this] { engine_.run(stopping_); });
    return {};
  }
  void stop() override {
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_release);
    ledger_.shut();
    thread_.join();
  }
  std::vector<std::string> addresses() override {
    if (engine_.endpoint().empty()) return {};
    return {engine_.endpoint()};
  }
  Status connect(const LinkKey& peer, ByteView address) override {
    if (std::memcmp(peer.data(), identity_.link_public_key, peer.size()) == 0)
      return {Code::kInvalid, "zeromq transport: a node cannot connect to its own link key"};
    return ledger_.connect(peer, address);
  }
  Status disconnect(const LinkKey& peer) override { return ledger_.disconnect(peer); }
  Status publish(ByteView topic, ByteView frame) override { return ledger_.publish(topic, frame); }
  Status subscribe(const LinkKey& peer, ByteView prefix) override {
    return ledger_.subscribe(peer, prefix);
  }
  Status unsubscribe(const LinkKey& peer, ByteView prefix) override {
    return ledger_.unsubscribe(peer, prefix);
  }
  Status request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                 std::uint64_t deadline_ms) override {
    return ledger_.request(peer, request, frame, deadline_ms);
  }
  Status reply(std::uint64_t token, ByteView frame, bool last) override {
    return ledger_.reply(token, frame, last);
  }
  Status push(ByteView frame) override { return ledger_.push(frame); }
  Status pull(const LinkKey& peer) override { return ledger_.pull(peer); }
  Result<std::string> remote(const LinkKey& peer) { return ledger_.remote(peer); }

 private:
  const Options options_;
  rz_transport_identity identity_;
  Ledger ledger_;
  Engine engine_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::int32_t remote(void* handle, const std::uint8_t* key, const rz_sink* sink, rz_error* error) {
  return plugin::guard(error, [&]() -> Status {
    auto* transport = static_cast<ZeromqTransport*>(static_cast<plugin::Transport*>(handle));
    const Result<std::string> address = transport->remote(plugin::to_link_key(key));
    if (!address.ok()) return address.status();
    const std::int32_t told = sink->write(sink->context, to_abi(*address));
    return told == RZ_OK ? Status() : Status(static_cast<Code>(told), "the sink took no address");
  });
}
const rz_transport_remote kRemote = {remote};

}  // namespace
}  // namespace rhizome::zeromq

RHIZOME_PLUGIN({RZ_TRANSPORT_ID,
                rhizome::plugin::transport_table<rhizome::zeromq::ZeromqTransport>()},
               {RZ_TRANSPORT_REMOTE_ID, &rhizome::zeromq::kRemote})
