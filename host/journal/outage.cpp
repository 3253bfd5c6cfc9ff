// A store that stops taking writes, and comes back. The journal follows the state that the store
// reports. While it is not READY every write is refused and reads go on. A write that failed is in
// doubt: its data may be in the store. Nothing is written before the store is READY again and has
// said what became of it, so no number is given twice and nothing that was acknowledged is undone.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

using Clock = std::chrono::steady_clock;

// Of these the store promises that nothing was applied.
bool changed_nothing(Code code) {
  return code == Code::kInvalid || code == Code::kLimit || code == Code::kReadOnly;
}

}  // namespace

void Journal::State::follow() {
  following->state = this;
  const auto changed = [this](const use::StoreWatch::Condition& now) {
    StoreStatus copy{now.state, now.cause, options.wall_ms ? options.wall_ms() : 0};
    {
      const std::lock_guard lock(status_mutex);
      store_status = copy;
    }
    status_changed.notify_all();
    if (options.on_store_state) options.on_store_state(copy);
    if (now.state != use::StoreState::kReady || !options.post) return;
    // What is in doubt is settled now, not with the next write: followers may wait for it.
    options.post([shared = following] {
      const std::lock_guard lock(shared->mutex);
      if (shared->state != nullptr)
        (void)shared->state->exclusively([&] { return shared->state->ready(); });
    });
  };
  store.watch().on_change(changed);
  // What it reported before, while it was opened.
  if (const auto now = store.watch().condition(); now.state != use::StoreState::kReady)
    changed(now);
}

void Journal::State::stop_following() {
  store.watch().on_change({});
  const std::lock_guard lock(following->mutex);
  following->state = nullptr;
}

StoreStatus Journal::store_status() const {
  const std::lock_guard lock(state_->status_mutex);
  return state_->store_status;
}

Status Journal::State::refusal() const {
  const use::StoreWatch::Condition now = store.watch().condition();
  const bool away = now.state == use::StoreState::kAway;
  return {away ? Code::kAway : Code::kReadOnly,
          std::string("journal: the store ") + (away ? "is away" : "takes no writes") + " (" +
              now.cause + "); reads go on, and writes once the store is ready again"};
}

Status Journal::State::ready() {
  if (!lost.ok()) return lost;
  if (store.watch().state() != use::StoreState::kReady) return refusal();
  if (doubt) {
    const Result<bool> applied = settle_doubt();
    if (!applied.ok()) return applied.status();
  }
  if (!unchecked) return {};
  Status checked = check_end();
  if (checked.code() == Code::kCorrupt) lost = checked;
  unchecked = !checked.ok();
  return checked;
}

Result<bool> Journal::State::settle_doubt() {
  const Result<bool> applied = store.resolve();
  // It has left READY again, and says when it is back.
  if (!applied.ok()) return applied.status();
  const std::function<void()> run = std::move(*doubt);
  doubt.reset();
  if (*applied)
    run();
  else
    shared_saved = true;  // perhaps: what removed it may not have been written
  return applied;
}

// A store that lost what it acknowledged (a restored copy, a promoted replica that was behind) must
// not go on under numbers that were given to other deltas.
Status Journal::State::check_end() const {
  auto newest = store.cursor(keys::record(0), key_after("R"), /*reverse=*/true);
  if (!newest.ok()) return std::move(newest).status();
  const rz_store_entry* entry = newest->next();
  RZ_TRY(Status(newest->status()));
  const Seq held = entry == nullptr ? 0 : keys::read_number(view(entry->key), 1, keys::kSeqSize);
  const auto own = positions.find({find_node(options.self), own_epoch});
  std::uint64_t numbered = 0;
  if (own != positions.end()) {
    auto stored = store.get(keys::position(own->first.first, own->first.second));
    if (!stored.ok()) return std::move(stored).status();
    OriginPosition position;
    if (stored->has_value()) RZ_TRY(values::decode_position(stored->value(), position));
    numbered = position.last;
  }
  const std::uint64_t expected = own == positions.end() ? 0 : own->second.last;
  if (held == last && numbered == expected) return {};
  return {Code::kCorrupt,
          "journal: the store came back with other data: it holds " + std::to_string(held) +
              " deltas and our number " + std::to_string(numbered) + "; expected " +
              std::to_string(last) + " and " + std::to_string(expected) +
              ". Nothing is written to it; stop the node, put the right data in place or move the "
              "data directory away, and start it again"};
}

bool Journal::State::await_ready(Clock::time_point deadline) {
  std::unique_lock lock(status_mutex);
  return status_changed.wait_until(
      lock, deadline, [this] { return store.watch().state() == use::StoreState::kReady; });
}

Status Journal::State::write(std::span<const rz_store_op> ops, use::Durability durability,
                             std::function<void()> applied) {
  std::optional<Clock::time_point> deadline;
  for (;;) {
    const std::uint64_t reports = store.watch().reports();
    Status written = store.write(ops, durability);
    if (written.ok()) {
      entries += ops.size();
      applied();
      return {};
    }
    shared_saved = true;  // perhaps: see settle_doubt()
    const Code code = written.code();
    if (code == Code::kInvalid || code == Code::kLimit) return written;
    unchecked = true;
    // A store that reports nothing has stopped all the same.
    if (store.watch().reports() == reports)
      store.watch().report(
          code == Code::kAway ? use::StoreState::kAway : use::StoreState::kReadOnly,
          written.message());
    if (changed_nothing(code)) return written;
    doubt = applied;
    if (!deadline) deadline = Clock::now() + options.patience;
    if (code == Code::kAway && await_ready(*deadline)) {
      const Result<bool> there = settle_doubt();
      if (there.ok() && *there) return {};
      if (there.ok()) {
        RZ_TRY(ready());
        continue;  // it is not there: once more
      }
    }
    return {code, written.message() +
                      "; whether this was written is known once the store is ready again"};
  }
}

Status Journal::State::write_batch(use::Durability durability, std::function<void()> applied) {
  RZ_TRY(ready());
  return write(batch.ops(), durability, std::move(applied));
}

}  // namespace rhizome
