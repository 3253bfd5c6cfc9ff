// What holds of every delta: round trips, and sets whatever their order. RapidCheck tells the seed
// and a small counterexample.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "encode_again.hpp"
#include "random_delta.hpp"
#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/pack.hpp"

namespace rhizome {
namespace {

using testing_support::RandomClaims;
using testing_support::RandomDelta;
using testing_support::Tape;

RandomClaims random_claims() {
  Tape tape(*rc::gen::arbitrary<std::vector<std::uint32_t>>());
  return RandomDelta(tape).claims();
}

// Different deltas, none twice.
DeltaBatch random_set() {
  DeltaBatch set;
  std::vector<DeltaId> seen;
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const std::string claims = random_claims().canonical;
    const DeltaId id = DeltaId::of_claims(claims);
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    RC_ASSERT(decode_claims(claims, set) == DecodeError::kNone);
  }
  return set;
}

// Each of the set at least once, in some order, some twice.
std::vector<DeltaView> any_order(const DeltaBatch& set) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < set.size(); ++i)
    places.insert(places.end(), *rc::gen::inRange<std::size_t>(1, 3), i);
  for (std::size_t i = places.size(); i > 1; --i)
    std::swap(places[i - 1], places[*rc::gen::inRange<std::size_t>(0, i)]);
  std::vector<DeltaView> views;
  for (const std::size_t place : places) views.push_back(set[place]);
  return views;
}

RC_GTEST_PROP(Property, WhatIsEncodedIsReadBackAsItWas, ()) {
  const RandomClaims made = random_claims();
  DeltaBatch batch;
  RC_ASSERT(decode_claims(made.canonical, batch) == DecodeError::kNone);
  const DeltaView delta = batch[0];
  RC_ASSERT(delta.author() == made.author);
  RC_ASSERT(delta.timestamp() == made.timestamp);
  RC_ASSERT(delta.size() == made.pointers.size());
  RC_ASSERT(delta.claims() == made.canonical);
  RC_ASSERT(delta.id() == DeltaId::of_claims(made.canonical).raw());
  RC_ASSERT(encode_again(delta) == made.canonical);
}

RC_GTEST_PROP(Property, TheJsonProfileLosesNothing, ()) {
  const RandomClaims made = random_claims();
  DeltaBatch batch;
  RC_ASSERT(decode_claims(made.canonical, batch) == DecodeError::kNone);
  std::string json, again;
  claims_to_json(batch[0], json);
  RC_ASSERT(json.find('\n') == std::string::npos);
  const Status read = claims_from_json(json, {}, again);
  if (!read.ok()) RC_FAIL(read.to_string() + " in " + json);
  RC_ASSERT(again == made.canonical);
}

RC_GTEST_PROP(Property, APackIsOfTheSetAndGivesItBack, ()) {
  const DeltaBatch set = random_set();
  std::string pack, shuffled;
  RC_ASSERT(encode_pack(set, pack).ok());
  RC_ASSERT(encode_pack(any_order(set), shuffled).ok());
  RC_ASSERT(shuffled == pack);
  DeltaBatch unpacked;
  RC_ASSERT(decode_pack(pack, unpacked).ok());
  std::vector<std::string> before, after;
  for (std::size_t i = 0; i < set.size(); ++i) before.emplace_back(set[i].claims());
  for (std::size_t i = 0; i < unpacked.size(); ++i) after.emplace_back(unpacked[i].claims());
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  RC_ASSERT(before == after);
}

RC_GTEST_PROP(Property, ADigestIsOfTheSetWhateverItsOrder, ()) {
  const DeltaBatch set = random_set();
  std::vector<DeltaId> ids, shuffled;
  for (std::size_t i = 0; i < set.size(); ++i) ids.push_back(DeltaId::from_raw(set[i].id()));
  for (const DeltaView delta : any_order(set)) shuffled.push_back(DeltaId::from_raw(delta.id()));
  LtHash forward, backward;
  for (const DeltaId& id : ids) forward.add(id);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) backward.add(*id);
  RC_ASSERT(forward.digest() == backward.digest());
  if (!ids.empty()) {
    backward.remove(ids.front());
    RC_ASSERT(forward.digest() != backward.digest());
  }
  RC_ASSERT(set_digest(ids) == set_digest(shuffled));
}

// Whichever way the library hashes them: the lanes are what the header says.
RC_GTEST_PROP(Property, AnIdsLanesAreItsSixtyFourHashes, ()) {
  const DeltaId id = DeltaId::of_claims(random_claims().canonical);
  std::string lanes;
  for (char i = 0; i < 64; ++i) {
    std::string message(id.raw());
    message.resize(60, '\0');
    message += {i, 0, 0, 0};
    const Hash256 hash = blake3(message);
    lanes += view(hash.data(), hash.size());
  }
  LtHash digest;
  digest.add(id);
  RC_ASSERT(digest.raw() == lanes);
}

}  // namespace
}  // namespace rhizome
