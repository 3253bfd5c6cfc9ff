// Who stands behind a candidate: in any order, and a key only where it signed the claim itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

constexpr int kRounds = 300;

template <typename Each>
void each_claim(Set& set, Each&& each) {
  for (Claim& claim : set.claims) each(claim);
  for (auto& [name, claims] : set.others)
    for (Claim& claim : claims) each(claim);
}

TEST_F(Resolver, AnyOrderOfTheIdentitiesGivesTheSameAnswer) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      Set set = draw(make(choice));
      const Answer before = ask(choice, set);
      each_claim(set, [&](Claim& claim) {
        std::shuffle(claim.identities.begin(), claim.identities.end(), random_);
      });
      ASSERT_EQ(ask(choice, set), before) << choice.name;
      each_claim(set, [](Claim& claim) {
        std::reverse(claim.identities.begin(), claim.identities.end());
      });
      ASSERT_EQ(ask(choice, set), before) << choice.name;
    }
}

// Another key of the same place in the order of keys.
std::string beside(std::string key) {
  if (!key.empty()) key.back() = static_cast<char>(key.back() ^ 8);
  return key;
}

// Claims whose identities are not verified get other keys, and other texts of keys as their names:
// the same persons in the same relations, but none of them is a key that signed.
TEST_F(Resolver, AKeyThatOnlyVouchesOrIsOnlyNamedIsNotTheKeyThatSigned) {
  if (subject().reads_vouchers) GTEST_SKIP() << "--vouchers";
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      Set set = draw(make(choice));
      const Answer before = ask(choice, set);
      each_claim(set, [](Claim& claim) {
        for (Identity& identity : claim.identities) {
          if (identity.verified) continue;
          identity.key = beside(identity.key);
          for (std::size_t number = 0; number < kKeys; ++number)
            if (identity.name == text_of_key(key_of(number)))
              identity.name = text_of_key(beside(key_of(number)));
        }
      });
      ASSERT_EQ(ask(choice, set), before) << choice.name;
    }
}

}  // namespace
}  // namespace rhizome::conformance
