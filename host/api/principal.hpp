// On whose behalf an operation runs. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/status.hpp"

namespace rhizome::api {

enum class Role : std::uint8_t {
  kRead = 1,     // status, peers, digests, queries, views, subscriptions
  kWrite = 2,    // write, import, negate
  kOperate = 4,  // invite, join, forget, set the roster
};

struct Principal {
  // Whose key signs what it writes: "ed25519:<hex>". Empty: the node's author.
  std::string author;
  std::uint8_t roles = 0;  // bits of Role

  // All roles: the node's own user, as on the control socket.
  static Principal owner() { return {{}, 7}; }

  bool may(Role role) const { return (roles & static_cast<std::uint8_t>(role)) != 0; }
};

// kDenied where the principal lacks the role. `operation` is named in the message.
inline Status require(const Principal& principal, Role role, const char* operation) {
  if (principal.may(role)) return {};
  const char* const name = role == Role::kRead    ? "read"
                           : role == Role::kWrite ? "write"
                                                  : "operate";
  return {Code::kDenied, std::string(operation) + ": expected the role '" + name + "'"};
}

}  // namespace rhizome::api
