// Transport conformance: a level of authentication that is said is meant. A transport whose
// connections are RZ_LEVEL_PROVEN is dialled by, and dials, nodes that show a key whose secret they
// do not have.
#include <gtest/gtest.h>

#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

bool saw_proven(Node& node, const LinkKey& key) {
  return node.recorder.look([&] {
    for (const use::Connection& connection : node.recorder.connections)
      if (connection.link == key && connection.proven) return true;
    return false;
  });
}

// A node that shows the keys of another with a secret of its own; it may not even open.
bool start_as(Node& impostor, const Node& victim) {
  impostor.claim_key_of(victim);
  return impostor.try_start().ok();
}

TEST(TransportProof, ADiallerIsNotTakenForTheHolderOfAKeyThatItShows) {
  Node a, victim, impostor;
  a.start();
  if (!start_as(impostor, victim)) return;  // refused at once: proven by other means
  (void)impostor->connect(a.key(), a.address());
  std::this_thread::sleep_for(3 * kSilence);
  EXPECT_FALSE(saw_proven(a, victim.key()));
}

TEST(TransportProof, AListenerIsNotTakenForTheHolderOfAKeyThatItShows) {
  Node a, victim, impostor;
  a.start();
  if (!start_as(impostor, victim)) return;
  ASSERT_TRUE(a->connect(victim.key(), impostor.address()).ok());
  std::this_thread::sleep_for(3 * kSilence);
  EXPECT_FALSE(saw_proven(a, victim.key()));
}

TEST(TransportProof, TheLevelOfConnectionsIsTheOneThatTheManifestDeclares) {
  Node a, b;
  a.start();
  join(a, b.start());
  EXPECT_EQ(saw_proven(a, b.key()), plugin_under_test().declares_proven);
  EXPECT_EQ(saw_proven(b, a.key()), plugin_under_test().declares_proven);
}

TEST(TransportProof, TheTransportKeepsNothingOfTheIdentityThatItWasLent) {
  Node a, b;
  a.identity_ends_with_open();
  b.identity_ends_with_open();
  echo(a);
  a.start();
  join(a, b.start());
  EXPECT_EQ(b.ask(a, "x").back().frame, "re:x");
}

}  // namespace
}  // namespace rhizome::conformance
