// Sealing, greeting and sending of a peer that has no node.
#include "simulation/raw_peer.hpp"

#include "simulation/plugins.hpp"
#include "wire/testing.hpp"

namespace rhizome::simulation {

RawPeer::RawPeer(Network& network, std::size_t to, std::size_t key_index, bool greet)
    : key_(key_of(key_index)), greets_(greet) {
  rz_transport_identity identity{};
  key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  const std::string config = R"({"network":")" + network.name() + R"(","address":"raw)" +
                             std::to_string(key_index) + R"(","seed":1})";
  transport_ = std::make_unique<use::Transport>(
      must(use::Transport::open(transport_table(), config, identity, this)));
  must(transport_->start());
  link_key_of(network.node(to).key(), to_.data());
  must(transport_->connect(to_, "inproc://" + network.address(to)));
}

RawPeer::~RawPeer() { transport_->stop(); }

LinkKey RawPeer::link() const {
  LinkKey link{};
  link_key_of(key_.public_key(), link.data());
  return link;
}

std::string RawPeer::frame(wire::Kind kind, wire::Lane lane, const std::string& body) const {
  return wire_testing::sealed(key_, kind, lane, body);
}

void RawPeer::peer(const use::LinkKey&, bool up) noexcept {
  up_ = up;
  if (!up) greeted_ = false;
  if (!up || !greets_) return;
  hello_request_ = next_request_;
  (void)request(frame(wire::Kind::kHello, wire::Lane::kControl, wire::encode(wire::Hello{})));
}

void RawPeer::reply(std::uint64_t request, Code code, ByteView bytes, bool) noexcept {
  ++replies_;
  answered_ = code;
  const Result<wire::Frame> frame = wire::open(bytes);
  if (code == Code::kOk && frame.ok() && frame->kind == wire::Kind::kError) {
    const auto error = wire::decode_error(frame->body);
    answered_ = error.ok() ? error->code : Code::kCorrupt;
  }
  if (request == hello_request_ && answered_ == Code::kOk) greeted_ = true;
}

bool RawPeer::publish(const std::string& frame) {
  std::string topic = "o";
  topic.append(view(key_.public_key().data(), key_.public_key().size()));
  return transport_->publish(topic, frame).ok();
}

bool RawPeer::request(const std::string& frame) {
  return transport_->request(to_, next_request_++, frame, 5000).ok();
}

Statement RawPeer::next_statement(const std::vector<DeltaId>& ids) {
  Statement statement = make_statement(key_, 1, next_number_, head_, ids);
  last_number_ = next_number_;
  last_head_ = head_;
  next_number_ += ids.size();
  head_ = statement.head;
  return statement;
}

void RawPeer::take_back() {
  next_number_ = last_number_;
  head_ = last_head_;
}

std::string RawPeer::delivery(const Statement& statement, const std::vector<Body>& bodies) {
  wire::Delivery delivery;
  delivery.statement = statement;
  for (const Body& body : bodies) delivery.bodies.push_back({body.claims, body.signature});
  return wire::encode(delivery);
}

}  // namespace rhizome::simulation
