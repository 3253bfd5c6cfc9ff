// The rungs of one session: digest and sketch, sketch under a key of its own, ranges.
#include <algorithm>

#include "sync/asker.hpp"

namespace rhizome::sync {

namespace {

constexpr std::size_t kRangesFrame = 256u << 10;

// Their size less ours. A peer may claim any size: far off is as good as not at all.
std::int64_t difference_of(std::uint64_t theirs, std::uint64_t ours) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  if (theirs > ours) return static_cast<std::int64_t>(std::min(kFar, theirs - ours));
  return -static_cast<std::int64_t>(std::min(kFar, ours - theirs));
}

ShortId short_of(const negentropy::Id& id) {
  ShortId prefix;
  std::copy_n(id.begin(), prefix.size(), prefix.begin());
  return prefix;
}

}  // namespace

void Asker::compare(const Held& session) {
  const Shareable& ours = *session->ours;
  ask(session, Compare{ours.digest, ours.count, first_counts(ours.sketch)}, Answers::kOne,
      [self = shared_from_this(), session](const Reply& reply, bool) {
        if (std::holds_alternative<Same>(reply)) return self->finish(session, End::kInSync);
        const Differs* differs = std::get_if<Differs>(&reply);
        if (differs == nullptr) return self->finish(session, End::kFailed);
        session->sizes = difference_of(differs->count, session->ours->count);
        session->difference = std::make_unique<SketchDifference>(
            std::shared_ptr<const Sketch>(session->ours, &session->ours->sketch));
        self->on_cells(session, differs->cells);
      });
}

void Asker::on_cells(const Held& session, ByteView cells) {
  if (cells.empty()) return finish(session, End::kFailed);
  off_strand(
      session, [session, bytes = std::string(cells)] { return session->difference->add(bytes); },
      [self = shared_from_this(), session](const Status& added) {
        // Cells that come of no set, or that ids were ground against: other rungs see through it.
        if (!added.ok()) return self->ask_keyed(session, 1000);
        self->next_cells(session);
      });
}

void Asker::next_cells(const Held& session) {
  const SketchDifference& difference = *session->difference;
  const double estimate = difference.estimate(session->sizes);
  if (session->rung == Rung::kRanges) return ask_ranges(session);
  if (session->rung == Rung::kKeyed) return ask_keyed(session, estimate);
  if (difference.complete()) {
    ++context_->counters.sketched;
    session->whole = true;
    session->need.insert(difference.only_theirs().begin(), difference.only_theirs().end());
    session->have = difference.only_ours();
    return take_difference(session);
  }
  const std::size_t wanted = difference.next_cells(session->sizes);
  if (wanted == 0) return ask_keyed(session, estimate);
  ask(session, More{difference.cells(), wanted}, Answers::kOne,
      [self = shared_from_this(), session](const Reply& reply, bool) {
        const Cells* cells = std::get_if<Cells>(&reply);
        if (cells == nullptr) return self->finish(session, End::kFailed);
        self->on_cells(session, cells->cells);
      });
}

// A key that nobody could grind ids against costs a read of all ids on both sides.
void Asker::ask_keyed(const Held& session, double estimate) {
  const double needed = 1.25 * static_cast<double>(cells_for(std::max(estimate, 100.0)));
  if (!(needed <= static_cast<double>(kMaxKeyedCells))) return ask_ranges(session);
  const auto count = static_cast<std::size_t>(needed);
  const SketchKey key = fresh_salt(context_->links);
  off_strand(
      session,
      [session, key, count, context = context_]() -> Status {
        auto sketch = std::make_shared<Sketch>(key, count);
        RZ_TRY(context->journal.each_shareable({}, [&](ByteView id20, Seq) {
          ShortId id;
          std::memcpy(id.data(), id20.data(), id.size());
          sketch->add(id);
          return !context->stopped;
        }));
        session->difference = std::make_unique<SketchDifference>(sketch);
        return {};
      },
      [self = shared_from_this(), session, key, count](const Status& read) {
        if (!read.ok()) return self->finish(session, End::kFailed);
        self->ask(session, Keyed{key, count}, Answers::kSome,
                  [self, session](const Reply& reply, bool last) {
                    const Cells* cells = std::get_if<Cells>(&reply);
                    if (cells == nullptr || session->bytes > self->context_->options.session_bytes)
                      return self->finish(session, End::kFailed);
                    self->on_keyed_cells(session, cells->cells, last);
                  });
      });
}

void Asker::on_keyed_cells(const Held& session, ByteView cells, bool last) {
  off_strand(
      session, [session, bytes = std::string(cells)] { return session->difference->add(bytes); },
      [self = shared_from_this(), session, last](const Status& added) {
        session->failed = session->failed || !added.ok();
        if (!last) return;
        const SketchDifference& difference = *session->difference;
        if (session->failed || !difference.complete()) return self->ask_ranges(session);
        ++self->context_->counters.keyed;
        session->whole = true;
        session->need.insert(difference.only_theirs().begin(), difference.only_theirs().end());
        session->have = difference.only_ours();
        self->take_difference(session);
      });
}

void Asker::ask_ranges(const Held& session) {
  session->salt = fresh_salt(context_->links);
  session->difference = nullptr;
  auto first = std::make_shared<std::string>();
  off_strand(
      session,
      [session, first, context = context_]() -> Status {
        auto items = IndexRanges::build(context->journal, session->salt);
        if (!items.ok()) return items.status();
        session->items = std::move(*items);
        session->ranges = std::make_unique<negentropy::Session>(
            *session->items, negentropy::Options{.frame_limit = kRangesFrame, .fan_out = 32});
        Result<std::string> message = session->ranges->initiate();
        if (!message.ok()) return message.status();
        *first = std::move(*message);
        return {};
      },
      [self = shared_from_this(), session, first](const Status& built) {
        if (!built.ok()) return self->finish(session, End::kFailed);
        self->send_ranges(session, *first);
      });
}

void Asker::send_ranges(const Held& session, const std::string& message) {
  ask(session, Ranges{session->salt, message}, Answers::kOne,
      [self = shared_from_this(), session](const Reply& reply, bool) {
        const RangesReply* ranges = std::get_if<RangesReply>(&reply);
        if (ranges == nullptr) return self->finish(session, End::kFailed);
        self->on_ranges(session, *ranges);
      });
}

void Asker::on_ranges(const Held& session, const RangesReply& reply) {
  auto next = std::make_shared<std::string>();
  off_strand(
      session,
      [session, next, message = std::string(reply.message)]() -> Status {
        Result<std::string> answer = session->ranges->reconcile(message);
        if (!answer.ok()) return answer.status();
        *next = std::move(*answer);
        return {};
      },
      [self = shared_from_this(), session, next](const Status& read) {
        if (!read.ok()) return self->finish(session, End::kFailed);
        // What was found within the session's bytes is acted upon; the next one goes on behind it.
        const bool spent = session->bytes > self->context_->options.session_bytes;
        if (!next->empty() && !spent) return self->send_ranges(session, *next);
        ++self->context_->counters.ranged;
        session->whole = next->empty();
        for (const negentropy::Id& id : session->ranges->need()) session->need.insert(short_of(id));
        for (const negentropy::Id& id : session->ranges->have())
          session->have.push_back(short_of(id));
        session->ranges = nullptr;
        session->items = nullptr;
        self->take_difference(session);
      });
}

}  // namespace rhizome::sync
