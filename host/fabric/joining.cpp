// Coming in by an invitation, remembering who was met, and what peers' settings differ in.
#include <algorithm>

#include "fabric/core.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kTicketWaitNs = 5'000'000'000;

}  // namespace

void Fabric::Core::recall_acquaintances() {
  std::size_t dialled = 0;
  for (const Acquaintance& node : membership_.acquaintances()) {
    LinkKey link{};
    if (!link_key_of(node.key, link.data()) || members_.contains(link)) continue;
    if (members_.size() >= options_.max_members) return;
    if (!membership_.may_speak(link)) continue;
    Member& member = members_[link];
    member.link = link;
    member.status.name = node.name;
    member.status.key = node.key;
    member.ticket = membership_.ticket_for(node.key);
    // The newest first; the others are known, and come by themselves.
    if (dialled == options_.max_learned_dials || node.addresses.empty()) continue;
    member.status.addresses = node.addresses;
    ++dialled;
  }
}

void Fabric::Core::join(const Invitation& invitation) {
  LinkKey link{};
  if (stopped_ || !link_key_of(invitation.key, link.data())) return;
  if (!members_.contains(link) && members_.size() >= options_.max_members) return;
  Member& member = members_[link];
  member.link = link;
  member.status.key = invitation.key;
  if (!member.status.configured) member.status.addresses = {invitation.address};
  member.ticket = invitation.ticket;
  dial(member);
  if (!member.status.up) take_back(link);  // it may have come before we knew it
  const Connection* const connection = connection_of(member.connection);
  if (connection != nullptr && connection->has_session && !member.greeted) introduce(member);
  update_snapshot();
}

void Fabric::Core::drop(const NodeKey& key) {
  LinkKey link{};
  if (stopped_ || !link_key_of(key, link.data()) || member_of(link) == nullptr) return;
  const Status left = transport_->disconnect(link);
  if (!left.ok()) log_.debug("peer.disconnect.failed", {{"reason", left.message()}});
  if (Member* const member = member_of(link); member->connection != 0) leave(*member);
  members_.erase(link);
  update_snapshot();
}

void Fabric::Core::show_ticket(Member& member) {
  if (!member.ticket || member.join_under_way || !member.status.up) return;
  member.join_under_way = true;
  wire::Join join;
  join.ticket = *member.ticket;
  join.name = options_.name.substr(0, wire::kMaxName);
  send(member.connection, wire::Kind::kJoin, wire::lane_of(wire::Kind::kJoin), wire::encode(join),
       [this, link = member.link](Code code, const std::shared_ptr<std::string>&,
                                  const wire::Frame& frame, bool) {
         Member* peer = member_of(link);
         if (peer == nullptr) return;
         peer->join_under_way = false;
         if (code == Code::kOk && frame.kind == wire::Kind::kAck) return introduce(*peer);
         if (code != Code::kDenied)
           return;  // lost on the way: the next refused introduction shows it again
         const Result<wire::Error> error = wire::decode_error(frame.body);
         peer->ticket.reset();
         peer->status.problem = error.ok() ? error->message : "it refused the invitation";
         log_.warn("peer.join.refused",
                   {{"name", peer->status.name}, {"reason", peer->status.problem}});
         update_snapshot();
       });
}

void Fabric::Core::on_join(const wire::Frame& frame, const Asked& asked) {
  const Result<wire::Join> join = wire::decode_join(frame.body);
  if (!join.ok()) {
    distrust(asked.link, join.status().message(), Standing::kBadFrame);
    return refuse(asked, Code::kInvalid, join.status().message());
  }
  // It is let in once that is written down, and the strand does not wait for it.
  notes_strand_->post([self = shared_from_this(), asked, join = *join] {
    if (self->stopped_) return;
    const Status redeemed =
        self->membership_.redeem(join.ticket, asked.from, join.name, self->executor_.wall_ms());
    self->strand_->post([self, asked, name = join.name, redeemed] {
      if (!self->stopped_) self->on_redeemed(asked, name, redeemed);
    });
  });
}

void Fabric::Core::on_redeemed(const Asked& asked, const std::string& name,
                               const Status& redeemed) {
  if (!redeemed.ok()) {
    // Four guesses at 128 bits, then it is kept out. A store that takes no writes is no guess.
    if (redeemed.code() == Code::kDenied)
      distrust(asked.link, redeemed.message(), Standing::kBadFrame);
    return refuse(asked, redeemed.code(), redeemed.message());
  }
  log_.info("peer.joined", {{"name", name}, {"key", short_key(asked.from)}});
  acknowledge(asked);
  if (Member* const member = place_for(asked.link); member != nullptr && !member->greeted) {
    member->status.name = name;
    member->status.key = asked.from;
  }
  Connection* const connection = connection_of(asked.connection);
  if (connection != nullptr)
    (void)come(*connection);  // without a place now, it has one when it comes again
}

void Fabric::Core::await_ticket(const Connection& connection) {
  strand_->post_after(kTicketWaitNs, [self = shared_from_this(), number = connection.info.number,
                                      link = connection.info.link] {
    if (!self->stopped_ && !self->membership_.may_speak(link)) self->end(number);
  });
}

void Fabric::Core::compare_settings(Member& member, const wire::Introduction& theirs) const {
  std::vector<std::string> differences;
  for (const auto& ours : options_.settings) {
    const auto found =
        std::find_if(theirs.settings.begin(), theirs.settings.end(),
                     [&](const auto& setting) { return setting.first == ours.first; });
    if (found == theirs.settings.end() || found->second == ours.second) continue;
    differences.push_back(ours.first + ": " + ours.second + " here, " + found->second + " there");
  }
  if (!differences.empty() && differences != member.status.differences)
    for (const std::string& difference : differences)
      log_.warn("peer.differs", {{"name", theirs.name}, {"setting", difference}});
  member.status.differences = std::move(differences);
}

}  // namespace rhizome
