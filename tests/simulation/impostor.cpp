// A peer made of a transport and a key alone.
#include "simulation/impostor.hpp"

#include "links/identity.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

Impostor::Impostor(Network& network, std::size_t index, OnFetch on_fetch)
    : network_(network), key_(key_of(index)), on_fetch_(std::move(on_fetch)) {
  const TransportIdentity identity(key_);
  transport_ = std::make_unique<use::Transport>(
      must(use::Transport::open(transport_table(), network_.host("impostor"),
                                R"({"network":")" + network_.name() + R"(","address":"impostor)" +
                                    std::to_string(index) + R"(","seed":1})",
                                identity.abi(), this)));
  must(transport_->start());
}

Impostor::~Impostor() { transport_->stop(); }

void Impostor::greet(std::size_t node, std::vector<wire::Position> positions) {
  positions_ = std::move(positions);
  use::LinkKey link{};
  link_key_of(network_.node(node).key(), link.data());
  must(transport_->connect(link, "inproc://" + network_.address(node)));
}

void Impostor::ask(const std::string& frame, std::uint64_t timeout_ms) {
  must(transport_->request(connection_, next_++, RZ_LANE_CONTROL, timeout_ms, frame));
}

void Impostor::introduce() {
  wire::Introduction own;
  own.name = "impostor";
  own.provides = {"fetch"};
  own.positions = positions_;
  ask(session_testing::frame(wire::Kind::kIntroduce, wire::encode(own)), 5000);
}

void Impostor::connection(const use::Connection& connection, bool up) noexcept {
  greeter_.down();
  if (!up) return;
  connection_ = connection.number;
  if (const auto hello = greeter_.up(connection)) ask(*hello, 5000);
}

void Impostor::request(std::uint64_t, std::uint64_t number, ByteView bytes) noexcept {
  const bool had_session = greeter_.has_session();
  if (const auto answer = greeter_.asked(bytes)) {
    (void)transport_->reply(number, RZ_LANE_CONTROL, *answer, true).ok();
    if (!had_session && greeter_.has_session()) introduce();
    return;
  }
  const Result<wire::Frame> frame = wire::decode_frame(bytes);
  if (!frame.ok() || frame->kind != wire::Kind::kFetch) return;
  ++fetches_;
  const auto wanted = wire::decode_fetch(frame->body);
  if (wanted.ok() && on_fetch_) on_fetch_(*this, *wanted, number);
}

void Impostor::reply(std::uint64_t number, wire::Kind kind, ByteView body, bool last) {
  (void)transport_->reply(number, RZ_LANE_BULK, session_testing::frame(kind, body), last).ok();
}

void Impostor::fetch(std::size_t, const wire::Fetch& wanted) {
  ask(session_testing::frame(wire::Kind::kFetch, wire::encode(wanted)), 30'000);
}

void Impostor::reply(std::uint64_t, Code code, ByteView bytes, bool) noexcept {
  const Result<wire::Frame> frame = wire::decode_frame(bytes);
  if (code != Code::kOk || !frame.ok()) return;
  const bool had_session = greeter_.has_session();
  if (const auto next = greeter_.replied(bytes)) ask(*next, 5000);
  if (!had_session && greeter_.has_session()) introduce();
  if (frame->kind == wire::Kind::kFetchReply) got_bytes_ += frame->body.size();
  if (frame->kind == wire::Kind::kError) ++refusals_;
}

}  // namespace rhizome::simulation
