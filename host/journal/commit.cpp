// Group commit: the first caller leads and writes what all who came meanwhile laid out, in one
// store batch. Nobody waits for a timer, and a lone append commits on its caller's thread. The lead
// is handed on before those who are done are woken, so that the store never waits for them.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

// How many ids are remembered to settle races between look-up and append.
constexpr std::size_t kRecent = 1u << 16;
// The digest is stored once in so many deltas: bounds what is folded again at open.
constexpr Seq kSaveEvery = 65536;

}  // namespace

Result<Appended> Journal::append(const Append& append) {
  State& s = *state_;
  Prepared prepared(append.deltas, s.hash);
  State::Waiter waiter;
  waiter.append = &append;
  waiter.prepared = &prepared;
  for (const DeltaView delta : append.deltas) waiter.bytes += delta.claims().size() + 256;
  s.await_turn(waiter);
  if (waiter.turn == State::Waiter::kLead) {
    const std::vector<State::Waiter*> group = s.take_group();
    s.commit(group);
    s.pass_lead(group);
  }
  return std::move(waiter.result);
}

void Journal::State::await_turn(Waiter& waiter) {
  {
    const std::lock_guard lock(queue_mutex);
    queue.push_back(&waiter);
    if (!leading) {
      leading = true;
      waiter.turn = Waiter::kLead;
      return;
    }
  }
  waiter.turn.wait(Waiter::kWaiting);
}

// The leader stands in front; the appends behind it come along, up to the group's size.
std::vector<Journal::State::Waiter*> Journal::State::take_group() {
  const std::lock_guard lock(queue_mutex);
  std::vector<Waiter*> group;
  std::uint64_t bytes = 0;
  while (!queue.empty() && bytes < options.group_bytes) {
    if (!group.empty() && (queue.front()->append == nullptr || group.front()->append == nullptr))
      break;
    bytes += queue.front()->bytes;
    group.push_back(queue.front());
    queue.pop_front();
  }
  return group;
}

void Journal::State::pass_lead(const std::vector<Waiter*>& finished) {
  Waiter* next = nullptr;
  {
    const std::lock_guard lock(queue_mutex);
    leading = !queue.empty();
    if (leading) next = queue.front();
  }
  const auto wake = [](Waiter* waiter, Waiter::Turn turn) {
    // Once its turn is set the waiter may be gone: notify_one takes the address and reads nothing.
    std::atomic<int>& place = waiter->turn;
    place = turn;
    place.notify_one();
  };
  if (next != nullptr) wake(next, Waiter::kLead);
  // The first is the caller itself.
  for (auto waiter = finished.begin() + 1; waiter != finished.end(); ++waiter)
    wake(*waiter, Waiter::kDone);
}

Status Journal::State::exclusively(const std::function<Status()>& work) {
  Waiter waiter;
  await_turn(waiter);
  const std::vector<Waiter*> group = take_group();
  batch.clear();
  // What is in doubt may be in the store already and is not in memory yet: nothing can be based on
  // either.
  Status status = doubt ? ready() : Status();
  batch.clear();
  if (status.ok()) status = work();
  pass_lead(group);
  return status;
}

void Journal::State::commit(const std::vector<Waiter*>& waiters) {
  if (const Status status = ready(); !status.ok()) return answer(waiters, status);
  const auto group = std::make_shared<Group>();
  group->next = last + 1;
  batch.clear();
  bool failed = false;
  for (Waiter* waiter : waiters) {
    Appended appended;
    Status staged = stage(*waiter->append, *waiter->prepared, *group, appended);
    failed = failed || !staged.ok();
    waiter->result =
        staged.ok() ? Result<Appended>(std::move(appended)) : Result<Appended>(std::move(staged));
    if (waiter->append->durability == use::Durability::kSynced)
      group->durability = use::Durability::kSynced;
  }
  if (failed) {
    // Half of the failed append may be staged: nothing of it is written, and the others go on
    // without it, one by one.
    shared_saved = true;
    if (waiters.size() > 1)
      for (Waiter* waiter : waiters) commit({waiter});
    return;
  }
  for (const auto& [key, position] : group->positions)
    batch.put(keys::position(key.first, key.second), values::encode_position(position));
  if (group->next - 1 >= digest_saved + kSaveEvery) stage_digest();
  if (group->ops.empty() && batch.size() == 0) return;
  const auto labels = batch.ops();
  group->ops.insert(group->ops.end(), labels.begin(), labels.end());
  const Status written = write(group->ops, group->durability,
                               [this, group, size = waiters.size()] { finish(*group, size); });
  if (!written.ok()) answer(waiters, written);
}

void Journal::State::answer(const std::vector<Waiter*>& waiters, const Status& status) {
  for (Waiter* waiter : waiters) waiter->result = status;
}

// The group is in the store.
void Journal::State::finish(Group& group, std::size_t appends) {
  ++commits;
  grouped += appends;
  const Seq first = last + 1;
  apply(group);
  for (const OnCommit& listener : listeners) listener(first, last, group.statements);
}

void Journal::State::stage_digest() {
  // What this very group adds is not in it yet: it stands at the seq before.
  std::string value;
  keys::append_number(last, 6, value);
  keys::append_number(claims_bytes, 8, value);
  value.append(digest->raw());
  batch.put(keys::kDigest, value);
  digest_saved = last;
  // A smaller store gathers it again sooner than it would write it.
  if (last < kSaveEvery) return;
  const std::string shared = digest->raw_shared();
  if (shared.empty()) return;
  value.resize(6);
  batch.put(keys::kShared, value.append(shared));
  shared_saved = true;
}

void Journal::State::apply(Group& group) {
  {
    const std::unique_lock lock(mutex);
    for (const NodeKey& node : group.new_nodes) {
      nodes.push_back(node);
      node_index.emplace(node, static_cast<std::uint32_t>(nodes.size()));
    }
    for (const auto& [key, position] : group.positions) {
      positions[key] = position;
      unsynced.insert(key);
    }
    // A synced write makes durable what was written before it.
    if (group.durability == use::Durability::kSynced) {
      for (const EpochKey& key : unsynced) positions[key].synced = positions[key].last;
      unsynced.clear();
    }
  }
  holes += group.holes;
  holes -= group.filled;
  claims_bytes += group.claims_bytes;
  recent.merge(group.ids);
  recent_order.insert(recent_order.end(), group.order.begin(), group.order.end());
  while (recent_order.size() > kRecent) {
    const auto oldest = recent.find(recent_order.front());
    recent_floor = std::max(recent_floor, oldest->second.seq);
    recent.erase(oldest);
    recent_order.pop_front();
  }
  last = group.next - 1;
  digest->add(group.sums);  // behind `last`: whoever sees a digest finds all that it is of
}

void Journal::on_commit(OnCommit listener) {
  (void)state_->exclusively([&] {
    state_->listeners.push_back(std::move(listener));
    return Status();
  });
}

}  // namespace rhizome
