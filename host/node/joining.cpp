// Invitations, as the control socket asks for them: the membership's and the fabric's parts put
// together. Any thread.
#include "membership/invitation.hpp"
#include "node/parts.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {

namespace {

// Where everybody listens is nowhere to dial.
bool can_be_dialled(const std::string& address) {
  for (const char* wildcard : {"//0.0.0.0:", "//*:", "//[::]:"})
    if (address.find(wildcard) != std::string::npos) return false;
  return true;
}

}  // namespace

Result<std::string> Node::Parts::invite(const std::string& given, std::uint64_t seconds) {
  std::string address = given;
  if (address.empty() && !config.advertise.empty()) address = config.advertise.front();
  if (address.empty())
    if (const auto own = core->transport().addresses(); own.ok() && !own->empty())
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
  const Result<InviteTicket> ticket = core->membership().invite(seconds, executor.wall_ms());
  if (!ticket.ok()) return ticket.status();
  return to_line({node_key->public_key(), address, config.fabric, *ticket});
}

Status Node::Parts::join(const std::string& line) {
  const Result<Invitation> invitation = parse_invitation(line);
  if (!invitation.ok()) return invitation.status();
  if (invitation->key == node_key->public_key())
    return {Code::kInvalid, "join: this is an invitation of this very node"};
  if (invitation->fabric != config.fabric)
    return {Code::kInvalid, "join: the invitation is into the fabric '" + invitation->fabric +
                                "', this node's is '" + config.fabric +
                                "'; set node.fabric in the config and restart"};
  RZ_TRY(core->membership().accept(*invitation, executor.wall_ms()));
  core->fabric().join(*invitation);
  return {};
}

Status Node::Parts::forget(const std::string& key) {
  const auto parsed = ::rhizome::author_key(key);
  if (!parsed)
    return {Code::kInvalid, "forget: expected ed25519: and 64 hex digits, found '" + key + "'"};
  RZ_TRY(core->membership().forget(*parsed));
  core->fabric().drop(*parsed);
  return {};
}

}  // namespace rhizome
