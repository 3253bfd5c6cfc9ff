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
    return send(*member, kind, lane, body, std::move(handler), deadline_ms);
  strand_->post([handler = std::move(handler)] {
    handler(Code::kClosed, std::make_shared<std::string>(), {}, true);
  });
}

Status Fabric::Core::answer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body,
                            bool last) {
  return transport_->reply(asked.request, seal(kind, lane, body, &asked.from), last);
}

void Fabric::Core::refuse(const Asked& asked, Code code, std::string_view why) {
  refuse(asked.request, asked.from, code, why);
}

bool Fabric::Core::serve(const Member& member, const wire::Frame& frame, std::uint64_t request) {
  for (const auto& service : services_) {
    if (!service->takes(frame.kind)) continue;
    service->request(member.peer, frame, {request, member.link, frame.sender});
    return true;
  }
  return false;
}

}  // namespace rhizome
