// The monitor's events, and the filter.
#include "zeromq/gate.hpp"

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zmq.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace rhizome::zeromq {

DescriptorBudget descriptor_budget(std::size_t max_peers) {
  rlimit limit{};
  std::size_t all = 1024;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    all = std::min<std::size_t>(limit.rlim_cur, 1U << 20U);
  const std::size_t ours = all > 192 ? all - 192 : 0;
  return {std::min(max_peers, std::max<std::size_t>(ours / 8, 4)),
          std::clamp<std::size_t>(all / 8, 16, 1024)};
}

bool Gate::look(zmq::socket_t& monitor) {
  bool ended = false;
  for (;;) {
    // Two parts: event and value, then the endpoint.
    zmq::message_t event, endpoint;
    if (zmq_msg_recv(event.handle(), monitor.handle(), ZMQ_DONTWAIT) < 0) return ended;
    if (event.more()) (void)zmq_msg_recv(endpoint.handle(), monitor.handle(), ZMQ_DONTWAIT);
    if (event.size() != 6) continue;
    std::uint16_t kind = 0;
    std::int32_t descriptor = 0;
    std::memcpy(&kind, event.data(), 2);
    std::memcpy(&descriptor, static_cast<const char*>(event.data()) + 2, 4);
    if (kind == ZMQ_EVENT_LISTENING) listener_ = descriptor;
    if (kind == ZMQ_EVENT_ACCEPTED) accepted_.insert(descriptor);
    if (kind != ZMQ_EVENT_DISCONNECTED) continue;
    accepted_.erase(descriptor);
    ended = true;
  }
}

bool Gate::adjust(std::size_t proven) {
  const std::size_t unproven = accepted_.size() > proven ? accepted_.size() - proven : 0;
  const bool stays = closed_ ? unproven > most_ / 2 : unproven < most_;
  if (stays) return false;
  if (!filter(!closed_)) return false;
  closed_ = !closed_;
  return closed_;
}

bool Gate::filter(bool drop) const {
  if (listener_ < 0) return false;
  if (!drop) {
    int ignored = 0;
    return ::setsockopt(listener_, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored) == 0;
  }
  sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};  // "keep 0 bytes of the packet"
  const sock_fprog program{1, &nothing};
  return ::setsockopt(listener_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

}  // namespace rhizome::zeromq
