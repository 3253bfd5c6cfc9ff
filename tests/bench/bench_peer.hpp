// A peer without a node behind it, over the real ZeroMQ plugin: it says hello, introduces itself
// and then sends any frames. For tests/bench alone; calls from one thread.
#pragma once

#include "bench_node.hpp"
#include "links/identity.hpp"
#include "session/testing.hpp"
#include "wire/messages.hpp"

namespace rhizome::bench {

class RawPeer final : use::TransportEvents {
 public:
  // Dials that node at once; `greeted` says whether the node took its introduction.
  RawPeer(const PeerSpec& target, std::uint8_t number) : key_(testing_support::key_of(number)) {
    const TransportIdentity identity(key_);
    transport_ = std::make_unique<use::Transport>(must(use::Transport::open(
        transport_table(), std::make_shared<use::BareHost>(), "{}", identity.abi(), this)));
    must(transport_->start());
    link_key_of(target.key, link_.data());
    must(transport_->connect(link_, target.address));
    wait_for(greeted_);
    sleep_ms(20);  // its topic is subscribed to
  }
  ~RawPeer() override { transport_->stop(); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  const SigningKey& key() const { return key_; }
  bool up() const { return up_; }
  std::uint64_t answered() const { return answered_; }  // hello and the introduction among them

  static std::string frame(wire::Kind kind, wire::Lane lane, const std::string& body) {
    wire::Frame made;
    made.kind = kind;
    made.lane = lane;
    made.body = body;
    return wire::encode_frame(made);
  }
  // Under its own topic.
  Status publish(const std::string& frame) {
    std::string topic = "o";
    topic.append(view(key_.public_key().data(), 32));
    return transport_->publish(topic, frame);
  }
  Status request(const std::string& frame, std::uint64_t timeout_ms) {
    return transport_->request(connection_, next_request_++, RZ_LANE_LIVE, timeout_ms, frame);
  }

 private:
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void connection(const use::Connection& connection, bool is_up) noexcept override {
    up_ = is_up;
    if (!is_up) return;
    connection_ = connection.number;
    if (const auto hello = greeter_.up(connection)) (void)request(*hello, 5000);
  }
  void introduce() {
    (void)request(
        session_testing::frame(wire::Kind::kIntroduce, wire::encode(wire::Introduction{})), 5000);
  }
  void published(std::uint64_t, ByteView, ByteView) noexcept override {}
  void request(std::uint64_t, std::uint64_t request, ByteView bytes) noexcept override {
    const bool had_session = greeter_.has_session();
    if (const auto answer = greeter_.asked(bytes))
      (void)transport_->reply(request, RZ_LANE_CONTROL, *answer, true);
    if (!had_session && greeter_.has_session()) introduce();
  }
  void writable(std::uint64_t, std::uint32_t) noexcept override {}
  void reply(std::uint64_t, Code code, ByteView bytes, bool) noexcept override {
    if (code != Code::kOk || bytes.empty()) return;
    ++answered_;
    if (greeter_.has_session()) {
      if (static_cast<wire::Kind>(bytes[0]) == wire::Kind::kIntroduce) greeted_ = true;
      return;
    }
    if (const auto next = greeter_.replied(bytes)) (void)request(*next, 5000);
    if (greeter_.has_session()) introduce();
  }
  static void wait_for(const std::atomic<bool>& flag) {
    for (int i = 0; i < 500 && !flag; ++i) sleep_ms(2);
  }

  const SigningKey key_;
  session_testing::Greeter greeter_{key_};  // the transport's thread's
  use::LinkKey link_{};
  std::atomic<std::uint64_t> connection_{0};
  std::atomic<bool> up_{false}, greeted_{false};
  std::atomic<std::uint64_t> answered_{0}, next_request_{1};
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome::bench
