// Who takes part: configured peers, nodes that connect to us, hellos, announces, heartbeats.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

std::string short_key(const NodeKey& key) { return to_hex(view(key.data(), 8)); }

bool same(const std::vector<wire::Position>& a, const std::vector<wire::Position>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const wire::Position& x, const wire::Position& y) {
        return x.origin == y.origin && x.epoch == y.epoch && x.last == y.last && x.head == y.head;
      });
}

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
    allowed_.insert(member.link);
    members_.emplace(member.link, std::move(member));
  }
}

void Fabric::Core::start() {
  for (auto& [link, member] : members_) {
    for (const std::string& address : member.status.addresses) {
      const Status dialled = transport_->connect(link, address);
      if (!dialled.ok())
        log_.error(
            "peer.dial.failed",
            {{"name", member.status.name}, {"address", address}, {"reason", dialled.message()}});
    }
  }
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
    if (!up || !authorize(link) || members_.size() >= options_.max_members) return;
    member = &members_[link];
    member->link = link;
  }
  if (member->status.up == up) return;
  member->status.up = up;
  log_.info(up ? "peer.up" : "peer.down",
            {{"name", member->status.name}, {"key", short_key(member->status.key)}});
  if (up) {
    send_hello(*member);
  } else {
    member->greeted = false;
    member->hello_under_way = false;
    member->announced.clear();
    member->subscribed.clear();
    for (const auto& service : services_) service->gone(link);
    std::erase_if(sources_, [&](const auto& source) { return source.second == link; });
    choose_sources();
  }
  update_snapshot();
}

std::string Fabric::Core::hello_body() const {
  wire::Hello hello;
  hello.name = options_.name.substr(0, wire::kMaxName);
  if (auto addresses = transport_->addresses(); addresses.ok()) hello.addresses = *addresses;
  if (hello.addresses.size() > wire::kMaxAddresses) hello.addresses.resize(wire::kMaxAddresses);
  hello.provides = {"propagate", "announce", "fetch"};
  for (const auto& service : services_)
    if (!service->provides().empty()) hello.provides.emplace_back(service->provides());
  hello.positions = positions();
  return wire::encode(hello);
}

std::vector<wire::Position> Fabric::Core::positions() const {
  std::vector<wire::Position> positions;
  for (const OriginPosition& origin : journal_.origins()) {
    if (origin.last == 0) continue;
    positions.push_back({origin.origin, origin.epoch, origin.last, origin.head});
    if (positions.size() == wire::kMaxPositions) break;
  }
  std::sort(positions.begin(), positions.end(), [](const auto& a, const auto& b) {
    return std::pair(a.origin, a.epoch) < std::pair(b.origin, b.epoch);
  });
  return positions;
}

void Fabric::Core::send_hello(Member& member) {
  if (member.hello_under_way || !member.status.up) return;
  member.hello_under_way = true;
  std::vector<wire::Position> told = positions();
  send(member, wire::Kind::kHello, wire::Lane::kControl, hello_body(),
       [this, link = member.link, told = std::move(told)](
           Code code, const std::shared_ptr<std::string>&, const wire::Frame& frame, bool) {
         Member* peer = member_of(link);
         if (peer == nullptr) return;
         peer->hello_under_way = false;
         if (code != Code::kOk || frame.kind != wire::Kind::kHelloReply) return;
         if (accept_hello(link, frame)) member_of(link)->announced = told;
       });
}

// REQUIRES: the frame was opened on this link, so that its sender is proven.
bool Fabric::Core::accept_hello(const LinkKey& link, const wire::Frame& frame) {
  const Result<wire::Hello> hello = wire::decode_hello(frame.body);
  if (!hello.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.hello.refused", {{"reason", hello.status().message()}});
    return false;
  }
  Member* member = member_of(link);
  if (member == nullptr) {
    if (members_.size() >= options_.max_members) return false;
    member = &members_[link];
    member->link = link;
  }
  // A frame proves a live link even where the transport's own word comes later.
  member->status.up = true;
  member->greeted = true;
  member->status.key = frame.sender;
  if (!member->status.configured) {
    member->status.name = hello->name;
    member->status.addresses = hello->addresses;
  }
  member->peer = {link, frame.sender, member->status.name, hello->provides,
                  member->status.configured};
  // Its own numbers are taken from itself, before it has written any.
  sources_[frame.sender] = link;
  if (member->subscribed.insert(frame.sender).second) {
    const Status subscribed = transport_->subscribe(link, origin_topic(frame.sender));
    if (!subscribed.ok()) log_.warn("fabric.subscribe.failed", {{"reason", subscribed.message()}});
  }
  on_positions(*member, hello->positions);
  for (const auto& service : services_) service->greeted(member->peer);
  return true;
}

void Fabric::Core::on_hello(Member* member, const LinkKey& link, const wire::Frame& frame,
                            std::uint64_t request) {
  if (member == nullptr && !authorize(link))
    return refuse(request, frame.sender, Code::kDenied, "this node does not know your key");
  if (!accept_hello(link, frame))
    return refuse(request, frame.sender, Code::kInvalid, "your hello is malformed or I am full");
  Member& greeted = *member_of(link);
  greeted.announced = positions();
  answer(request, frame.sender, wire::Kind::kHelloReply, wire::Lane::kControl, hello_body());
  update_snapshot();
}

void Fabric::Core::announce(Member& member) {
  if (!member.status.up || !member.greeted || member.announce_under_way) return;
  std::vector<wire::Position> now = positions();
  if (same(now, member.announced)) return;
  member.announce_under_way = true;
  const std::string body = wire::encode_announce(now);
  send(member, wire::Kind::kAnnounce, wire::Lane::kControl, body,
       [this, link = member.link, now = std::move(now)](
           Code code, const std::shared_ptr<std::string>&, const wire::Frame&, bool) {
         Member* peer = member_of(link);
         if (peer == nullptr) return;
         peer->announce_under_way = false;
         if (code == Code::kOk) peer->announced = now;
       });
}

void Fabric::Core::on_positions(Member& member, const std::vector<wire::Position>& positions) {
  for (const wire::Position& position : positions) {
    const EpochKey key{position.origin, position.epoch};
    if (progress_.size() >= wire::kMaxPositions && !progress_.contains(key)) break;
    std::uint64_t& known = progress_[key].known[member.link];
    known = std::max(known, position.last);
    maybe_fetch(key);
  }
  choose_sources();
}

void Fabric::Core::heartbeat() {
  if (stopped_) return;
  for (auto& [link, member] : members_) {
    if (!member.status.up) continue;
    if (!member.greeted) send_hello(member);
    announce(member);
  }
  for (const auto& [key, progress] : progress_) maybe_fetch(key);
  choose_sources();
  for (const auto& service : services_) service->heartbeat();
  update_snapshot();
  strand_->post_after(options_.heartbeat_ms * kMillisecond,
                      [self = shared_from_this()] { self->heartbeat(); });
}

void Fabric::Core::update_snapshot() {
  std::vector<MemberStatus> members;
  std::uint64_t most = 0;
  for (auto& [link, member] : members_) {
    std::uint64_t behind = 0;
    for (const auto& [key, progress] : progress_) {
      const auto known = progress.known.find(link);
      if (known == progress.known.end()) continue;
      const std::uint64_t mine = held(key);
      if (known->second > mine) behind += known->second - mine;
    }
    member.status.behind = behind;
    most = std::max(most, behind);
    members.push_back(member.status);
  }
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(members);
  behind_ = most;
}

}  // namespace rhizome
