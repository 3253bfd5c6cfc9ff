// The door: what comes in, what is refused and why, and what it costs.
#include "admission/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "journal/testing_basics.hpp"

namespace rhizome {
namespace {

using testing_support::key_of;

// A delta as bytes on their way.
struct Bytes {
  std::string claims, signature;
  DeltaId id() const { return DeltaId::of_claims(claims); }
};

class Door : public testing::Test {
 protected:
  Bytes make(const SigningKey& key, const std::vector<Pointer>& pointers, bool sign = true) {
    Bytes bytes;
    EXPECT_TRUE(encode_claims(key.author(), ++time_, pointers, bytes.claims).ok());
    if (sign) bytes.signature = view(key.sign(bytes.id().raw()).data(), 64);
    return bytes;
  }
  Bytes say(const SigningKey& key, double value, bool sign = true) {
    return make(key, {{"about", EntityRef{"e", "p"}}, {"value", value}}, sign);
  }
  Bytes manifest(const SigningKey& key, const std::vector<Bytes>& members) {
    std::vector<std::string> ids;
    for (const Bytes& member : members) ids.push_back(member.id().hex());
    std::vector<Pointer> pointers;
    for (const std::string& id : ids) pointers.push_back({"rhizomatic.txn.member", DeltaRef{id}});
    return make(key, pointers);
  }
  Admitted admit(const std::vector<Bytes>& deltas, bool from_peer = true,
                 std::vector<Statement> statements = {}) {
    std::vector<Arrival> arrivals;
    for (const Bytes& delta : deltas) arrivals.push_back({delta.claims, delta.signature});
    Batch batch;
    batch.arrivals = arrivals;
    if (from_peer)
      batch.source = peer_.public_key();
    else
      batch.number_as = &self_;
    batch.statements = std::move(statements);
    Result<Admitted> admitted = admission_.admit(batch);
    EXPECT_TRUE(admitted.ok()) << admitted.status().to_string();
    return std::move(*admitted);
  }
  std::uint32_t state_of(const Bytes& delta) {
    std::vector<Journal::Held> held;
    EXPECT_TRUE(journal_->find(std::vector<DeltaId>{delta.id()}, held).ok());
    return held[0].seq == 0 ? UINT32_MAX : held[0].signature_state;
  }

  SimulatedExecutor executor_{1};
  const SigningKey self_ = key_of(9), peer_ = key_of(8), alice_ = key_of(1), bob_ = key_of(2);
  std::unique_ptr<Journal> journal_ = [this] {
    Journal::Options options;
    options.self = self_.public_key();
    auto store =
        use::Store::open(testing_support::store_table("memory"), nullptr, "{}", "/nowhere");
    auto journal = Journal::open(std::move(*store), options);
    return std::move(*journal);
  }();
  Admission admission_{*journal_, executor_, {}};
  double time_ = 0;
};

TEST_F(Door, ADeltaIsNotKeptWithoutTheStatementThatIsCheckedBesideIt) {
  const Bytes delta = say(key_of(5), 1);
  const Arrival arrival{delta.claims, delta.signature};
  Batch batch;
  batch.arrivals = {&arrival, 1};
  batch.source = peer_.public_key();
  int checks = 0;
  batch.also_check = [&] { return ++checks != 1; };
  EXPECT_EQ(admission_.admit(batch).code(), Code::kCorrupt);
  EXPECT_EQ(checks, 1);
  EXPECT_EQ(state_of(delta), UINT32_MAX);
  EXPECT_EQ(admission_.admit(batch).value().added, 1u) << "under a good one";
  EXPECT_EQ(checks, 2);
  EXPECT_EQ(admission_.admit(batch).value().known, 1u);
  EXPECT_EQ(checks, 3) << "also where no signature is left to be checked";
}

TEST_F(Door, ASignedDeltaOfAPeerIsAdded) {
  const Bytes delta = say(alice_, 1);
  EXPECT_EQ(admit({delta}).outcomes[0].verdict, Verdict::kAdded);
  EXPECT_EQ(state_of(delta), RZ_SIGNATURE_VERIFIED);
}

TEST_F(Door, AReplayCostsNoSignatureCheck) {
  const Bytes delta = say(alice_, 1);
  admit({delta});
  const std::uint64_t checks = admission_.counters().signature_checks;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(admit({delta}).outcomes[0].verdict, Verdict::kKnown);
  EXPECT_EQ(admission_.counters().signature_checks, checks);
}

TEST_F(Door, OnlyAtTheLocalDoorIsAWordTakenForASignatureMadeHere) {
  const auto claim_signed_here = [&](const Bytes& delta, bool from_peer) {
    const std::vector<Arrival> arrivals{{delta.claims, delta.signature, true}};
    Batch batch;
    batch.arrivals = arrivals;
    if (from_peer) batch.source = peer_.public_key();
    return admission_.admit(batch)->outcomes[0];
  };
  Bytes forged = say(alice_, 1);
  forged.signature[5] ^= 1;
  EXPECT_EQ(claim_signed_here(forged, true).refusal, Refusal::kBadSignature);
  const std::uint64_t checks = admission_.counters().signature_checks;
  const Bytes own = say(self_, 2);
  EXPECT_EQ(claim_signed_here(own, false).verdict, Verdict::kAdded);
  EXPECT_EQ(state_of(own), RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(admission_.counters().signature_checks, checks);
}

TEST_F(Door, BadDeltasAreRefusedEachWithItsReason) {
  Bytes wrong_signature = say(alice_, 1);
  wrong_signature.signature[5] ^= 1;
  Bytes another_signer = say(alice_, 2);
  another_signer.signature = view(bob_.sign(another_signer.id().raw()).data(), 64);
  Bytes garbage{"not a delta", std::string(64, 'x')};
  const Bytes unsigned_one = say(alice_, 3, false);
  time_ = static_cast<double>(executor_.wall_ms()) + 3'600'000;
  const Bytes future = say(alice_, 4);
  const Admitted admitted = admit({wrong_signature, another_signer, garbage, unsigned_one, future});
  EXPECT_EQ(admitted.outcomes[0].refusal, Refusal::kBadSignature);
  EXPECT_EQ(admitted.outcomes[1].refusal, Refusal::kBadSignature);
  EXPECT_EQ(admitted.outcomes[2].refusal, Refusal::kMalformed);
  EXPECT_EQ(admitted.outcomes[3].refusal, Refusal::kUnsigned);
  EXPECT_EQ(admitted.outcomes[4].refusal, Refusal::kFuture);
  EXPECT_EQ(journal_->last(), 0u);
  EXPECT_EQ(admission_.counters().refused[static_cast<std::size_t>(Refusal::kBadSignature)], 2u);
}

TEST_F(Door, WhoSentBadDeltasIsTold) {
  std::map<NodeKey, std::size_t> told;
  admission_.on_misdeed([&](const NodeKey& source, std::size_t bad) { told[source] += bad; });
  Bytes forged = say(alice_, 1);
  forged.signature[5] ^= 1;
  admit({forged, {"not a delta", std::string(64, 'x')}, say(alice_, 2), say(alice_, 3, false)});
  admit({say(alice_, 4)});
  EXPECT_EQ(told, (std::map<NodeKey, std::size_t>{{peer_.public_key(), 2}}));
}

TEST_F(Door, AnAuthorOverItsRateWaitsAndNoOtherDoes) {
  Admission::Policy policy;
  policy.author_per_second = 10;
  policy.author_burst = 10;
  Admission admission(*journal_, executor_, policy);
  const auto bring = [&](const SigningKey& author, bool from_peer) {
    const Bytes delta = say(author, time_);
    const std::vector<Arrival> arrivals{{delta.claims, delta.signature}};
    Batch batch;
    batch.arrivals = arrivals;
    if (from_peer) batch.source = peer_.public_key();
    return admission.admit(batch)->outcomes[0].refusal;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bring(alice_, true), Refusal::kNone);
  const std::uint64_t checks = admission.counters().signature_checks;
  EXPECT_EQ(bring(alice_, true), Refusal::kQuota);
  EXPECT_EQ(admission.counters().signature_checks, checks) << "before its signature is looked at";
  EXPECT_EQ(bring(bob_, true), Refusal::kNone);
  EXPECT_EQ(bring(alice_, false), Refusal::kNone) << "the local door is not concerned";
  executor_.run_for(1'000'000'000);
  EXPECT_EQ(bring(alice_, true), Refusal::kNone);
}

TEST_F(Door, AForgerCannotUseUpTheRateOfTheAuthorItNames) {
  Admission::Policy policy;
  policy.author_per_second = 1;
  policy.author_burst = 5;
  Admission admission(*journal_, executor_, policy);
  for (int i = 0; i < 20; ++i) {
    Bytes delta = say(alice_, i);
    if (i < 19) delta.signature[3] ^= 1;
    const std::vector<Arrival> arrivals{{delta.claims, delta.signature}};
    Batch batch;
    batch.arrivals = arrivals;
    batch.source = peer_.public_key();
    EXPECT_EQ(admission.admit(batch)->outcomes[0].refusal,
              i < 19 ? Refusal::kBadSignature : Refusal::kNone);
  }
}

TEST_F(Door, AFullJournalKeepsItsReserveForOwnWrites) {
  const Bytes sample = say(alice_, 0);
  const std::uint64_t size = sample.claims.size();
  Admission::Policy policy;
  policy.max_claims_bytes = 10 * size;
  policy.own_reserve_bytes = 4 * size;
  Admission admission(*journal_, executor_, policy);
  const auto write = [&](bool from_peer) {
    const Bytes delta = say(alice_, 0);
    const std::vector<Arrival> arrivals{{delta.claims, delta.signature}};
    Batch batch;
    batch.arrivals = arrivals;
    if (from_peer)
      batch.source = peer_.public_key();
    else
      batch.number_as = &self_;
    const Result<Admitted> admitted = admission.admit(batch);
    return admitted.ok() ? std::string(refusal_name(admitted->outcomes[0].refusal))
                         : std::string(code_name(admitted.code()));
  };
  for (int i = 0; i < 6; ++i) EXPECT_EQ(write(true), "none");
  EXPECT_EQ(write(true), "quota");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(write(false), "none");
  EXPECT_EQ(write(false), "limit");
}

TEST_F(Door, ASignedManifestCoversItsAuthorsMembersWithOneCheck) {
  std::vector<Bytes> members;
  for (int i = 0; i < 50; ++i) members.push_back(say(alice_, i, false));
  std::vector<Bytes> batch{manifest(alice_, members)};
  batch.insert(batch.end(), members.begin(), members.end());
  EXPECT_EQ(admit(batch).added, 51u);
  EXPECT_EQ(admission_.counters().signature_checks, 1u);
  EXPECT_EQ(state_of(members[7]), RZ_SIGNATURE_VERIFIED);
}

TEST_F(Door, AnothersMembersAreOnlyVouchedFor) {
  const Bytes member = say(alice_, 1, false);
  admit({manifest(bob_, {member}), member});
  EXPECT_EQ(state_of(member), RZ_SIGNATURE_VOUCHED);
}

TEST_F(Door, AMemberThatComesAfterItsManifestIsCovered) {
  const Bytes member = say(alice_, 1, false);
  admit({manifest(alice_, {member})});
  EXPECT_EQ(admit({member}).outcomes[0].verdict, Verdict::kAdded);
  EXPECT_EQ(state_of(member), RZ_SIGNATURE_VERIFIED);
}

TEST_F(Door, AManifestThatComesAfterItsUnsignedMemberUpgradesIt) {
  const Bytes member = say(alice_, 1, false);
  EXPECT_TRUE(admit({member}, false).numbered.empty()) << "unsigned, it stays here";
  EXPECT_EQ(state_of(member), RZ_SIGNATURE_UNSIGNED);
  const Admitted covered = admit({manifest(alice_, {member})}, false);
  EXPECT_EQ(state_of(member), RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(covered.numbered.at(0).ids.size(), 2u) << "and gets its number now";
}

TEST_F(Door, ASignedCopyUpgradesAVouchedOne) {
  const Bytes member = say(alice_, 1, false);
  Bytes signed_copy = member;
  signed_copy.signature = view(alice_.sign(member.id().raw()).data(), 64);
  admit({manifest(bob_, {member}), member});
  EXPECT_EQ(admit({signed_copy}).outcomes[0].verdict, Verdict::kUpgraded);
  EXPECT_EQ(state_of(member), RZ_SIGNATURE_VERIFIED);
}

TEST_F(Door, TheSameDeltaTwiceInABatchIsAddedOnce) {
  const Bytes delta = say(alice_, 1);
  const Admitted admitted = admit({delta, delta});
  EXPECT_EQ(admitted.added, 1u);
  EXPECT_EQ(admitted.known, 1u);
  EXPECT_EQ(journal_->last(), 1u);
}

TEST_F(Door, TheLocalDoorNumbersOnceHoweverOftenTheSameIsWritten) {
  const Bytes delta = say(alice_, 1);
  EXPECT_EQ(admit({delta}, false).numbered.at(0).from, 1u);
  EXPECT_TRUE(admit({delta}, false).numbered.empty());
}

TEST_F(Door, WhatCameFromAPeerGetsItsOwnNumberWhenItIsWrittenHereToo) {
  const Bytes delta = say(alice_, 1);
  admit({delta});
  EXPECT_EQ(admit({delta}, false).numbered.at(0).ids.at(0), delta.id());
}

TEST_F(Door, ARefusedIdUnderAStatementBecomesAHole) {
  Bytes bad = say(alice_, 1);
  bad.signature[0] ^= 1;
  const Bytes good = say(alice_, 2);
  const Statement statement = make_statement(peer_, 3, 1, Hash256{}, {bad.id(), good.id()});
  admit({bad, good}, true, {statement});
  EXPECT_EQ(journal_->origin(peer_.public_key(), 3)->last, 2u);
  ASSERT_EQ(journal_->holes().size(), 1u);
  EXPECT_EQ(journal_->holes()[0].reason, "bad_signature");
}

TEST_F(Door, AnyOrderOfArrivalWithRepetitionsGivesTheSameSet) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<Bytes> deltas;
  for (int i = 0; i < 40; ++i) deltas.push_back(say(i % 2 == 0 ? alice_ : bob_, i));
  LtHash expected;
  for (const Bytes& delta : deltas) expected.add(delta.id());
  std::vector<Bytes> stream = deltas;
  for (int i = 0; i < 40; ++i) stream.push_back(deltas[random() % deltas.size()]);
  std::shuffle(stream.begin(), stream.end(), random);
  for (std::size_t begin = 0; begin < stream.size(); begin += 7)
    admit({stream.begin() + static_cast<std::ptrdiff_t>(begin),
           stream.begin() + static_cast<std::ptrdiff_t>(std::min(stream.size(), begin + 7))});
  EXPECT_EQ(journal_->state_digest(), expected.digest());
}

}  // namespace
}  // namespace rhizome
