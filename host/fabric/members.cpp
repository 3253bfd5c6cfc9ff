// Who takes part: configured peers, nodes that connect to us, hellos, announces, heartbeats.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
// A lost hello is said again after so many heartbeats.
constexpr std::uint64_t kHelloHeartbeats = 5;

std::string short_key(const NodeKey& key) { return to_hex(view(key.data(), 8)); }

}  // namespace

void Fabric::Core::configure_peers() {
  for (const PeerSpec& spec : options_.peers) {
    Member member;
    if (!link_key_of(spec.key, member.link.data())) {
      log_.error("peer.key.unusable", {{"name", spec.name}, {"key", short_key(spec.key)}});
      continue;
    }
    member.status.name = spec.name;
    member.status.key = spec.key;
    member.status.configured = true;
    if (!spec.address.empty()) member.status.addresses.push_back(spec.address);
    membership_.configured(member.link, spec.key, spec.name);
    if (spec.ticket) member.ticket = spec.ticket;
    members_.emplace(member.link, std::move(member));
  }
}

void Fabric::Core::dial(const Member& member) {
  for (const std::string& address : member.status.addresses) {
    const Status dialled = transport_->connect(member.link, address);
    if (!dialled.ok())
      log_.error(
          "peer.dial.failed",
          {{"name", member.status.name}, {"address", address}, {"reason", dialled.message()}});
  }
}

void Fabric::Core::start() {
  for (const auto& [link, member] : members_) dial(member);
  for (const OriginPosition& origin : journal_.origins())
    note_position({origin.origin, origin.epoch, origin.last, origin.head});
  forks_->start();
  heartbeat();
}

Fabric::Core::Member* Fabric::Core::member_of(const LinkKey& link) {
  const auto found = members_.find(link);
  return found == members_.end() ? nullptr : &found->second;
}

void Fabric::Core::on_peer(const LinkKey& link, bool up) {
  if (stopped_) return;
  Member* member = member_of(link);
  if (member == nullptr) {
    if (!up || !authorize(link)) return;
    if (!membership_.may_speak(link)) return await_ticket(link);
  }
  const bool comes = up && (member == nullptr || !member->status.up);
  if (comes && !membership_.expects(link)) {
    member = admit_stranger(link);
    if (member == nullptr) return turn_away(link);
  } else if (member == nullptr) {
    member = place_for(link);
    if (member == nullptr) return;
  }
  if (member->status.up == up) return;
  member->status.up = up;
  log_.info(up ? "peer.up" : "peer.down",
            {{"name", member->status.name}, {"key", short_key(member->status.key)}});
  if (up) {
    forget_known(link);
    send_hello(*member);
  } else {
    member->greeted = false;
    member->hello_under_way = false;
    member->announced = 0;
    member->subscribed.clear();
    for (const auto& service : services_) service->gone(link);
    lose_sources(link);
  }
  update_snapshot();
}

std::string Fabric::Core::hello_body(const LinkKey& link, std::uint64_t& told) const {
  wire::Hello hello;
  hello.name = options_.name.substr(0, wire::kMaxName);
  hello.addresses = options_.advertise;
  if (hello.addresses.empty())
    if (auto addresses = transport_->addresses(); addresses.ok()) hello.addresses = *addresses;
  if (hello.addresses.size() > wire::kMaxAddresses) hello.addresses.resize(wire::kMaxAddresses);
  hello.provides = {"propagate", "announce"};
  for (const auto& service : services_)
    if (!service->provides().empty()) hello.provides.emplace_back(service->provides());
  told = 0;
  hello.positions = news_for(link, told);
  hello.settings = options_.settings;
  return wire::encode(hello);
}

void Fabric::Core::send_hello(Member& member) {
  if (member.hello_under_way || !member.status.up) return;
  member.hello_under_way = true;
  member.hello_unanswered = true;
  std::uint64_t told = 0;
  const std::string body = hello_body(member.link, told);
  send(
      member, wire::Kind::kHello, wire::Lane::kControl, body,
      [this, link = member.link, told](Code code, const std::shared_ptr<std::string>& bytes,
                                       const wire::Frame& frame, bool) {
        Member* peer = member_of(link);
        if (peer == nullptr) return;
        peer->hello_under_way = false;
        if (code == Code::kDenied) {
          const Result<wire::Error> error = wire::decode_error(frame.body);
          peer->status.problem =
              error.ok() ? error->message : open_frame(link, *bytes).status().message();
          update_snapshot();
          return show_ticket(*peer);
        }
        if (code != Code::kOk || frame.kind != wire::Kind::kHelloReply) return;
        if (!accept_hello(link, frame).ok()) return;
        member_of(link)->hello_unanswered = false;
        member_of(link)->announced = told;
        announce(*member_of(link));
      },
      options_.heartbeat_ms * kHelloHeartbeats);
}

// REQUIRES: the frame was opened on this link, so that its sender is proven.
Status Fabric::Core::accept_hello(const LinkKey& link, const wire::Frame& frame) {
  const Result<wire::Hello> hello = wire::decode_hello(frame.body);
  if (!hello.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.hello.refused", {{"reason", hello.status().message()}});
    return hello.status();
  }
  RZ_TRY(membership_.meet(frame.sender, hello->name, hello->addresses, executor_.wall_ms()));
  Member* member = member_of(link);
  if (member == nullptr) {
    member = membership_.expects(link) ? place_for(link) : admit_stranger(link);
    if (member == nullptr) return {Code::kLimit, "this node knows as many members as it may"};
  }
  // A frame proves a live link even where the transport's own word comes later.
  if (!member->status.up) forget_known(link);
  member->status.up = true;
  member->greeted = true;
  lanes_->know(link, true);
  member->status.key = frame.sender;
  member->status.problem.clear();
  compare_settings(*member, *hello);
  if (!member->status.configured) {
    member->status.name = hello->name;
    member->status.addresses = hello->addresses;
  }
  member->peer = {link, frame.sender, member->status.name, hello->provides,
                  member->status.configured};
  // Its own numbers are taken from itself, before it has written any.
  choose_source(frame.sender);
  on_positions(*member, hello->positions, true);
  for (const auto& service : services_) service->greeted(member->peer);
  membership_.let_in_by(frame.sender);
  return {};
}

void Fabric::Core::on_hello(Member* member, const LinkKey& link, const wire::Frame& frame,
                            std::uint64_t request) {
  if (member == nullptr && (!authorize(link) || !membership_.may_speak(link)))
    return refuse(request, frame.sender, Code::kDenied, "this node does not know your key");
  if (const Status accepted = accept_hello(link, frame); !accepted.ok())
    return refuse(request, frame.sender, accepted.code(), accepted.message());
  Member& greeted = *member_of(link);
  std::uint64_t told = 0;
  const std::string body = hello_body(link, told);
  answer(request, frame.sender, wire::Kind::kHelloReply, wire::Lane::kControl, body);
  greeted.announced = told;
  update_snapshot();
}

void Fabric::Core::heartbeat() {
  if (stopped_) return;
  for (auto& [link, member] : members_) {
    if (!member.status.up) continue;
    // Who greeted us meanwhile has told us nothing that its lost answer did.
    if (!member.greeted || member.hello_unanswered) send_hello(member);
    announce(member);
  }
  for (auto& [key, progress] : progress_) {
    if (!has_source(key.first)) choose_source(key.first);
    if (!progress.awaited) maybe_fetch(key);
  }
  for (const auto& service : services_) service->heartbeat();
  update_snapshot();
  strand_->post_after(options_.heartbeat_ms * kMillisecond,
                      [self = shared_from_this()] { self->heartbeat(); });
}

void Fabric::Core::update_snapshot() {
  std::map<LinkKey, std::uint64_t> behind;
  for (const auto& [key, progress] : progress_) {
    if (is_forked(key)) continue;
    const std::uint64_t mine = held(key);
    for (const auto& [link, known] : progress.known)
      if (known > mine) behind[link] += known - mine;
  }
  std::vector<MemberStatus> members;
  std::uint64_t most = 0;
  const std::uint64_t now = executor_.monotonic_ns();
  for (auto& [link, member] : members_) {
    member.status.behind = behind[link];
    member.status.catch_up = catchup_->figures(link);
    member.status.fetched = member.status.catch_up.deltas;
    member.status.standing = standing_.view_of(link, now);
    if (catchup_->in_standing(link)) most = std::max(most, member.status.behind);
    members.push_back(member.status);
  }
  CatchupProgress progress = catchup_->progress();
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(members);
  behind_ = most;
  catching_up_ = progress;
}

}  // namespace rhizome
