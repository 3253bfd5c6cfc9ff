// Rosters as bytes, their signature, and what may be asked of them.
#include "extent/roster.hpp"

#include <algorithm>

#include "wire/cbor.hpp"

namespace rhizome {

namespace {

std::string signed_body(const Roster& roster) {
  std::string out;
  wire::put_array(4, out);
  wire::put_fixed(roster.fabric, out);
  wire::put_fixed(roster.authority, out);
  wire::put_uint(roster.version, out);
  wire::put_array(roster.voters.size(), out);
  for (const Voter& voter : roster.voters) {
    wire::put_array(2, out);
    wire::put_fixed(voter.key, out);
    cbor_append_text(voter.name, out);
  }
  return out;
}

std::string message_of(const Roster& roster) {
  const Hash256 hash = blake3(signed_body(roster));
  return std::string(kRosterDomain).append(view(hash.data(), hash.size()));
}

std::string names_of(const Roster& roster) {
  std::string names;
  for (const Voter& voter : roster.voters) names += (names.empty() ? "" : ", ") + voter.name;
  return names;
}

// A voter by its name, which must be one's alone, or by its whole key.
Result<NodeKey> named(const std::string& name, const Roster& roster) {
  const Voter* found = nullptr;
  for (const Voter& voter : roster.voters) {
    if (author_key(name) == voter.key) return voter.key;
    if (voter.name != name) continue;
    if (found != nullptr)
      return Status(Code::kInvalid, "two voters are named '" + name + "': give the key");
    found = &voter;
  }
  if (found != nullptr) return found->key;
  return Status(Code::kInvalid, "'" + name.substr(0, 80) +
                                    "' is no voter; expected local, a number, majority, all or "
                                    "names; voters: " +
                                    names_of(roster));
}

}  // namespace

const Voter* Roster::find(const NodeKey& key) const {
  const auto found =
      std::lower_bound(voters.begin(), voters.end(), key,
                       [](const Voter& voter, const NodeKey& k) { return voter.key < k; });
  return found != voters.end() && found->key == key ? &*found : nullptr;
}

void sign(Roster& roster, const SigningKey& authority) {
  std::sort(roster.voters.begin(), roster.voters.end(),
            [](const Voter& a, const Voter& b) { return a.key < b.key; });
  roster.authority = authority.public_key();
  roster.signature = authority.sign(message_of(roster));
}

std::string encode(const Roster& roster) {
  std::string out;
  wire::put_array(2, out);
  out += signed_body(roster);
  wire::put_fixed(roster.signature, out);
  return out;
}

Result<Roster> decode_roster(ByteView bytes) {
  wire::Reader reader(bytes);
  Roster roster;
  reader.array_of(2);
  reader.array_of(4);
  roster.fabric = reader.fixed<wire::FabricId>();
  roster.authority = reader.fixed<NodeKey>();
  roster.version = reader.uint();
  const std::uint64_t count = reader.array(kMaxVoters);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(2);
    Voter voter;
    voter.key = reader.fixed<NodeKey>();
    voter.name = reader.text();
    if (voter.name.size() > kMaxVoterName) reader.fail();
    if (!roster.voters.empty() && roster.voters.back().key >= voter.key) reader.fail();
    roster.voters.push_back(std::move(voter));
  }
  roster.signature = reader.fixed<Signature>();
  if (!reader.done() || roster.version == 0 || roster.voters.empty())
    return Status(Code::kInvalid, "roster: not the canonical CBOR that docs/protocol.md gives");
  return roster;
}

bool is_signed_by_authority(const Roster& roster) {
  return verify_strict(roster.authority, message_of(roster),
                       view(roster.signature.data(), roster.signature.size()));
}

Result<Need> parse_need(const std::string& text, const Roster& roster) {
  Need need{text, 0, {}};
  const std::size_t voters = roster.voters.size();
  if (text == "local") return need;
  if (text == "majority" || text == "all") {
    need.count = text == "all" ? voters : voters / 2 + 1;
    return need;
  }
  if (!text.empty() && text.size() < 4 && text.find_first_not_of("0123456789") == text.npos) {
    need.count = std::stoul(text);
    if (need.count >= 1 && need.count <= voters) return need;
    return Status(Code::kInvalid, "confirmation by " + text + " is asked and the roster has " +
                                      std::to_string(voters) + " voters: " + names_of(roster));
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const Result<NodeKey> key = named(text.substr(begin, end - begin), roster);
    if (!key.ok()) return key.status();
    if (std::find(need.named.begin(), need.named.end(), *key) == need.named.end())
      need.named.push_back(*key);
    begin = end + 1;
  }
  return need;
}

}  // namespace rhizome
