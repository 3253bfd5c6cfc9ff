// rhizome.zeromq: ZeroMQ with CURVE, the default transport. The face to the host; what callers may
// do is the ledger's (any thread), the sockets are the engine's (its own thread).
#include <strings.h>

#include <cstring>
#include <thread>

#include "rhizome/config.hpp"
#include "rhizome/config_check.hpp"
#include "zeromq/engine.hpp"

namespace rhizome::zeromq {
namespace {

class ZeromqTransport final : public plugin::Transport {
 public:
  static Result<std::unique_ptr<plugin::Transport>> open(plugin::Host host, ByteView config,
                                                         const rz_transport_identity& identity,
                                                         plugin::TransportEvents events) {
    const Result<Options> options = parse_options(config);
    if (!options.ok()) return options.status();
    return std::unique_ptr<plugin::Transport>(
        std::make_unique<ZeromqTransport>(host, *options, identity, events));
  }
  static Status check_address(ByteView address) { return zeromq::check_address(address, false); }

  ZeromqTransport(const plugin::Host& host, const Options& options,
                  const rz_transport_identity& identity, plugin::TransportEvents events)
      : options_(options),
        identity_(identity),
        ledger_(options_),
        engine_(host, options_, identity_, events, ledger_) {}
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
  Status end(std::uint64_t connection) override { return ledger_.end(connection); }
  Status publish(ByteView topic, ByteView frame) override { return ledger_.publish(topic, frame); }
  Status subscribe(std::uint64_t connection, ByteView prefix) override {
    return ledger_.subscribe(connection, prefix);
  }
  Status unsubscribe(std::uint64_t connection, ByteView prefix) override {
    return ledger_.unsubscribe(connection, prefix);
  }
  Status request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                 std::uint64_t timeout_ms, ByteView frame) override {
    return ledger_.request(connection, request, lane, timeout_ms, frame);
  }
  Status reply(std::uint64_t token, std::uint32_t lane, ByteView frame, bool last) override {
    return ledger_.reply(token, lane, frame, last);
  }
  Result<std::string> remote(std::uint64_t connection) { return ledger_.remote(connection); }

 private:
  const Options options_;
  rz_transport_identity identity_;
  Ledger ledger_;
  Engine engine_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::int32_t remote(void* handle, std::uint64_t connection, const rz_sink* sink, rz_error* error) {
  return plugin::guard(error, [&]() -> Status {
    auto* transport = static_cast<ZeromqTransport*>(static_cast<plugin::Transport*>(handle));
    const Result<std::string> address = transport->remote(connection);
    if (!address.ok()) return address.status();
    const std::int32_t taken = sink->write(sink->context, to_abi(*address));
    return taken == RZ_OK ? Status() : Status(static_cast<Code>(taken), "the sink took no address");
  });
}
const rz_transport_remote kRemote = {remote};

// What the schema cannot say of a config, key by key; the rest is whatever `open` would refuse.
void check_config(ByteView config, plugin::ConfigProblems& problems) {
  std::string listen;
  std::uint64_t heartbeat = Options().heartbeat_ms, silence = Options().silence_ms;
  plugin::ConfigReader reader("zeromq transport", config);
  reader.read("listen", listen);
  reader.read("heartbeat_ms", 1, UINT64_MAX, heartbeat);
  reader.read("silence_ms", 1, UINT64_MAX, silence);
  if (!listen.empty() && !check_address(listen, true).ok())
    problems.add("/listen", "tcp://HOST:PORT (port 0 or * takes a free one) or ipc://PATH", listen);
  else if (silence < 3 * heartbeat)
    problems.add("/silence_ms",
                 "at least three times heartbeat_ms, " + std::to_string(3 * heartbeat),
                 std::to_string(silence));
  else if (const auto options = parse_options(config); !options.ok())
    problems.add("", "a config that the transport takes", options.status().message());
}

}  // namespace
}  // namespace rhizome::zeromq

RHIZOME_PLUGIN({RZ_TRANSPORT_ID,
                rhizome::plugin::transport_table<rhizome::zeromq::ZeromqTransport>()},
               {RZ_TRANSPORT_REMOTE_ID, &rhizome::zeromq::kRemote},
               {RZ_CONFIG_ID, rhizome::plugin::config_table<rhizome::zeromq::check_config>()})
