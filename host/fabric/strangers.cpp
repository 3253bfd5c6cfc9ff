// Places for peers: who is expected always has one, strangers share a bounded number, and so do
// those of one network.
#include <algorithm>

#include "fabric/core.hpp"
#include "fabric/groups.hpp"

namespace rhizome {

namespace {

// Three hellos may be lost on their way.
constexpr std::uint64_t kSessionWaitNs = 30'000'000'000;

}  // namespace

std::string Fabric::Core::network_of(std::uint64_t connection) const {
  if (remote_ == nullptr) return {};
  std::string address;
  const rz_sink sink{&address, [](void* context, rz_bytes chunk) {
                       static_cast<std::string*>(context)->append(view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  rz_error error{};
  const std::int32_t code = remote_->remote(transport_->handle(), connection, &sink, &error);
  return code == RZ_OK ? network_group(address) : std::string();
}

Fabric::Core::Member* Fabric::Core::admit_stranger(const LinkKey& link, std::uint64_t connection) {
  const std::string network = network_of(connection);
  std::size_t up = 0, neighbours = 0;
  for (const auto& [other, member] : members_) {
    if (!member.status.up || other == link || membership_.expects(other)) continue;
    ++up;
    if (!network.empty() && member.network == network) ++neighbours;
  }
  if (up >= options_.max_strangers || neighbours >= options_.max_strangers_per_network)
    return nullptr;
  Member* member = place_for(link);
  if (member != nullptr) member->network = network;
  return member;
}

Fabric::Core::Member* Fabric::Core::place_for(const LinkKey& link) {
  if (Member* member = member_of(link)) return member;
  if (members_.size() >= options_.max_members) {
    // Who left makes room for who comes.
    const auto absent = std::find_if(members_.begin(), members_.end(), [&](const auto& entry) {
      return !entry.second.status.up && !membership_.expects(entry.first);
    });
    if (absent == members_.end()) return nullptr;
    forget_known(absent->first);
    members_.erase(absent);
  }
  Member& member = members_[link];
  member.link = link;
  return &member;
}

void Fabric::Core::turn_away(const Connection& connection) {
  ++counters_.turned_away;
  end(connection.info.number);
}

void Fabric::Core::await_session(const Connection& connection) {
  strand_->post_after(kSessionWaitNs, [self = shared_from_this(), number = connection.info.number] {
    const Connection* const waited = self->connection_of(number);
    if (!self->stopped_ && waited != nullptr && !waited->has_session) self->end(number);
  });
}

// This one alone: others of its link key may be its owner's.
void Fabric::Core::end(std::uint64_t connection) {
  const Status ended = transport_->end(connection);
  if (!ended.ok()) log_.debug("peer.disconnect.failed", {{"reason", ended.message()}});
}

}  // namespace rhizome
