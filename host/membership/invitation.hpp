// The one line by which a node lets another one in: where it is, which key it has, its fabric, and
// a ticket that admits one node once. Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "journal/label.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// A secret of 128 bits: whoever shows it first is let in.
using InviteTicket = std::array<std::uint8_t, 16>;

struct Invitation {
  NodeKey key{};        // of the node that invites
  std::string address;  // where it is dialled
  std::string fabric;
  InviteTicket ticket{};
};

// rhizome:HEX@ADDRESS,fabric=NAME,ticket=HEX  (bytes of the name other than letters, digits and
// ._- as %XX): nothing in it means anything to a shell.
std::string to_line(const Invitation& invitation);
// kInvalid says what was expected and found.
Result<Invitation> parse_invitation(ByteView line);

}  // namespace rhizome
