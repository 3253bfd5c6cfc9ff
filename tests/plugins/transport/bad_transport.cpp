// A transport that breaks one promise of rhizome/abi/transport.h at a time, over the in-process
// one, so that the conformance suite can be seen to fail. Which one is named by the environment
// variable RHIZOME_BAD_TRANSPORT; run.py has the list of them and of the tests that must fail.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "inproc/transport.hpp"

namespace rhizome::inproc {
namespace {

bool is_bad(std::string_view how) {
  static const char* name = std::getenv("RHIZOME_BAD_TRANSPORT");
  return name != nullptr && how == name;
}

class BadTransport final : public plugin::Transport {
 public:
  // The table's own `open` below takes its place: it needs the host's table of events itself.
  static Result<std::unique_ptr<plugin::Transport>> open(const plugin::Host&, ByteView,
                                                         const rz_transport_identity&,
                                                         plugin::TransportEvents) {
    return Status(Code::kInternal, "not reached");
  }
  BadTransport(const rz_host* host, Options options, const rz_transport_identity* identity,
               const rz_transport_events* events)
      : identity_(identity),
        key_(plugin::to_link_key(identity->link_public_key)),
        address_(options.address),
        host_(*events),
        events_(make_events()),
        inner_(plugin::Host(host), std::move(options), *identity,
               plugin::TransportEvents(&events_)) {}

  static Status check_address(ByteView address) {
    return is_bad("takes_any_address") ? Status() : InprocTransport::check_address(address);
  }
  Status status() const { return inner_.status(); }

  Status start() override {
    if (is_bad("keeps_the_identity") && plugin::to_link_key(identity_->link_public_key) != key_)
      return {Code::kInvalid, "the identity has changed"};
    return inner_.start();
  }
  void stop() override {
    if (is_bad("stops_slowly") && sent_large_) std::this_thread::sleep_for(std::chrono::seconds(6));
    stopping_ = true;
    inner_.stop();
    stopped_ = true;
  }
  std::vector<std::string> addresses() override {
    std::vector<std::string> found = inner_.addresses();
    if (is_bad("has_addresses_before_start") && found.empty())
      found.push_back("inproc://" + address_);
    return found;
  }
  Status connect(const LinkKey& peer, ByteView address) override {
    if (is_bad("takes_any_address") && !InprocTransport::check_address(address).ok()) return {};
    return inner_.connect(peer, address);
  }
  Status disconnect(const LinkKey& peer) override {
    if (is_bad("refuses_to_end_after_stop") && stopped_) return {Code::kClosed, "stopped"};
    return inner_.disconnect(peer);
  }
  Status end(std::uint64_t connection) override {
    return is_bad("ends_nothing") ? Status() : inner_.end(real(connection));
  }
  Status publish(ByteView topic, ByteView frame) override {
    const Held held(*this);
    return inner_.publish(topic, frame);
  }
  Status subscribe(std::uint64_t connection, ByteView prefix) override {
    const Held held(*this);
    prefixes_.emplace_back(prefix);
    return inner_.subscribe(real(connection), prefix);
  }
  Status unsubscribe(std::uint64_t connection, ByteView prefix) override {
    if (is_bad("refuses_to_unsubscribe_from_nothing") &&
        std::find(prefixes_.begin(), prefixes_.end(), prefix) == prefixes_.end())
      return {Code::kNotFound, "no such subscription"};
    return inner_.unsubscribe(real(connection), prefix);
  }
  Status request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                 std::uint64_t timeout_ms, ByteView frame) override {
    if (frame.size() >= (1U << 20U)) sent_large_ = true;
    if (is_bad("ends_requests_late") && timeout_ms < 1000) timeout_ms *= 6;
    return inner_.request(real(connection), request, lane, timeout_ms, frame);
  }
  Status reply(std::uint64_t request, std::uint32_t lane, ByteView frame, bool last) override {
    if (is_bad("reorders_replies_of_lanes")) return reply_later(request, lane, frame, last);
    const Status sent = inner_.reply(request, lane, frame, last);
    if (is_bad("says_writable_unasked") && sent.ok()) unasked_ = true;
    return sent;
  }

 private:
  // What waits for the host's callee waits in every call.
  struct Held {
    explicit Held(BadTransport& self) : lock(self.mutex_, std::defer_lock) {
      if (is_bad("waits_for_its_own_thread")) lock.lock();
    }
    std::unique_lock<std::recursive_mutex> lock;
  };

  Status reply_later(std::uint64_t request, std::uint32_t lane, ByteView frame, bool last) {
    const std::string before = std::exchange(late_reply_, {});
    if (lane == RZ_LANE_BULK && !last && before.empty() && frame.size() < 100) {
      late_reply_ = std::string(frame);
      return {};
    }
    if (!before.empty() && last) RZ_TRY(inner_.reply(request, RZ_LANE_BULK, before, false));
    RZ_TRY(inner_.reply(request, lane, frame, last));
    if (!before.empty() && !last) RZ_TRY(inner_.reply(request, RZ_LANE_BULK, before, false));
    return {};
  }

  // The number by which the host knows a connection, and back.
  std::uint64_t shown(std::uint64_t number) {
    const auto found = shown_.find(number);
    return found == shown_.end() ? number : found->second;
  }
  std::uint64_t real(std::uint64_t number) {
    std::uint64_t newest = number;
    for (const auto& [inner, outer] : shown_)
      if (outer == number) newest = inner;
    return newest;
  }

  void connection(const rz_connection* inner, std::uint32_t state) {
    rz_connection told = *inner;
    if (is_bad("reports_a_lower_level")) told.level = RZ_LEVEL_UNPROVEN;
    if (is_bad("uses_numbers_again")) {
      const LinkKey key = plugin::to_link_key(told.link_key);
      const std::uint64_t first = first_of_.emplace(key, told.number).first->second;
      shown_[told.number] = first;
      told.number = first;
    }
    if (is_bad("publishes_before_up") && state == RZ_CONNECTION_UP && requests_ > 15)
      host_.published(host_.context, told.number, {"t", 1}, {"early", 5});
    host_.connection(host_.context, &told, state);
    if (state == RZ_CONNECTION_DOWN) {
      for (const std::uint64_t request : std::exchange(ends_, {}))
        host_.reply(host_.context, request, RZ_CLOSED, {nullptr, 0}, 1);
      if (is_bad("publishes_after_down") && requests_ > 15)
        host_.published(host_.context, told.number, {"t", 1}, {"late", 4});
    } else if (is_bad("subscribes_again")) {
      for (const std::string& prefix : prefixes_) (void)inner_.subscribe(inner->number, prefix);
    }
  }
  void request_came(std::uint64_t connection, std::uint64_t request, rz_bytes frame) {
    ++requests_;
    host_.request(host_.context, shown(connection), request, frame);
    if (unasked_.exchange(false)) host_.writable(host_.context, shown(connection), RZ_LANE_LIVE);
  }
  void reply_came(std::uint64_t request, std::int32_t code, rz_bytes frame, std::uint32_t last) {
    if (code == RZ_CLOSED && is_bad("forgets_requests_at_stop") && stopping_) return;
    if (code == RZ_CLOSED && is_bad("ends_requests_after_down")) return ends_.push_back(request);
    host_.reply(host_.context, request, code, frame, last);
  }

  static BadTransport& self(void* context) { return *static_cast<BadTransport*>(context); }
  rz_transport_events make_events() {
    return {
        this,
        [](void* c, const std::uint8_t* key) -> std::int32_t {
          const Held held(self(c));
          const rz_transport_events& host = self(c).host_;
          const std::int32_t answer = host.authorize(host.context, key);
          if (is_bad("lets_in_what_is_not_denied")) return answer == RZ_DENIED ? answer : RZ_OK;
          return answer;
        },
        [](void* c, const rz_connection* connection, std::uint32_t state) {
          const Held held(self(c));
          self(c).connection(connection, state);
        },
        [](void* c, std::uint64_t connection, rz_bytes topic, rz_bytes frame) {
          const Held held(self(c));
          const rz_transport_events& host = self(c).host_;
          host.published(host.context, self(c).shown(connection), topic, frame);
        },
        [](void* c, std::uint64_t connection, std::uint64_t request, rz_bytes frame) {
          const Held held(self(c));
          self(c).request_came(connection, request, frame);
        },
        [](void* c, std::uint64_t request, std::int32_t code, rz_bytes frame, std::uint32_t last) {
          const Held held(self(c));
          self(c).reply_came(request, code, frame, last);
        },
        [](void* c, std::uint64_t connection, std::uint32_t lane) {
          const rz_transport_events& host = self(c).host_;
          if (!is_bad("never_says_writable"))
            host.writable(host.context, self(c).shown(connection), lane);
        }};
  }

  const rz_transport_identity* identity_;
  const LinkKey key_;
  const std::string address_;
  const rz_transport_events host_;
  const rz_transport_events events_;
  std::recursive_mutex mutex_;
  std::vector<std::string> prefixes_;
  std::map<std::uint64_t, std::uint64_t> shown_;
  std::map<LinkKey, std::uint64_t> first_of_;
  std::vector<std::uint64_t> ends_;
  std::string late_reply_;
  std::uint64_t requests_ = 0;
  std::atomic<bool> sent_large_{false}, stopping_{false}, stopped_{false}, unasked_{false};
  InprocTransport inner_;
};

const rz_transport& good_table() { return *plugin::transport_table<BadTransport>(); }

std::int32_t open(const rz_host* host, rz_bytes config, const rz_transport_identity* identity,
                  const rz_transport_events* events, void** transport, rz_error* error) {
  return plugin::guard(error, [&]() -> Status {
    const rz_host* used = host;
    static const rz_host* first = host;
    if (is_bad("keeps_its_first_host")) used = first;
    Result<Options> options = parse_options(view(config));
    if (!options.ok()) return options.status();
    if (!is_bad("proves_nothing") && !holds_its_key(*identity))
      return {Code::kInvalid, "link_public_key is not that of link_secret_key"};
    auto made = std::make_unique<BadTransport>(used, std::move(*options), identity, events);
    RZ_TRY(made->status());
    *transport = static_cast<plugin::Transport*>(made.release());
    return {};
  });
}

std::int32_t request(void* transport, std::uint64_t connection, std::uint64_t number,
                     std::uint32_t lane, std::uint64_t timeout_ms, rz_bytes frame,
                     rz_error* error) {
  if (is_bad("takes_any_lane")) lane %= RZ_LANES;
  return good_table().request(transport, connection, number, lane, timeout_ms, frame, error);
}

const rz_transport* table() {
  static const rz_transport bad = [] {
    rz_transport made = good_table();
    made.open = open;
    made.request = request;
    return made;
  }();
  return &bad;
}

}  // namespace
}  // namespace rhizome::inproc

RHIZOME_PLUGIN({RZ_TRANSPORT_ID, rhizome::inproc::table()})
