// What comes into a node past the fabric of its sender: forged deliveries, raw requests.
#include "simulation/network.hpp"
#include "simulation/plugins.hpp"
#include "simulation/raw_peer.hpp"
#include "wire/messages.hpp"

namespace rhizome::simulation {

namespace {

// One delta under a statement, published to a node by the peer of that connection.
void publish(Node& to, std::uint64_t connection, const Statement& statement,
             const std::string& claims, const Signature& signature) {
  wire::Delivery delivery;
  delivery.statement = statement;
  delivery.bodies = {{claims, view(signature.data(), signature.size())}};
  const std::string body = wire::encode(delivery);
  wire::Frame frame;
  frame.kind = wire::Kind::kPropagate;
  frame.lane = wire::Lane::kLive;
  frame.body = body;
  to.fabric().events()->published(connection, "o", wire::encode_frame(frame));
}

}  // namespace

void Network::deliver(std::size_t from, std::size_t to, const Statement& statement) {
  const SigningKey& key = nodes_[from]->signing_key();
  use::LinkKey link{};
  link_key_of(key.public_key(), link.data());
  publish(*nodes_[to], nodes_[to]->tap().connection_of(link), statement,
          nodes_[from]->other_claims(), key.sign(statement.ids[0].raw()));
}

// A peer passes on what a stranger numbered, under a signature that is not the stranger's.
void Network::send_forged(std::size_t to, const SigningKey& stranger, const Statement& statement,
                          const std::string& claims) {
  publish(*nodes_[to], nodes_[to]->tap().last_connection(), statement, claims,
          stranger.sign("something else"));
}

Code Network::raw_request(std::size_t to, wire::Kind kind) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  RawPeer peer(*this, to, 65000);
  run_for(kSecond);
  if (!peer.greeted()) return peer.answered();
  (void)peer.request(peer.frame(kind, wire::Lane::kRequest, ""));
  run_for(kSecond);
  return peer.answered();
}

}  // namespace rhizome::simulation
