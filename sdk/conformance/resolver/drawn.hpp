// Random sets of candidates that own their bytes, and the ABI's form of them. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "rhizome/abi/resolver.h"
#include "rhizome/bytes.hpp"

namespace rhizome::conformance {

// Who stands behind a claim; see rz_identity.
struct Identity {
  std::string key;  // 32 bytes, or empty: nothing is signed
  std::string name;
  bool verified = false;
};
// The suite's authors that are keys, and the text of a key as an author: "ed25519:" and 64 hex
// digits.
inline constexpr std::size_t kKeys = 3;
std::string key_of(std::size_t number);
std::string text_of_key(const std::string& key);

// A candidate as a host that fills in everything would give it.
struct Claim {
  std::uint32_t kind = RZ_VALUE_NULL;
  double number = 0;
  std::string text, context, json = "null";
  double timestamp = 0;
  std::uint64_t seq = 0;
  std::vector<Identity> identities;  // at least one
  std::uint32_t held = 0, voters = 3;
  double durability = 0, belief = 0;
  std::uint8_t signature_state = RZ_SIGNATURE_VERIFIED;
  std::string id;  // 34 bytes
};
// By the first of the suite's keys.
Claim number_claim(double number, double timestamp, std::uint8_t id);
Claim text_claim(const std::string& text, double timestamp, std::uint8_t id);

// The candidates of a property, and those of others of the entity by name.
struct Set {
  std::string entity = "e", name = "p";
  std::vector<Claim> claims;
  std::map<std::string, std::vector<Claim>> others;
};
Set draw_set(std::mt19937_64& random, const std::vector<std::string>& others);

// The ABI's form of one or several sets in one call. Owns the tables; borrows the claims.
class Call {
 public:
  // Beside what is always there, of each candidate only `inputs`. `room`: bytes of nonsense behind
  // every candidate and property, as a later host with larger structs would have there.
  explicit Call(std::uint64_t inputs, std::size_t room = 0) : inputs_(inputs), room_(room) {}
  void add(const Set& set);
  const rz_property* properties() const;
  std::uint64_t count() const { return names_.size(); }
  std::uint64_t stride() const { return sizeof(rz_property) + room_; }
  const std::string& name(std::size_t i) const { return names_[i]; }
  const std::vector<Claim>& claims(std::size_t i) const { return *claims_[i]; }

 private:
  void add(const std::string& entity, const std::string& name, const std::vector<Claim>& claims,
           bool wanted);
  rz_candidate candidate_of(const Claim& claim);

  const std::uint64_t inputs_;
  const std::size_t room_;
  std::string properties_;  // the structs, `stride()` apart
  std::deque<std::string> candidates_;
  std::deque<std::vector<rz_identity>> identities_;
  std::vector<std::string> names_;
  std::vector<const std::vector<Claim>*> claims_;
};

// One candidate alone, for an incremental form.
class OneCandidate {
 public:
  OneCandidate(const Claim& claim, std::uint64_t inputs);
  const rz_candidate& get() const { return *call_.properties()->candidates; }

 private:
  Set set_;
  Call call_;
};

}  // namespace rhizome::conformance
