// What stands between a node's transport and its fabric in a simulation: it counts what comes in
// and may keep frames from the fabric, so that a bug can be put into a node. The test's thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

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
  // Every frame that comes in may be changed first, and comes as often as `meddle` says.
  void meddle(std::function<unsigned(std::string& frame)> meddle) { meddle_ = std::move(meddle); }
  void deafen() { deaf_ = true; }  // everything but greetings is swallowed from now on

  bool authorize(const use::LinkKey& peer) noexcept override { return to_->authorize(peer); }
  void connection(const use::Connection& connection, bool up) noexcept override {
    if (up) connections_[connection.link] = connection.number;
    to_->connection(connection, up);
  }
  // The newest connection of this link key; 0: there was none.
  std::uint64_t connection_of(const use::LinkKey& link) const {
    const auto found = connections_.find(link);
    return found == connections_.end() ? 0 : found->second;
  }
  // The newest of any.
  std::uint64_t last_connection() const {
    std::uint64_t last = 0;
    for (const auto& [link, number] : connections_) last = std::max(last, number);
    return last;
  }
  void published(std::uint64_t connection, ByteView topic, ByteView frame) noexcept override {
    count(frame);
    if (!hears(frame)) return;
    std::string changed(frame);
    for (unsigned i = meddle_ ? meddle_(changed) : 1; i != 0; --i)
      to_->published(connection, topic, changed);
  }
  void request(std::uint64_t connection, std::uint64_t request, ByteView frame) noexcept override {
    count(frame);
    if (!hears(frame)) return;
    std::string changed(frame);
    for (unsigned i = meddle_ ? meddle_(changed) : 1; i != 0; --i)
      to_->request(connection, request, changed);
  }
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override {
    if (code == Code::kOk) count(frame);
    if (code == Code::kOk && !hears(frame)) return;
    std::string changed(frame);
    if (code == Code::kOk && meddle_) (void)meddle_(changed);
    to_->reply(request, code, changed, last);
  }
  void writable(std::uint64_t connection, std::uint32_t lane) noexcept override {
    to_->writable(connection, lane);
  }

 private:
  static wire::Kind kind_of(ByteView frame) {
    return frame.empty() ? wire::Kind{} : static_cast<wire::Kind>(frame[0]);
  }
  // Hello's last answer is an acknowledgement like any other.
  bool hears(ByteView frame) const {
    if (!deaf_) return true;
    const wire::Kind kind = kind_of(frame);
    return wire::is_hello(kind) || kind == wire::Kind::kIntroduce || kind == wire::Kind::kAck;
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
  std::map<use::LinkKey, std::uint64_t> connections_;
  Traffic* traffic_ = nullptr;
  std::function<unsigned(std::string&)> meddle_;
  bool deaf_ = false;
};

}  // namespace rhizome::simulation
