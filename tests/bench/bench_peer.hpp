// A peer without a node behind it, over the real ZeroMQ plugin: it greets and then sends what it is
// told to. For tests/bench alone; calls from one thread.
#pragma once

#include "bench_node.hpp"
#include "wire/messages.hpp"
#include "wire/testing.hpp"

namespace rhizome::bench {

class RawPeer final : use::TransportEvents {
 public:
  // Dials that node at once; `greeted` says whether the node took its hello.
  RawPeer(const PeerSpec& target, std::uint8_t number) : key_(testing_support::key_of(number)) {
    rz_transport_identity identity{};
    key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
    transport_ = std::make_unique<use::Transport>(
        must(use::Transport::open(transport_table(), "{}", identity, this)));
    must(transport_->start());
    link_key_of(target.key, link_.data());
    must(transport_->connect(link_, target.address));
    wait_for(up_);
    (void)request(seal(wire::Kind::kHello, wire::Lane::kControl, wire::encode(wire::Hello{})),
                  5000);
    wait_for(greeted_);
    sleep_ms(20);  // its topic is subscribed to
  }
  ~RawPeer() override { transport_->stop(); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  const SigningKey& key() const { return key_; }
  bool up() const { return up_; }
  std::uint64_t answered() const { return answered_; }  // the hello among them

  std::string seal(wire::Kind kind, wire::Lane lane, const std::string& body) const {
    return wire_testing::sealed(key_, kind, lane, body);
  }
  // Under its own topic.
  Status publish(const std::string& frame) {
    std::string topic = "o";
    topic.append(view(key_.public_key().data(), 32));
    return transport_->publish(topic, frame);
  }
  Status request(const std::string& frame, std::uint64_t deadline_ms) {
    return transport_->request(link_, next_request_++, frame, deadline_ms);
  }

 private:
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void peer(const use::LinkKey&, bool is_up) noexcept override { up_ = is_up; }
  void published(const use::LinkKey&, ByteView, ByteView) noexcept override {}
  void request(const use::LinkKey&, std::uint64_t, ByteView) noexcept override {}
  void work(const use::LinkKey&, ByteView) noexcept override {}
  void reply(std::uint64_t, Code code, ByteView, bool) noexcept override {
    if (code != Code::kOk) return;
    ++answered_;
    greeted_ = true;
  }
  static void wait_for(const std::atomic<bool>& flag) {
    for (int i = 0; i < 500 && !flag; ++i) sleep_ms(2);
  }

  const SigningKey key_;
  use::LinkKey link_{};
  std::atomic<bool> up_{false}, greeted_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::uint64_t next_request_ = 1;
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome::bench
