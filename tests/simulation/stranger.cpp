// What comes into a node past the fabric of the one who sends it: forged deliveries, raw requests.
#include "simulation/network.hpp"
#include "simulation/plugins.hpp"
#include "wire/messages.hpp"

namespace rhizome::simulation {

namespace {

// One delta under a statement, published to a node as if `sender` had.
void publish(Node& to, const SigningKey& sender, const Statement& statement,
             const std::string& claims, const Signature& signature) {
  wire::Delivery delivery;
  delivery.statement = statement;
  delivery.bodies = {{claims, view(signature.data(), signature.size())}};
  wire::Frame frame;
  frame.fabric = wire::fabric_id("default");
  frame.sender = sender.public_key();
  frame.kind = wire::Kind::kPropagate;
  frame.lane = wire::Lane::kLive;
  const std::string body = wire::encode(delivery);
  frame.body = body;
  use::LinkKey link{};
  link_key_of(sender.public_key(), link.data());
  to.fabric().events()->published(link, "o", wire::seal(frame, sender));
}

}  // namespace

void Network::deliver(std::size_t from, std::size_t to, const Statement& statement) {
  const SigningKey& key = nodes_[from]->signing_key();
  publish(*nodes_[to], key, statement, nodes_[from]->other_claims(),
          key.sign(statement.ids[0].raw()));
}

void Network::send_forged(std::size_t to, const SigningKey& stranger, const Statement& statement,
                          const std::string& claims) {
  publish(*nodes_[to], stranger, statement, claims, stranger.sign("something else"));
}

namespace {

// Stands in a node's place for one request: a transport of its own under the node's key.
struct OneRequest final : use::TransportEvents {
  bool up = false, done = false;
  Code code = Code::kDeadline;
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void peer(const use::LinkKey&, bool is_up) noexcept override { up = is_up; }
  void published(const use::LinkKey&, ByteView, ByteView) noexcept override {}
  void request(const use::LinkKey&, std::uint64_t, ByteView) noexcept override {}
  void work(const use::LinkKey&, ByteView) noexcept override {}
  void reply(std::uint64_t, Code result, ByteView bytes, bool) noexcept override {
    done = true;
    code = result;
    const Result<wire::Frame> frame = wire::open(bytes);
    if (result != Code::kOk || !frame.ok() || frame->kind != wire::Kind::kError) return;
    const auto error = wire::decode_error(frame->body);
    code = error.ok() ? error->code : error.code();
  }
};

}  // namespace

Code Network::raw_request(std::size_t to, wire::Kind kind) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const SigningKey key = key_of(65000);
  OneRequest events;
  rz_transport_identity identity{};
  key.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  auto transport = must(use::Transport::open(
      transport_table(), R"({"network":")" + name_ + R"(","address":"stranger","seed":1})",
      identity, &events));
  must(transport.start());
  use::LinkKey link{};
  link_key_of(nodes_[to]->key(), link.data());
  must(transport.connect(link, "inproc://" + address(to)));
  run_for(kSecond);
  const auto ask = [&](wire::Kind what, const std::string& body, std::uint64_t number) {
    wire::Frame frame;
    frame.fabric = wire::fabric_id("default");
    frame.sender = key.public_key();
    frame.kind = what;
    frame.lane = wire::Lane::kRequest;
    frame.body = body;
    events.done = false;
    must(transport.request(link, number, wire::seal(frame, key), 5000));
    run_for(kSecond);
    return events.code;
  };
  if (const Code hello = ask(wire::Kind::kHello, wire::encode(wire::Hello{}), 1);
      hello != Code::kOk)
    return hello;
  return ask(kind, "", 2);
}

}  // namespace rhizome::simulation
