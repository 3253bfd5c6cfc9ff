// What the fabric gives to its services, and how their frames reach them.
#include "fabric/core.hpp"

namespace rhizome {

std::vector<LinkedPeer> Fabric::Core::peers() const {
  std::vector<LinkedPeer> peers;
  for (const auto& [link, member] : members_)
    if (member.status.up && member.greeted) peers.push_back(member.peer);
  return peers;
}

const LinkedPeer* Fabric::Core::peer(const LinkKey& link) const {
  const auto found = members_.find(link);
  if (found == members_.end() || !found->second.status.up || !found->second.greeted) return nullptr;
  return &found->second.peer;
}

const LinkedPeer* Fabric::Core::peer_of(const NodeKey& key) const {
  LinkKey link{};
  return link_key_of(key, link.data()) ? peer(link) : nullptr;
}

void Fabric::Core::ask(const LinkKey& to, wire::Kind kind, wire::Lane lane, ByteView body,
                       std::uint64_t deadline_ms, ReplyHandler handler) {
  Member* member = member_of(to);
  if (member != nullptr && member->status.up)
    return send(member->connection, kind, lane, body, std::move(handler), deadline_ms);
  strand_->post([handler = std::move(handler)] {
    handler(Code::kClosed, std::make_shared<std::string>(), {}, true);
  });
}

Status Fabric::Core::offer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body,
                           bool last, std::uint64_t until_ns, Task again) {
  const std::uint64_t rooms = connections_.rooms(asked.connection);
  Status sent = answer(asked, kind, lane, body, last);
  if (sent.code() == Code::kWouldBlock &&
      !connections_.wait(asked.connection, rooms, until_ns, std::move(again)))
    return {Code::kDeadline, "the asker read too slowly"};
  return sent;
}

void Fabric::Core::distrust(const LinkKey& link, std::string_view why, double weight) {
  if (!standing_.distrust(link, why, weight, executor_.monotonic_ns())) return;
  ++counters_.excluded;
  strand_->post([self = shared_from_this(), link, reason = std::string(why)] {
    if (self->stopped_) return;
    const Standing::View view = self->standing_.view_of(link, self->executor_.monotonic_ns());
    const Member* member = self->member_of(link);
    self->log_.warn("peer.excluded", {{"name", member == nullptr ? "" : member->status.name},
                                      {"seconds", std::to_string(view.excluded_for_ms / 1000)},
                                      {"reason", reason}});
    const Status left = self->transport_->disconnect(link);
    if (!left.ok()) self->log_.debug("peer.disconnect.failed", {{"reason", left.message()}});
    self->strand_->post_after((view.excluded_for_ms + 1) * 1'000'000,
                              [self, link] { self->let_back_in(link); });
  });
}

// Who was only dialled by us is dialled again; all others come by themselves.
void Fabric::Core::let_back_in(const LinkKey& link) {
  const Member* member = member_of(link);
  if (stopped_ || member == nullptr || !membership_.expects(link)) return;
  dial(*member);
}

bool Fabric::Core::serve(const Member& member, const wire::Frame& frame, const Asked& asked) {
  for (const auto& service : services_) {
    if (!service->takes(frame.kind)) continue;
    service->request(member.peer, frame, asked);
    return true;
  }
  return false;
}

}  // namespace rhizome
