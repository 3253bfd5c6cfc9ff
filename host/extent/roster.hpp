// The roster: who counts. At most 64 voters, versioned, signed by the authority that invites; being
// seen on the network adds nobody. Version 0 is a node's own: itself and the peers of its config,
// unsigned. docs/protocol.md specifies the bytes. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "journal/label.hpp"
#include "rhizome/status.hpp"
#include "wire/frame.hpp"

namespace rhizome {

inline constexpr std::size_t kMaxVoters = 64;
inline constexpr std::size_t kMaxVoterName = 128;
inline constexpr ByteView kRosterDomain = "rhizome.roster.v1";

struct Voter {
  NodeKey key{};
  std::string name;  // for people, and for `--confirm NAMES`
  bool operator==(const Voter&) const = default;
};

struct Roster {
  wire::FabricId fabric{};
  NodeKey authority{};
  std::uint64_t version = 0;
  std::vector<Voter> voters;  // by key, ascending, each once
  Signature signature{};

  const Voter* find(const NodeKey& key) const;
  bool has(const NodeKey& key) const { return find(key) != nullptr; }
};

// Sorts the voters, sets the authority and signs. REQUIRES: version > 0.
void sign(Roster& roster, const SigningKey& authority);
std::string encode(const Roster& roster);
// kInvalid where it is not as docs/protocol.md says. The signature is not looked at.
Result<Roster> decode_roster(ByteView bytes);
bool is_signed_by_authority(const Roster& roster);

// What a writer or reader asks for: so many voters, or these.
struct Need {
  std::string asked;           // as it was given
  std::size_t count = 0;       // at least so many voters
  std::vector<NodeKey> named;  // and each of these
};
// "local", a number, "majority", "all", or names of voters with commas between. kInvalid says what
// the roster has; more voters than there are is an error and no lesser promise.
Result<Need> parse_need(const std::string& text, const Roster& roster);

}  // namespace rhizome
