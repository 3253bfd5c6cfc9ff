// Invitations: the membership's and the fabric's parts of them, put together.
#include "api/api.hpp"
#include "membership/invitation.hpp"

namespace rhizome::api {

namespace {

// An address to listen everywhere at is none to dial.
bool can_be_dialled(const std::string& address) {
  for (const char* wildcard : {"//0.0.0.0:", "//*:", "//[::]:"})
    if (address.find(wildcard) != std::string::npos) return false;
  return true;
}

}  // namespace

Result<NodeCore*> Api::network(const char* operation) const {
  if (parts_.core != nullptr) return parts_.core;
  return Status(Code::kUnsupported, std::string(operation) + ": this node has no network");
}

Result<InviteResult> Api::invite(const Principal& by, const InviteRequest& request) const {
  RZ_TRY(require(by, Role::kOperate, "invite"));
  const Result<NodeCore*> core = network("invite");
  if (!core.ok()) return core.status();
  std::string address = request.address;
  if (address.empty() && !parts_.advertise.empty()) address = parts_.advertise.front();
  if (address.empty())
    if (const auto own = (*core)->transport().addresses(); own.ok() && !own->empty())
      address = own->front();
  if (address.empty() || !can_be_dialled(address))
    return Status(Code::kInvalid, address.empty()
                                      ? "invite: this node listens nowhere; give its transport an "
                                        "address to listen on"
                                      : "invite: " + address +
                                            " is no address to dial; say which one with --address, "
                                            "or for good in node.advertise");
  if (address.find(',') != std::string::npos || address.find(' ') != std::string::npos)
    return Status(Code::kInvalid, "invite: an address has no comma and no blank");
  const Result<InviteTicket> ticket =
      (*core)->membership().invite(request.seconds, parts_.executor.wall_ms());
  if (!ticket.ok()) return ticket.status();
  return InviteResult{
      to_line({(*core)->node_key().public_key(), address, (*core)->fabric_name(), *ticket}),
      request.seconds};
}

Status Api::join(const Principal& by, const std::string& line) const {
  RZ_TRY(require(by, Role::kOperate, "join"));
  const Result<NodeCore*> core = network("join");
  if (!core.ok()) return core.status();
  const Result<Invitation> invitation = parse_invitation(line);
  if (!invitation.ok()) return invitation.status();
  if (invitation->key == (*core)->node_key().public_key())
    return {Code::kInvalid, "join: this is an invitation of this very node"};
  if (invitation->fabric != (*core)->fabric_name())
    return {Code::kInvalid, "join: the invitation is into the fabric '" + invitation->fabric +
                                "', this node's is '" + (*core)->fabric_name() +
                                "'; set node.fabric in the config and restart"};
  RZ_TRY((*core)->membership().accept(*invitation, parts_.executor.wall_ms()));
  (*core)->fabric().join(*invitation);
  return {};
}

Status Api::forget(const Principal& by, const std::string& key) const {
  RZ_TRY(require(by, Role::kOperate, "forget"));
  const Result<NodeCore*> core = network("forget");
  if (!core.ok()) return core.status();
  const auto parsed = author_key(key);
  if (!parsed)
    return {Code::kInvalid,
            "forget: expected ed25519: and 64 hex digits, found '" + key.substr(0, 80) + "'"};
  RZ_TRY((*core)->membership().forget(*parsed));
  (*core)->fabric().drop(*parsed);
  return {};
}

}  // namespace rhizome::api
