// Subscribing, tailing, and taking what follows.
#include "feeds/follower.hpp"

#include <algorithm>
#include <utility>

#include "rhizome/abi/transport.h"

namespace rhizome::feeds {

namespace {

constexpr std::uint64_t kCredit = 1u << 20;  // bytes, a tail
constexpr std::uint64_t kTailMs = 10'000;
constexpr std::uint64_t kQueryMs = 30'000;
constexpr std::uint64_t kRetryNs = 100'000'000;
constexpr std::uint64_t kBatchCost = 64;  // what a batch weighs beside its bytes

// Failures that say nothing about the request.
bool is_passing(Code code) {
  return code == Code::kDeadline || code == Code::kClosed || code == Code::kWouldBlock;
}

// Both are processed, so the further one of each origin is.
std::vector<Covered> merged(std::vector<Covered> a, const std::vector<Covered>& b) {
  for (const Covered& entry : b) {
    const auto same = std::find_if(a.begin(), a.end(), [&](const Covered& other) {
      return other.origin == entry.origin && other.epoch == entry.epoch;
    });
    if (same != a.end())
      same->last = std::max(same->last, entry.last);
    else if (a.size() < kMaxCovered)
      a.push_back(entry);
  }
  return a;
}

}  // namespace

Follower::Follower(const NodeKey& publisher, bool trusted, std::unique_ptr<Wire> wire,
                   Executor& executor, Log& log)
    : publisher_(publisher),
      most_(trusted ? kMaxOwnSubscriptions : kMaxSubscriptions),
      wire_(std::move(wire)),
      log_(log),
      strand_(Strand::make(executor)),
      receiver_(executor, trusted) {}

void Follower::post(std::function<void(Follower&)> task) {
  strand_->post([self = shared_from_this(), task = std::move(task)] {
    if (!self->stopped_) task(*self);
  });
}

// Hears the answers to a request that granted so many bytes. The last batch may outgrow what is
// left, and no honest publisher goes on after it: what does is not even queued.
Wire::Frame Follower::granted(std::uint64_t credit, Taken taken) {
  struct Grant {
    std::uint64_t left;
    bool is_over = false;
  };
  const std::uint64_t most =
      most_ > kMaxSubscriptions ? UINT64_MAX : credit + RZ_FRAME_MAX_SIZE;  // our own are trusted
  return [weak = weak_from_this(), grant = std::make_shared<Grant>(Grant{most}),
          taken = std::move(taken)](const Status& status, const std::shared_ptr<std::string>& owner,
                                    ByteView body, bool last) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    const std::uint64_t cost = status.ok() ? body.size() + kBatchCost : 0;
    if (cost > grant->left) {
      self->wire_->blame("sends more than a subscription or query granted");
      if (std::exchange(grant->is_over, true)) return;
      return self->post([taken](Follower& follower) {
        taken(follower, Status(Code::kInvalid, "the peer sends more than it was granted"), {},
              true);
      });
    }
    grant->left -= cost;
    self->post([taken, status, owner, body, last](Follower& follower) {
      taken(follower, status, body, last);
    });
  };
}

void Follower::open(std::shared_ptr<Feed> feed) {
  post([feed = std::move(feed)](Follower& self) {
    feed->on_change([weak = self.weak_from_this()] {
      if (const auto follower = weak.lock()) follower->post([](Follower& f) { f.step(); });
    });
    auto entry = std::make_shared<Entry>();
    entry->feed = feed;
    entry->cursor = feed->wanted().cursor;
    if (feed->query_limit.value_or(0) != 0) entry->left = *feed->query_limit;
    self.entries_.push_back(std::move(entry));
    self.step();
  });
}

void Follower::linked(bool up) {
  post([up](Follower& self) {
    if (self.up_ == up) return;
    // What stood on a link ended with it.
    self.up_ = up;
    self.tail_open_ = false;
    ++self.tail_;
    self.ended_.clear();
    for (const EntryPointer& entry : self.entries_) entry->state = Entry::kWaiting;
    self.standing_.clear();
    self.step();
  });
}

void Follower::heartbeat() {
  post([](Follower& self) { self.step(); });
}

void Follower::retry_soon() {
  if (std::exchange(retrying_, true)) return;
  strand_->post_after(kRetryNs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->stopped_) return;
    self->retrying_ = false;
    self->step();
  });
}

Follower::Entry* Follower::find(std::uint64_t number) const {
  const auto found = standing_.find(number);
  return found == standing_.end() ? nullptr : found->second.get();
}

void Follower::stands_no_more(Entry& entry) {
  if (entry.state == Entry::kStanding) standing_.erase(entry.number);
}

// Lets go of what its consumer closed.
void Follower::sweep() {
  std::erase_if(entries_, [&](const EntryPointer& entry) {
    if (!entry->feed->is_closed()) return false;
    if (entry->state == Entry::kStanding && ended_.size() < most_) ended_.push_back(entry->number);
    stands_no_more(*entry);
    return true;
  });
}

void Follower::step() {
  sweep();
  if (!up_) return;
  Tail tail;
  bool more = !ended_.empty();
  for (const EntryPointer& entry : std::vector<EntryPointer>(entries_)) {
    if (entry->feed->query_limit) {
      if (entry->state == Entry::kWaiting && entry->feed->is_hungry()) ask_query(entry);
      continue;
    }
    if (entry->state == Entry::kWaiting) ask(entry);
    if (entry->state != Entry::kStanding || !entry->feed->is_hungry()) continue;
    tail.entries.push_back({entry->number, entry->cursor->next});
    more = more || !listed_.contains(entry->number);
  }
  if (tail_open_ ? more : more || !tail.entries.empty()) open_tail(std::move(tail));
}

void Follower::ask(const EntryPointer& entry) {
  entry->state = Entry::kAsking;
  Subscribe wanted = entry->feed->wanted();
  if (entry->cursor) {
    wanted.start = Start::kCursor;
    wanted.cursor = entry->cursor;
  }
  wire_->subscribe(wanted, [weak = weak_from_this(), entry](const Result<Subscribed>& answer) {
    if (const auto self = weak.lock())
      self->post([entry, answer](Follower& follower) { follower.answered(entry, answer); });
  });
}

void Follower::answered(const EntryPointer& entry, const Result<Subscribed>& answer) {
  // A link that went away meanwhile began everything anew.
  if (entry->state != Entry::kAsking) return;
  if (!answer.ok()) {
    entry->state = Entry::kWaiting;
    const bool again = is_passing(answer.code()) || (answer.code() == Code::kBusy && entry->number);
    if (!again) end(entry, answer.status());
    return;  // the heartbeat asks again
  }
  entry->state = Entry::kStanding;
  entry->number = answer->number;
  standing_[entry->number] = entry;
  Cursor cursor;
  cursor.publisher = publisher_;
  cursor.incarnation = answer->incarnation;
  cursor.next = answer->next;
  cursor.mark = answer->mark;
  if (entry->cursor) cursor.covered = std::move(entry->cursor->covered);
  entry->cursor = std::move(cursor);
  entry->by_labels = answer->by_labels;
  entry->live = false;
  FeedBatch standing;  // the consumer hears that it stands
  standing.cursor = *entry->cursor;
  standing.by_labels = answer->by_labels;
  entry->feed->push(std::move(standing));
  step();
}

void Follower::open_tail(Tail tail) {
  tail.credit = tail.entries.empty() ? 0 : kCredit;
  tail.rewind = std::exchange(rewind_, false);
  tail.ended = std::exchange(ended_, {});
  listed_.clear();
  for (const Tail::Entry& entry : tail.entries) listed_.insert(entry.number);
  covers_.begin();
  tail_open_ = true;
  const std::uint64_t number = ++tail_;
  wire_->tail(
      tail, kTailMs,
      granted(tail.credit, [number](Follower& self, const Status& status, ByteView body,
                                    bool last) { self.on_frame(number, status, body, last); }));
}

void Follower::on_frame(std::uint64_t tail, const Status& status, ByteView body, bool last) {
  const bool current = tail == tail_;
  if (!status.ok()) {
    if (!current) return;
    tail_open_ = false;
    rewind_ = true;
    if (status.code() != Code::kClosed) retry_soon();
    return;
  }
  Result<Batch> batch = most_ > kMaxSubscriptions ? decode_own_batch(body) : decode_batch(body);
  if (batch.ok()) {
    take(std::move(*batch));
  } else {
    log_.warn("feeds.batch.refused", {{"reason", batch.status().message()}});
    rewind_ = true;
  }
  if (!last || !current) return;
  tail_open_ = false;
  if (batch.ok())
    step();
  else
    retry_soon();
}

void Follower::take(Batch batch) {
  std::map<std::uint64_t, FeedBatch> out;
  receiver_.receive(batch, covers_, out);
  take_moves(batch, out);
  std::vector<std::pair<EntryPointer, Batch::Ended>> ended;
  for (const Batch::Ended& end : batch.ended)
    if (const auto found = standing_.find(end.number); found != standing_.end())
      ended.emplace_back(found->second, end);
  for (auto& [number, feed_batch] : out) {
    Entry* const entry = find(number);
    if (entry == nullptr) continue;
    feed_batch.cursor = *entry->cursor;
    entry->feed->push(std::move(feed_batch));
  }
  for (auto& [entry, why] : ended) {
    stands_no_more(*entry);
    entry->state = Entry::kWaiting;  // the publisher keeps nothing of it
    if (why.code == Code::kNotFound) continue;
    end(entry, Status(why.code == Code::kOk ? Code::kEnd : why.code, why.reason));
  }
  if (!ended.empty()) retry_soon();
}

// Moves the cursors; what does not follow is taken out of `out`.
void Follower::take_moves(const Batch& batch, std::map<std::uint64_t, FeedBatch>& out) {
  std::map<std::uint64_t, FeedBatch> kept;
  for (const Batch::Moved& moved : batch.moved) {
    Entry* const entry = find(moved.number);
    if (entry == nullptr) continue;
    const bool has_room = entry->feed->has_room();
    if (moved.from != entry->cursor->next || moved.next < moved.from || !has_room) {
      // Behind: it was seen. Ahead: something was lost, and is asked for again, as is what finds no
      // room once there is some.
      if (moved.from > entry->cursor->next || !has_room)
        rewind_ = true, listed_.clear(), retry_soon();
      continue;
    }
    const bool news = moved.next != moved.from || moved.live != entry->live;
    entry->cursor->next = moved.next;
    entry->cursor->mark = moved.mark;
    if (!batch.covered.empty())
      entry->cursor->covered = merged(entry->cursor->covered, batch.covered);
    entry->live = moved.live;
    const auto found = out.find(moved.number);
    if (found == out.end() && !news) continue;
    FeedBatch& target = kept[moved.number];
    if (found != out.end()) target = std::move(found->second);
    target.live = moved.live;
  }
  for (const Batch::Dropped& dropped : batch.dropped)
    if (const Entry* entry = find(dropped.number); entry != nullptr && entry->feed->has_room())
      kept[dropped.number].dropped.push_back(dropped);
  out = std::move(kept);
}

void Follower::end(const EntryPointer& entry, Status why) {
  FeedBatch last;
  if (entry->cursor) last.cursor = *entry->cursor;
  last.ended = std::move(why);
  entry->feed->push(std::move(last));
  stands_no_more(*entry);
  entry->state = Entry::kEnded;  // what still comes of its request is not its any more
  std::erase(entries_, entry);
}

void Follower::ask_query(const EntryPointer& entry) {
  entry->state = Entry::kAsking;
  Query query;
  query.rule = entry->feed->wanted().rule;
  query.cursor = entry->cursor;
  query.credit = kCredit;
  query.limit = entry->left == UINT64_MAX ? 0 : entry->left;
  entry->covers = {};
  wire_->query(
      query, kQueryMs,
      granted(kCredit, [entry](Follower& self, const Status& status, ByteView body, bool last) {
        self.on_query_frame(entry, status, body, last);
      }));
}

void Follower::on_query_frame(const EntryPointer& entry, const Status& status, ByteView body,
                              bool last) {
  if (entry->state != Entry::kAsking) return;
  if (!status.ok()) {
    entry->state = Entry::kWaiting;
    if (!is_passing(status.code())) return end(entry, status);
    return retry_soon();
  }
  const Result<Batch> batch =
      most_ > kMaxSubscriptions ? decode_own_batch(body) : decode_batch(body);
  if (!batch.ok()) return end(entry, batch.status());
  std::map<std::uint64_t, FeedBatch> out;
  receiver_.receive(*batch, entry->covers, out);
  if (!batch->moved.empty()) {
    const Batch::Moved& moved = batch->moved.front();
    Cursor cursor = entry->cursor.value_or(Cursor{});
    cursor.publisher = publisher_;
    cursor.next = moved.next;
    cursor.mark = moved.mark;
    entry->cursor = std::move(cursor);
  }
  for (auto& [number, found] : out) {
    if (found.deltas.size() > entry->left || !entry->feed->has_room()) {
      wire_->blame("answers a query with more than was asked for");
      return end(entry, Status(Code::kInvalid, "the peer answers with more than was asked for"));
    }
    if (entry->left != UINT64_MAX) entry->left -= found.deltas.size();
    if (entry->cursor) found.cursor = *entry->cursor;
    entry->feed->push(std::move(found));
  }
  if (!batch->ended.empty()) {
    const Batch::Ended& why = batch->ended.front();
    return end(entry, Status(why.code == Code::kOk ? Code::kEnd : why.code, why.reason));
  }
  if (entry->left == 0) return end(entry, Status(Code::kEnd, "as many as were asked for"));
  if (!last) return;
  entry->state = Entry::kWaiting;
  step();
}

}  // namespace rhizome::feeds
