// A peer made of a transport and a key alone.
#include "simulation/impostor.hpp"

#include "simulation/plugins.hpp"

namespace rhizome::simulation {

Impostor::Impostor(Network& network, std::size_t index, OnFetch on_fetch)
    : network_(network), key_(key_of(index)), on_fetch_(std::move(on_fetch)) {
  rz_transport_identity identity{};
  key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  transport_ = std::make_unique<use::Transport>(
      must(use::Transport::open(transport_table(),
                                R"({"network":")" + network_.name() + R"(","address":"impostor)" +
                                    std::to_string(index) + R"(","seed":1})",
                                identity, this)));
  must(transport_->start());
}

Impostor::~Impostor() { transport_->stop(); }

void Impostor::greet(std::size_t node, std::vector<wire::Position> positions) {
  positions_ = std::move(positions);
  use::LinkKey link{};
  link_key_of(network_.node(node).key(), link.data());
  must(transport_->connect(link, "inproc://" + network_.address(node)));
}

std::string Impostor::seal(wire::Kind kind, ByteView body) const {
  wire::Frame frame;
  frame.fabric = wire::fabric_id("default");
  frame.sender = key_.public_key();
  frame.kind = kind;
  frame.lane = wire::lane_of(kind);
  frame.body = body;
  return wire::seal(frame, key_);
}

void Impostor::peer(const use::LinkKey& peer, bool up) noexcept {
  if (!up) return;
  wire::Hello hello;
  hello.name = "impostor";
  hello.provides = {"fetch"};
  hello.positions = positions_;
  must(transport_->request(peer, next_++, seal(wire::Kind::kHello, wire::encode(hello)), 5000));
}

void Impostor::request(const use::LinkKey&, std::uint64_t number, ByteView bytes) noexcept {
  const Result<wire::Frame> frame = wire::open(bytes);
  if (!frame.ok() || frame->kind != wire::Kind::kFetch) return;
  ++fetches_;
  const auto wanted = wire::decode_fetch(frame->body);
  if (wanted.ok() && on_fetch_) on_fetch_(*this, *wanted, number);
}

void Impostor::reply(std::uint64_t number, wire::Kind kind, ByteView body, bool last) {
  (void)transport_->reply(number, seal(kind, body), last).ok();
}

void Impostor::fetch(std::size_t node, const wire::Fetch& wanted) {
  use::LinkKey link{};
  link_key_of(network_.node(node).key(), link.data());
  must(transport_->request(link, next_++, seal(wire::Kind::kFetch, wire::encode(wanted)), 30'000));
}

void Impostor::reply(std::uint64_t, Code code, ByteView bytes, bool) noexcept {
  const Result<wire::Frame> frame = wire::open(bytes);
  if (code != Code::kOk || !frame.ok()) return;
  if (frame->kind == wire::Kind::kFetchReply) got_bytes_ += frame->body.size();
  if (frame->kind == wire::Kind::kError) ++refusals_;
}

}  // namespace rhizome::simulation
