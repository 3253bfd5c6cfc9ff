// Spreading: what the journal commits is published by its origin's topic, and each origin's topic
// is taken from one peer, so that a ring or a mesh brings each delta once and nothing echoes.
#include <algorithm>

#include "fabric/core.hpp"
#include "fabric/deliveries.hpp"

namespace rhizome {

std::string origin_topic(const NodeKey& origin) {
  std::string topic = "o";
  topic.append(view(origin.data(), origin.size()));
  return topic;
}

void Fabric::Core::on_commit(Seq first, Seq last, std::vector<Statement> statements) {
  if (stopped_) return;
  bool news = false;
  for (const Statement& statement : statements) {
    // A first number of an epoch: nobody has subscribed to this origin through us yet.
    news = news || statement.from == 1;
    publish(statement);
  }
  if (news)
    for (auto& [link, member] : members_) announce(member);
  for (const auto& service : services_) service->committed(first, last, statements);
}

void Fabric::Core::publish(const Statement& statement) {
  const bool anybody = std::any_of(members_.begin(), members_.end(),
                                   [](const auto& entry) { return entry.second.status.up; });
  if (!anybody) return;  // whoever comes later fetches
  const std::string topic = origin_topic(statement.origin);
  const Status read =
      for_each_delivery(journal_, statement, 0, [&](const wire::Delivery& delivery) {
        const std::string frame =
            seal(wire::Kind::kPropagate, wire::Lane::kLive, wire::encode(delivery), nullptr);
        ++counters_.published_frames;
        counters_.published_bytes += frame.size();
        // Lossy by contract: what does not go out now is announced and fetched.
        return transport_->publish(topic, frame).ok();
      });
  if (!read.ok()) log_.error("fabric.publish.failed", {{"reason", read.to_string()}});
}

void Fabric::Core::on_published(const LinkKey& link, std::shared_ptr<std::string> bytes) {
  if (stopped_) return;
  ++counters_.received_frames;
  auto incoming = std::make_unique<Incoming>();
  incoming->bytes = std::move(*bytes);
  const Result<wire::Frame> frame = open_frame(link, incoming->bytes);
  if (!frame.ok() || frame->kind != wire::Kind::kPropagate) {
    ++counters_.refused_frames;
    return;
  }
  Result<wire::Delivery> delivery = wire::decode_delivery(frame->body);
  if (!delivery.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.delivery.refused", {{"reason", delivery.status().message()}});
    return;
  }
  incoming->delivery = std::move(*delivery);
  incoming->from = frame->sender;
  const Statement& statement = incoming->delivery.statement;
  const EpochKey key{statement.origin, statement.epoch};
  const std::uint64_t last = statement.last();
  incoming->done = [self = shared_from_this(), key, link, last](Ingested verdict,
                                                                std::size_t added) {
    self->strand_->post([self, key, link, last, verdict, added] {
      if (Member* member = self->member_of(link)) member->status.live += added;
      if (verdict == Ingested::kDuplicate) ++self->counters_.duplicate_frames;
      if (verdict == Ingested::kForked) ++self->counters_.forks;
      if (verdict == Ingested::kRefused) ++self->counters_.refused_frames;
      if (verdict == Ingested::kAdmitted) self->misses_[key.first] = 0;
      if (verdict != Ingested::kGap && verdict != Ingested::kWithheld) return;
      ++self->counters_.gaps;
      std::uint64_t& known = self->progress_[key].known[link];
      known = std::max(known, last);
      self->maybe_fetch(key);
    });
  };
  if (ingest_->push(std::move(incoming))) return;
  ++counters_.dropped_frames;
  std::uint64_t& known = progress_[key].known[link];
  known = std::max(known, last);
}

void Fabric::Core::choose_sources() {
  // The best peer for each origin: the origin itself, else whoever knows most of it.
  struct Choice {
    LinkKey link{};
    bool is_origin = false;
    std::uint64_t known = 0;
  };
  std::map<NodeKey, Choice> best;
  for (const auto& [key, progress] : progress_) {
    if (key.first == key_.public_key()) continue;
    for (const auto& [link, known] : progress.known) {
      const Member* member = member_of(link);
      if (member == nullptr || !member->status.up || !member->greeted) continue;
      const bool is_origin = member->status.key == key.first;
      Choice& choice = best[key.first];
      if (choice.known == 0 ||
          std::pair(is_origin, known) > std::pair(choice.is_origin, choice.known))
        choice = {link, is_origin, known};
    }
  }
  for (const auto& [origin, choice] : best) {
    const auto current = sources_.find(origin);
    const bool stay = current != sources_.end() && !choice.is_origin && misses_[origin] < 2;
    const LinkKey link = stay ? current->second : choice.link;
    if (current != sources_.end() && current->second != link) {
      if (Member* old = member_of(current->second);
          old != nullptr && old->subscribed.erase(origin)) {
        const Status left = transport_->unsubscribe(old->link, origin_topic(origin));
        if (!left.ok()) log_.debug("fabric.unsubscribe.failed", {{"reason", left.message()}});
      }
    }
    sources_[origin] = link;
    misses_[origin] = stay ? misses_[origin] : 0;
    Member* source = member_of(link);
    if (source == nullptr || !source->subscribed.insert(origin).second) continue;
    const Status subscribed = transport_->subscribe(link, origin_topic(origin));
    if (!subscribed.ok()) {
      source->subscribed.erase(origin);
      log_.warn("fabric.subscribe.failed", {{"reason", subscribed.message()}});
    }
  }
}

}  // namespace rhizome
