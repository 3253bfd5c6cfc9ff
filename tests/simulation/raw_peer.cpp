// Hello, introduction and sending of a peer that has no node.
#include "simulation/raw_peer.hpp"

#include "links/identity.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

RawPeer::RawPeer(Network& network, std::size_t to, std::size_t key_index, Goes goes,
                 std::string fabric)
    : key_(key_of(key_index)), greeter_(key_, std::move(fabric)), goes_(goes) {
  const TransportIdentity identity(key_);
  const std::string config = R"({"network":")" + network.name() + R"(","address":"raw)" +
                             std::to_string(to) + "-" + std::to_string(key_index) +
                             R"(","seed":1})";
  transport_ = std::make_unique<use::Transport>(must(use::Transport::open(
      transport_table(), network.host("raw peer"), config, identity.abi(), this)));
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
  wire::Frame made;
  made.kind = kind;
  made.lane = lane;
  made.body = body;
  return wire::encode_frame(made);
}

std::uint64_t RawPeer::ask(const std::string& frame) {
  const std::uint64_t number = next_request_++;
  (void)transport_->request(connection_, number, RZ_LANE_CONTROL, 5000, frame).ok();
  return number;
}

void RawPeer::connection(const use::Connection& connection, bool up) noexcept {
  up_ = up;
  greeted_ = false;
  greeter_.down();
  if (!up) return;
  connection_ = connection.number;
  if (goes_ == kNowhere) return;
  if (const auto hello = greeter_.up(connection)) hello_request_ = ask(*hello);
}

void RawPeer::introduce() {
  if (goes_ != kAllTheWay) return;
  if (own_.name.empty()) own_.name = "raw " + to_hex(view(key_.public_key().data(), 4));
  introduction_ = ask(frame(wire::Kind::kIntroduce, wire::Lane::kControl, wire::encode(own_)));
}

void RawPeer::request(std::uint64_t, std::uint64_t request, ByteView bytes) noexcept {
  const bool had_session = greeter_.has_session();
  if (const auto answer = goes_ == kNowhere ? std::nullopt : greeter_.asked(bytes)) {
    (void)transport_->reply(request, RZ_LANE_CONTROL, *answer, true).ok();
    if (!had_session && greeter_.has_session()) introduce();
    return;
  }
  const Result<wire::Frame> asked = wire::decode_frame(bytes);
  if (!asked.ok()) return;
  ++requests_[asked->kind];
  if (on_request_) on_request_(*this, *asked, request);
}

void RawPeer::reply(std::uint64_t request, Code code, ByteView bytes, bool) noexcept {
  if (request == hello_request_) {
    if (code != Code::kOk) return;
    if (const auto next = greeter_.replied(bytes)) hello_request_ = ask(*next);
    if (greeter_.has_session()) introduce();
    return;
  }
  answered_ = code;
  const Result<wire::Frame> frame = wire::decode_frame(bytes);
  if (code == Code::kOk && frame.ok() && frame->kind == wire::Kind::kError) {
    const auto error = wire::decode_error(frame->body);
    answered_ = error.ok() ? error->code : Code::kCorrupt;
  }
  if (request == introduction_) {
    greeted_ = answered_ == Code::kOk;
    return;
  }
  ++replies_;
}

void RawPeer::answer(std::uint64_t request, wire::Kind kind, const std::string& body) {
  (void)transport_->reply(request, RZ_LANE_LIVE, frame(kind, wire::lane_of(kind), body), true).ok();
}

std::uint64_t RawPeer::requests(wire::Kind kind) const {
  const auto found = requests_.find(kind);
  return found == requests_.end() ? 0 : found->second;
}

bool RawPeer::publish(const std::string& frame) {
  std::string topic = "o";
  topic.append(view(key_.public_key().data(), key_.public_key().size()));
  return transport_->publish(topic, frame).ok();
}

bool RawPeer::request(const std::string& frame, std::uint64_t timeout_ms) {
  return transport_->request(connection_, next_request_++, RZ_LANE_CONTROL, timeout_ms, frame).ok();
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
