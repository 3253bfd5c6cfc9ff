// Spreading: what the journal commits is published at once by its origin's topic; what comes by a
// topic goes to ingest in the order of its numbers, and waits where a gap is before it.
#include <algorithm>

#include "fabric/core.hpp"
#include "fabric/deliveries.hpp"

namespace rhizome {

namespace {

// Commits that wait for the strand; over it their statements are left for others to fetch.
constexpr std::size_t kMaxNotes = 4096;
// Deliveries that wait behind one gap; all together may take a quarter of the ingest queue.
constexpr std::size_t kMaxParked = 1024;
// More gaps than these are not worth a fetch each.
constexpr std::size_t kMostGaps = 64;

bool is_last_part(const wire::Delivery& delivery) {
  return delivery.first + delivery.bodies.size() >= delivery.statement.ids.size();
}

}  // namespace

std::string origin_topic(const NodeKey& origin) {
  std::string topic = "o";
  topic.append(view(origin.data(), origin.size()));
  return topic;
}

void Fabric::Core::note_commit(Seq first, Seq last, std::span<const Statement> statements) {
  {
    const std::lock_guard lock(notes_mutex_);
    if (notes_.size() >= kMaxNotes) {
      CommitNote& note = notes_.back();
      if (note.first > note.last) note.first = first;
      note.last = std::max(note.last, last);
      for (const Statement& statement : statements)
        note.unpublished.push_back(
            {statement.origin, statement.epoch, statement.last(), statement.head});
      return;
    }
    notes_.push_back({first, last, {statements.begin(), statements.end()}, {}});
  }
  strand_->post([self = shared_from_this()] {
    CommitNote note;
    {
      const std::lock_guard lock(self->notes_mutex_);
      note = std::move(self->notes_.front());
      self->notes_.pop_front();
    }
    self->on_commit(note);
  });
}

void Fabric::Core::on_commit(const CommitNote& note) {
  if (stopped_) return;
  bool news = false;
  for (const Statement& statement : note.statements) {
    const wire::Position position{statement.origin, statement.epoch, statement.last(),
                                  statement.head};
    note_position(position);
    compare_heads(position);
    // A first number of an epoch: nobody has subscribed to this origin through us yet.
    news = news || statement.from == 1;
    proven({statement.origin, statement.epoch});
    publish(statement);
    unpark({statement.origin, statement.epoch});
  }
  for (const wire::Position& position : note.unpublished) {
    proven({position.origin, position.epoch});
    note_position(position);
    compare_heads(position);
  }
  counters_.unpublished += note.unpublished.size();
  if (news)
    for (auto& [link, member] : members_) announce(member);
  for (const auto& service : services_) service->committed(note.first, note.last, note.statements);
}

void Fabric::Core::publish(const Statement& statement) {
  const bool anybody = std::any_of(members_.begin(), members_.end(),
                                   [](const auto& entry) { return entry.second.status.up; });
  if (!anybody) return;  // whoever comes later fetches
  const std::string topic = origin_topic(statement.origin);
  // One frame goes to all: where one receiver's connection is unproven it is signed for all.
  const bool is_signed = sessions_->publishes_signed();
  const Status read = for_each_delivery(
      journal_, statement, 0, options_.expression, [&](const wire::Delivery& delivery) {
        const std::string body = wire::encode(delivery);
        wire::Frame plain;
        plain.kind = wire::Kind::kPropagate;
        plain.lane = wire::Lane::kLive;
        plain.body = body;
        const std::string frame =
            is_signed ? sessions_->publish(topic, body) : wire::encode_frame(plain);
        ++counters_.published_frames;
        counters_.published_bytes += frame.size();
        // Lossy by contract: what does not go out now is announced and fetched.
        return transport_->publish(topic, frame).ok();
      });
  if (!read.ok()) log_.error("fabric.publish.failed", {{"reason", read.to_string()}});
}

void Fabric::Core::count_payload(const wire::Delivery& delivery) {
  std::uint64_t bytes = 0;
  for (const wire::Body& body : delivery.bodies)
    bytes += body.claims.size() + body.signature.size();
  counters_.payload_bytes += bytes;
}

void Fabric::Core::on_published(Received&& received, const std::string& topic) {
  if (stopped_) return;
  ++counters_.received_frames;
  const LinkKey link = received.link;
  if (received.frame.kind == wire::Kind::kPublication) {
    const Result<ByteView> body =
        sessions_->open_publication(received.connection, topic, *received.bytes);
    // Not the publisher's doing: anyone on the way can send it.
    if (!body.ok()) {
      ++counters_.refused_frames;
      return log_.debug("fabric.publication.refused", {{"reason", body.status().message()}});
    }
  }
  auto incoming = std::make_unique<Incoming>();
  incoming->bytes = std::move(*received.bytes);
  Result<wire::Delivery> delivery =
      wire::decode_delivery(ByteView(incoming->bytes).substr(received.body_at));
  if (!delivery.ok()) {
    ++counters_.refused_frames;
    log_.warn("fabric.delivery.refused", {{"reason", delivery.status().message()}});
    distrust(link, delivery.status().message(), Standing::kBadFrame);
    return;
  }
  incoming->delivery = std::move(*delivery);
  incoming->from = received.frame.sender;
  incoming->link = link;
  count_payload(incoming->delivery);
  take_live(link, std::move(incoming));
}

void Fabric::Core::take_live(const LinkKey& link, std::unique_ptr<Incoming> incoming) {
  const Statement& statement = incoming->delivery.statement;
  const EpochKey key{statement.origin, statement.epoch};
  Progress* found = progress_for(key, link);
  if (found == nullptr) return;
  Progress& progress = *found;
  if (is_forked(key)) {
    ++counters_.forks;
    return;
  }
  const std::uint64_t last = statement.last();
  if (statement.from <= reached(key) + 1) {
    push_live(key, progress, std::move(incoming));
    unpark(key);
    return;
  }
  // Numbers before it are missing: they are fetched, and what came meanwhile comes no second time.
  ++counters_.gaps;
  std::uint64_t& known = progress.known[link];
  known = std::max(known, last);
  park(progress, std::move(incoming));
  maybe_fetch(key);
}

// Strangers may name half of what we keep, so that the rest is left for who is known.
Fabric::Core::Progress* Fabric::Core::progress_for(const EpochKey& key, const LinkKey& teller) {
  const auto found = progress_.find(key);
  if (found != progress_.end()) return &found->second;
  const bool stranger = !membership_.expects(teller);
  const bool unproven = held(key) == 0;
  if (progress_.size() >= wire::kMaxPositions ||
      (stranger && told_by_strangers_ >= wire::kMaxPositions / 2) ||
      (unproven && !has_room_for_unproven(teller)))
    return nullptr;
  if (stranger) ++told_by_strangers_;
  Progress& progress = progress_[key];
  progress.by_stranger = stranger;
  progress.unproven = unproven;
  progress.teller = teller;
  if (unproven) ++unproven_[teller];
  return &progress;
}

void Fabric::Core::push_live(const EpochKey& key, Progress& progress,
                             std::unique_ptr<Incoming> incoming) {
  const std::uint64_t last = incoming->delivery.statement.last();
  const bool whole = is_last_part(incoming->delivery);
  const LinkKey link = incoming->link;
  const Member* const sender = member_of(link);
  // Not before: what is parked is owned by us, and would own us.
  incoming->done = [self = shared_from_this(), key, link, last](Ingested verdict,
                                                                std::size_t added) {
    self->strand_->post([self, key, link, last, verdict, added] {
      self->on_live(key, link, last, verdict, added);
    });
  };
  if (ingest_->push(std::move(incoming))) {
    if (whole) progress.pushed = std::max(progress.pushed, last);
    return;
  }
  ++counters_.dropped_frames;
  if (sender == nullptr) return;
  std::uint64_t& known = progress.known[sender->link];
  known = std::max(known, last);
}

void Fabric::Core::on_live(const EpochKey& key, const LinkKey& link, std::uint64_t last,
                           Ingested verdict, std::size_t added) {
  if (Member* member = member_of(link)) member->status.live += added;
  switch (verdict) {
    case Ingested::kAdmitted:
      if (const auto source = sources_.find(key.first); source != sources_.end())
        source->second.misses = 0;
      return;
    case Ingested::kDuplicate:
      ++counters_.duplicate_frames;
      return;
    case Ingested::kForked:
      ++counters_.forks;
      break;
    case Ingested::kRefused:
      ++counters_.refused_frames;
      distrust(link, "a delivery that its origin never made", Standing::kBadDelivery);
      break;
    case Ingested::kGap:
    case Ingested::kWithheld:
      ++counters_.gaps;
      break;
    case Ingested::kOverlap:  // of slices alone
    case Ingested::kFailed:
      break;
  }
  const auto found = progress_.find(key);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  progress.pushed = 0;  // what was on its way behind it may not come through
  if (verdict != Ingested::kGap && verdict != Ingested::kWithheld) return;
  std::uint64_t& known = progress.known[link];
  known = std::max(known, last);
  maybe_fetch(key);
}

void Fabric::Core::park(Progress& progress, std::unique_ptr<Incoming> incoming) {
  const std::size_t size = incoming->bytes.size();
  if (progress.parked.size() >= kMaxParked ||
      parked_bytes_ + size > options_.ingest_queue_bytes / 4) {
    ++counters_.dropped_frames;
    return;
  }
  const std::pair place{incoming->delivery.statement.from, incoming->delivery.first};
  if (!progress.parked.emplace(place, std::move(incoming)).second) return;
  parked_bytes_ += size;
  ++counters_.parked_frames;
}

void Fabric::Core::unpark(const EpochKey& key) {
  const auto found = progress_.find(key);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  while (!progress.parked.empty()) {
    const auto first = progress.parked.begin();
    const std::uint64_t mine = reached(key);
    if (first->first.first > mine + 1) return;
    std::unique_ptr<Incoming> incoming = std::move(first->second);
    progress.parked.erase(first);
    parked_bytes_ -= incoming->bytes.size();
    // What was fetched meanwhile is not looked at again.
    if (incoming->delivery.statement.last() <= mine) continue;
    push_live(key, progress, std::move(incoming));
  }
}

void Fabric::Core::drop_parked(Progress& progress) {
  for (const auto& [place, incoming] : progress.parked) parked_bytes_ -= incoming->bytes.size();
  progress.parked.clear();
}

std::uint64_t Fabric::Core::reached(const EpochKey& key) const {
  const auto found = progress_.find(key);
  return std::max(held(key), found == progress_.end() ? 0 : found->second.pushed);
}

std::uint64_t Fabric::Core::held(const EpochKey& key) const {
  const auto position = journal_.origin(key.first, key.second);
  return position ? position->last : 0;
}

bool Fabric::Core::is_forked(const EpochKey& key) const {
  const auto position = journal_.origin(key.first, key.second);
  return position && position->forked;
}

void Fabric::Core::on_forked(const EpochKey& key) {
  if (stopped_) return;
  if (const auto found = progress_.find(key); found != progress_.end()) {
    drop_parked(found->second);
    found->second.heads.clear();
    found->second.pushed = 0;
  }
  catchup_->forget(key);
  forks_->found(key);
  // Both statements bear its signature: no peer that passed one on had a part in it.
  LinkKey origin{};
  if (key.first != key_.public_key() && link_key_of(key.first, origin.data()) &&
      member_of(origin) != nullptr)
    distrust(origin, "numbers that it gave twice", Standing::kNumberedTwice);
}

std::size_t Fabric::Core::gaps(const Progress& progress) {
  std::size_t gaps = 1;  // before the first
  std::uint64_t next = 0;
  for (const auto& [place, incoming] : progress.parked) {
    if (next != 0 && place.first > next) ++gaps;
    next = incoming->delivery.statement.last() + 1;
  }
  return gaps;
}

void Fabric::Core::maybe_fetch(const EpochKey& key) {
  const auto found = progress_.find(key);
  if (found == progress_.end() || stopped_ || is_forked(key)) return;
  const Progress& progress = found->second;
  const std::uint64_t mine = reached(key);
  // Few gaps are filled alone, one behind the other; through many, all is fetched.
  const bool alone = !progress.parked.empty() && gaps(progress) <= kMostGaps;
  const std::uint64_t until = alone ? progress.parked.begin()->first.first - 1 : UINT64_MAX;
  bool any = false;
  for (const auto& [link, known] : progress.known) {
    if (std::min(known, until) <= mine) continue;
    any = true;
    catchup_->learned(key, link, std::min(known, until));
  }
  if (any) catchup_->schedule();
}

// What waits behind a further gap wants that one filled; what is announced may still come by
// itself.
void Fabric::Core::fetched(const EpochKey& key, std::uint64_t through) {
  const auto found = progress_.find(key);
  if (found == progress_.end() || stopped_) return;
  if (auto& parked = found->second.parked; !parked.empty()) {
    // The gap is filled, and its statement goes on behind it: what waits is from another life of
    // its origin, and would wait for ever.
    const std::uint64_t gap_end = parked.begin()->first.first - 1;
    if (through >= gap_end && reached(key) < gap_end) drop_parked(found->second);
    return maybe_fetch(key);
  }
  const std::uint64_t mine = reached(key);
  for (const auto& [link, known] : found->second.known)
    if (known > mine) return await_missing(key);
}

}  // namespace rhizome
