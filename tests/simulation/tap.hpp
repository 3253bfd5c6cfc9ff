// What stands between a node's transport and its fabric in a simulation: it counts what comes in
// and may keep frames from the fabric, so that a bug can be put into a node. The test's thread.
#pragma once

#include <array>
#include <cstdint>

#include "rhizome/use/transport.hpp"
#include "wire/frame.hpp"

namespace rhizome::simulation {

// What one node received, as bytes of frames by their kind.
struct Traffic {
  std::uint64_t frames = 0, bytes = 0;
  std::array<std::uint64_t, 64> bytes_of_kind{};
  std::array<std::uint64_t, 64> frames_of_kind{};
};

class Tap final : public use::TransportEvents {
 public:
  explicit Tap(use::TransportEvents* to) : to_(to) {}

  void count_into(Traffic* traffic) { traffic_ = traffic; }  // null: nothing is counted
  void deafen() { deaf_ = true; }  // everything but greetings is swallowed from now on

  bool authorize(const use::LinkKey& peer) noexcept override { return to_->authorize(peer); }
  void peer(const use::LinkKey& peer, bool up) noexcept override { to_->peer(peer, up); }
  void published(const use::LinkKey& peer, ByteView topic, ByteView frame) noexcept override {
    count(frame);
    if (!hears(frame)) return;
    to_->published(peer, topic, frame);
  }
  void request(const use::LinkKey& peer, std::uint64_t request, ByteView frame) noexcept override {
    count(frame);
    if (!hears(frame)) return;
    to_->request(peer, request, frame);
  }
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override {
    if (code == Code::kOk) count(frame);
    if (code == Code::kOk && !hears(frame)) return;
    to_->reply(request, code, frame, last);
  }
  void work(const use::LinkKey& peer, ByteView frame) noexcept override {
    count(frame);
    to_->work(peer, frame);
  }

 private:
  static wire::Kind kind_of(ByteView frame) {
    const Result<wire::Frame> opened = wire::open(frame);
    return opened.ok() ? opened->kind : wire::Kind{};
  }
  bool hears(ByteView frame) const {
    if (!deaf_) return true;
    const wire::Kind kind = kind_of(frame);
    return kind == wire::Kind::kHello || kind == wire::Kind::kHelloReply;
  }
  void count(ByteView frame) {
    if (traffic_ == nullptr) return;
    const auto kind = static_cast<std::size_t>(kind_of(frame)) % traffic_->bytes_of_kind.size();
    ++traffic_->frames;
    traffic_->bytes += frame.size();
    ++traffic_->frames_of_kind[kind];
    traffic_->bytes_of_kind[kind] += frame.size();
  }

  use::TransportEvents* to_;
  Traffic* traffic_ = nullptr;
  bool deaf_ = false;
};

}  // namespace rhizome::simulation
