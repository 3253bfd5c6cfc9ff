// Few different values, times and authors, so that ties are the rule and not the exception.
#include "drawn.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

namespace rhizome::conformance {

namespace {

std::string id_of(std::uint64_t number) {
  std::string id("\x1e\x20", 2);
  for (int i = 0; i < 32; ++i) id.push_back(static_cast<char>(number >> (8 * (3 - i % 4))));
  return id;
}

std::string dumped(const nlohmann::json& value) { return value.dump(); }

// A value of any kind. `context` and `json` fit it.
void draw_value(std::mt19937_64& random, Claim& claim) {
  static constexpr double kNumbers[] = {0, 5, -5, 5.5, 1e308, -1e308, 5e-324, 1e16, 1};
  switch (random() % 8) {
    case 0:
      claim = text_claim(random() % 2 == 0 ? "x" : "", 0, 0);
      break;
    case 1:
      claim.kind = RZ_TARGET_BOOLEAN;
      claim.number = static_cast<double>(random() % 2);
      claim.json = claim.number != 0 ? "true" : "false";
      break;
    case 2:
      claim.kind = RZ_TARGET_ENTITY;
      claim.text = "entity";
      claim.context = random() % 2 == 0 ? "friends" : "";
      claim.json =
          claim.context.empty() ? R"({"id":"entity"})" : R"({"id":"entity","context":"friends"})";
      break;
    case 3:
      claim.kind = RZ_VALUE_OBJECT;
      claim.json = R"({"roles":{"a":1,"b":[true,"x"]}})";
      break;
    case 4:
      claim.kind = RZ_VALUE_NULL;
      claim.json = "null";
      break;
    default:
      claim = number_claim(kNumbers[random() % std::size(kNumbers)], 0, 0);
  }
}

// Keys that sign, and keys that vouch for what others wrote: the names alice and bob, or a delta
// that claims to be by another key.
void draw_identities(std::mt19937_64& random, Claim& claim) {
  const std::size_t first = random() % kKeys;
  if (random() % 2 == 0) {
    claim.signature_state = RZ_SIGNATURE_VERIFIED;
    claim.identities = {{key_of(first), text_of_key(key_of(first)), true}};
    return;
  }
  static constexpr const char* kNames[] = {"alice", "bob"};
  const std::string name =
      random() % 4 == 0 ? text_of_key(key_of(random() % kKeys)) : kNames[random() % 2];
  if (random() % 3 == 0) {
    claim.signature_state = RZ_SIGNATURE_UNSIGNED;
    claim.identities = {{"", name, false}};
    return;
  }
  claim.signature_state = RZ_SIGNATURE_VOUCHED;
  claim.identities.clear();
  for (std::size_t i = 0; i <= random() % kKeys; ++i)
    claim.identities.push_back({key_of((first + i) % kKeys), name, false});
}

Claim draw_claim(std::mt19937_64& random, std::uint64_t id) {
  Claim claim;
  draw_value(random, claim);
  claim.timestamp = static_cast<double>(random() % 3);
  claim.seq = 1 + random() % 1000;
  draw_identities(random, claim);
  claim.held = static_cast<std::uint32_t>(random() % 4);
  claim.durability = static_cast<double>(random() % 3) / 2;
  claim.belief = static_cast<double>(random() % 3) / 2;
  claim.id = id_of(id);
  return claim;
}

void draw_claims(std::mt19937_64& random, std::vector<Claim>& claims) {
  const std::uint64_t base = random() & 0xffff00;
  const std::size_t count = random() % 9;
  for (std::size_t i = 0; i < count; ++i) claims.push_back(draw_claim(random, base + i));
}

Identity first_key() { return {key_of(0), text_of_key(key_of(0)), true}; }

}  // namespace

std::string key_of(std::size_t number) { return std::string(32, static_cast<char>('a' + number)); }

std::string text_of_key(const std::string& key) { return "ed25519:" + to_hex(key); }

Claim number_claim(double number, double timestamp, std::uint8_t id) {
  Claim claim;
  claim.kind = RZ_TARGET_NUMBER;
  claim.number = number;
  claim.json = dumped(number);
  claim.timestamp = timestamp;
  claim.identities = {first_key()};
  claim.id = id_of(id);
  return claim;
}

Claim text_claim(const std::string& text, double timestamp, std::uint8_t id) {
  Claim claim;
  claim.kind = RZ_TARGET_STRING;
  claim.text = text;
  claim.json = dumped(text);
  claim.timestamp = timestamp;
  claim.identities = {first_key()};
  claim.id = id_of(id);
  return claim;
}

Set draw_set(std::mt19937_64& random, const std::vector<std::string>& others) {
  Set set;
  draw_claims(random, set.claims);
  for (const std::string& other : others) {
    draw_claims(random, set.others[other]);
    if (set.others[other].empty()) set.others.erase(other);  // the host leaves it out
  }
  return set;
}

void Call::add(const Set& set) {
  add(set.entity, set.name, set.claims, true);
  for (const auto& [name, claims] : set.others) add(set.entity, name, claims, false);
}

void Call::add(const std::string& entity, const std::string& name, const std::vector<Claim>& claims,
               bool wanted) {
  std::string& table = candidates_.emplace_back();
  for (const Claim& claim : claims) {
    const rz_candidate candidate = candidate_of(claim);
    table.append(reinterpret_cast<const char*>(&candidate), sizeof candidate);
    table.append(room_, '\xff');
  }
  const rz_property property{to_abi(entity),
                             to_abi(name),
                             reinterpret_cast<const rz_candidate*>(table.data()),
                             claims.size(),
                             static_cast<std::uint32_t>(sizeof(rz_candidate) + room_),
                             wanted ? 1U : 0U};
  properties_.append(reinterpret_cast<const char*>(&property), sizeof property);
  properties_.append(room_, '\xff');
  names_.push_back(name);
  claims_.push_back(&claims);
}

const rz_property* Call::properties() const {
  return reinterpret_cast<const rz_property*>(properties_.data());
}

rz_candidate Call::candidate_of(const Claim& claim) {
  rz_candidate made{};
  const auto has = [&](std::uint64_t input) { return (inputs_ & input) != 0; };
  made.kind = claim.kind;
  made.number = claim.number;
  made.text = to_abi(claim.text);
  made.context = to_abi(claim.context);
  std::memcpy(made.id, claim.id.data(), sizeof made.id);
  if (has(RZ_INPUT_JSON)) made.json = to_abi(claim.json);
  if (has(RZ_INPUT_TIMESTAMP)) made.timestamp = claim.timestamp;
  if (has(RZ_INPUT_SEQ)) made.seq = claim.seq;
  if (has(RZ_INPUT_SIGNATURE)) made.signature_state = claim.signature_state;
  if (has(RZ_INPUT_EXTENT)) {
    made.held = claim.held;
    made.voters = claim.voters;
  }
  if (has(RZ_INPUT_CONFIDENCE)) {
    made.durability = claim.durability;
    made.belief = claim.belief;
  }
  if (has(RZ_INPUT_IDENTITIES)) {
    std::vector<rz_identity>& identities = identities_.emplace_back();
    for (const Identity& each : claim.identities)
      identities.push_back({to_abi(each.key), to_abi(each.name), each.verified ? 1U : 0U, 0});
    made.identities = identities.data();
    made.identity_count = static_cast<std::uint32_t>(identities.size());
  }
  return made;
}

OneCandidate::OneCandidate(const Claim& claim, std::uint64_t inputs) : call_(inputs) {
  set_.claims.push_back(claim);
  call_.add(set_);
}

}  // namespace rhizome::conformance
