// Answering compare, more, keyed, ranges, want and offer.
#include "sync/responder.hpp"

#include <algorithm>

namespace rhizome::sync {

namespace {

constexpr std::uint64_t kForgetNs = 60'000 * kMillisecond;
constexpr std::uint64_t kGiveUpNs = 10'000 * kMillisecond;
constexpr std::size_t kCellsAFrame = 16384;        // 311 KB
constexpr std::size_t kBodiesAFrame = 256u << 10;  // bytes, about
constexpr std::size_t kBodiesAnAnswer = 4u << 20;  // the rest is asked for again
constexpr std::size_t kReadAtOnce = 256;           // deltas
constexpr std::size_t kRangesFrame = 256u << 10;
constexpr std::size_t kMaxLarge = 16;  // answers of some MiB at a time

}  // namespace

bool Responder::reads_all_ids(const Request& request, const Served& served) {
  if (std::holds_alternative<Keyed>(request)) return true;
  const Ranges* ranges = std::get_if<Ranges>(&request);
  return ranges != nullptr && (served.ranges == nullptr || ranges->salt != served.salt);
}

void Responder::request(const wire::Frame& frame, const Asked& asked) {
  if (context_->stopped) return;
  auto answer = std::make_shared<Answer>();
  answer->asked = asked;
  answer->body = std::string(frame.body);
  Result<Request> request = decode_request(answer->body);
  if (!request.ok()) {
    context_->links.distrust(asked.link, request.status().message(), Standing::kBadFrame);
    return context_->links.refuse(asked, request.code(), request.status().message());
  }
  answer->request = std::move(*request);
  Served* served = admit(asked, answer->request);
  if (served == nullptr) return;
  ++context_->counters.served;
  if (Offer* offer = std::get_if<Offer>(&answer->request)) {
    hears_.offered(asked.link, std::move(offer->ids));
    (void)context_->links.answer(asked, wire::Kind::kAck, wire::Lane::kCatchUp, {}, true);
    return;
  }
  served->busy = true;
  answer->set = served->set;
  answer->ranges = served->ranges;
  answer->salt = served->salt;
  answer->give_up_ns = context_->links.executor().monotonic_ns() + kGiveUpNs;
  const auto run = [self = shared_from_this(), answer] {
    if (self->context_->stopped) return;
    const std::uint64_t begun = self->context_->links.executor().monotonic_ns();
    const Status made = self->make(*answer);
    answer->spent_ns = self->context_->links.executor().monotonic_ns() - begun;
    if (!made.ok()) {
      self->context_->links.refuse(answer->asked, made.code(), made.message());
      return self->finish(answer);
    }
    self->send(answer);
  };
  // Reads of all ids wait for each other; what is kept ready is answered at once.
  answer->is_large = is_large(answer->request, *served);
  large_ += answer->is_large ? 1 : 0;
  if (reads_all_ids(answer->request, *served)) {
    served->built_ns = served->used_ns;
    context_->work->post(run);
  } else if (std::holds_alternative<Compare>(answer->request) && !context_->gathered) {
    context_->work->post(run);
  } else {
    context_->links.executor().post(run);
  }
}

Responder::Served* Responder::admit(const Asked& asked, const Request& request) {
  const std::uint64_t now = context_->links.executor().monotonic_ns();
  const SyncOptions& options = context_->options;
  const auto [found, is_new] = served_.try_emplace(asked.link);
  Served& served = found->second;
  if (is_new) {
    served.credit = static_cast<double>(options.credit_bytes);
    served.credit_ns = now;
  }
  const double seconds = static_cast<double>(now - served.credit_ns) / 1e9;
  served.credit =
      std::min(static_cast<double>(options.credit_bytes),
               served.credit + seconds * static_cast<double>(options.credit_per_second));
  served.credit_ns = now;
  served.used_ns = std::max<std::uint64_t>(now, 1);
  const auto refuse = [&](const char* why) {
    context_->links.refuse(asked, Code::kBusy, why);
    return nullptr;
  };
  if (served.busy) return refuse("reconcile: one request at a time");
  if (served.credit <= 0) return refuse("reconcile: this peer's credit is spent; later");
  if (is_large(request, served) && large_ >= kMaxLarge)
    return refuse("reconcile: many peers are answered at length; later");
  if (reads_all_ids(request, served) && served.built_ns != 0 &&
      now - served.built_ns < options.build_pause_ms * kMillisecond)
    return refuse("reconcile: all ids were read for this peer a moment ago; later");
  return &served;
}

Status Responder::make(Answer& answer) const {
  if (const auto* compare = std::get_if<Compare>(&answer.request))
    return make_cells(*compare, answer);
  if (const auto* keyed = std::get_if<Keyed>(&answer.request)) return make_keyed(*keyed, answer);
  if (const auto* ranges = std::get_if<Ranges>(&answer.request))
    return make_ranges(*ranges, answer);
  if (const auto* want = std::get_if<Want>(&answer.request)) return make_bodies(*want, answer);
  const More& more = std::get<More>(answer.request);
  if (answer.set == nullptr) return {Code::kNotFound, "reconcile: compare first"};
  const std::size_t have = answer.set->sketch.cells().size();
  if (more.from > have || more.cells > have - more.from)
    return {Code::kInvalid, "reconcile: cells that nobody keeps"};
  const std::string cells = answer.set->sketch.bytes(more.from, more.from + more.cells);
  answer.replies.push_back(encode(Cells{cells}));
  return {};
}

Status Responder::make_cells(const Compare& compare, Answer& answer) const {
  auto set = context_->shareable();
  if (!set.ok()) return set.status();
  answer.set = *set;
  answer.in_sync = answer.set->digest == compare.digest;
  if (answer.in_sync) {
    answer.replies.push_back(encode(Same{}));
    return {};
  }
  auto counts = first_counts(answer.set->sketch);
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = static_cast<std::uint8_t>(compare.counts[i] - counts[i]);
  const auto sizes = static_cast<std::int64_t>(compare.count - answer.set->count);
  const std::string cells = answer.set->sketch.bytes(0, first_cells(counts, sizes));
  answer.replies.push_back(encode(Differs{answer.set->count, cells}));
  return {};
}

Status Responder::make_keyed(const Keyed& keyed, Answer& answer) const {
  Sketch sketch(keyed.key, keyed.cells);
  RZ_TRY(context_->journal.each_shareable({}, [&](ByteView id20, Seq) {
    ShortId id;
    std::memcpy(id.data(), id20.data(), id.size());
    sketch.add(id);
    return !context_->stopped;
  }));
  for (std::size_t from = 0; from < keyed.cells; from += kCellsAFrame) {
    const std::size_t to = std::min<std::size_t>(keyed.cells, from + kCellsAFrame);
    answer.replies.push_back(encode(Cells{sketch.bytes(from, to)}));
  }
  return {};
}

Status Responder::make_ranges(const Ranges& ranges, Answer& answer) const {
  if (answer.ranges == nullptr || answer.salt != ranges.salt) {
    auto built = IndexRanges::build(context_->journal, ranges.salt);
    if (!built.ok()) return built.status();
    answer.ranges = std::move(*built);
    answer.salt = ranges.salt;
  }
  negentropy::Session session(*answer.ranges, {.frame_limit = kRangesFrame, .fan_out = 32});
  const Result<std::string> message = session.reconcile(ranges.message);
  if (!message.ok()) return message.status();
  answer.replies.push_back(encode(RangesReply{*message}));
  return {};
}

// In the journal's order: a manifest stands before what it covers.
Status Responder::make_bodies(const Want& want, Answer& answer) const {
  std::vector<Journal::Held> held;
  RZ_TRY(context_->journal.find_short(want.ids, held));
  std::vector<Seq> seqs;
  for (const Journal::Held& found : held)
    if (found.seq != 0 && found.signature_state != RZ_SIGNATURE_UNSIGNED) seqs.push_back(found.seq);
  std::sort(seqs.begin(), seqs.end());
  seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
  std::size_t bytes = 0, total = 0;
  DeltaBatch batch;
  Bodies bodies;
  const auto flush = [&] {
    if (!bodies.bodies.empty()) answer.replies.push_back(encode(bodies));
    bodies.bodies.clear();
    bytes = 0;
  };
  for (std::size_t begin = 0; begin < seqs.size() && total < kBodiesAnAnswer;
       begin += kReadAtOnce) {
    const std::size_t count = std::min(kReadAtOnce, seqs.size() - begin);
    batch.clear();
    RZ_TRY(context_->journal.read(std::span(seqs).subspan(begin, count), batch));
    for (std::size_t i = 0; i < batch.size() && total < kBodiesAnAnswer; ++i) {
      const ByteView signature = batch[i].signature();
      const bool is_signed =
          std::any_of(signature.begin(), signature.end(), [](char c) { return c != 0; });
      bodies.bodies.push_back({batch[i].claims(), is_signed ? signature : ByteView()});
      bytes += batch[i].claims().size() + signature.size();
      total += batch[i].claims().size() + signature.size();
      if (bytes >= kBodiesAFrame) flush();
    }
    flush();
  }
  if (answer.replies.empty()) answer.replies.push_back(encode(Bodies{}));
  return {};
}

void Responder::send(const std::shared_ptr<Answer>& answer) {
  while (answer->next < answer->replies.size() && !context_->stopped) {
    const std::string& body = answer->replies[answer->next];
    const std::size_t size = body.size();
    const Status sent =
        context_->links.offer(answer->asked, wire::Kind::kReconcile, wire::Lane::kCatchUp, body,
                              answer->next + 1 == answer->replies.size(), answer->give_up_ns,
                              [self = shared_from_this(), answer] {
                                if (!self->context_->stopped) self->send(answer);
                              });
    if (sent.code() == Code::kWouldBlock) return;  // another worker may be at it already
    if (!sent.ok()) break;                         // the asker is gone or too slow: it asks again
    answer->bytes += size;
    ++answer->next;
  }
  finish(answer);
}

void Responder::finish(const std::shared_ptr<Answer>& answer) {
  if (context_->stopped) return;
  context_->counters.sent_bytes += answer->bytes;
  answer->replies.clear();
  context_->links.strand().post([self = shared_from_this(), answer] {
    if (self->context_->stopped) return;
    self->large_ -= answer->is_large ? 1 : 0;
    const auto found = self->served_.find(answer->asked.link);
    if (found == self->served_.end()) return;
    Served& served = found->second;
    served.busy = false;
    // Time is charged like bytes: in the long run a peer has a quarter of a core.
    served.credit -= static_cast<double>(answer->bytes) +
                     static_cast<double>(answer->spent_ns) / 1e9 * 4 *
                         static_cast<double>(self->context_->options.credit_per_second);
    served.set = answer->in_sync ? nullptr : answer->set;
    served.ranges = answer->ranges;
    served.salt = answer->salt;
    self->trim();
    if (answer->in_sync) self->hears_.in_sync(answer->asked.link);
  });
}

void Responder::heartbeat() {
  const std::uint64_t now = context_->links.executor().monotonic_ns();
  // By then its credit is whole again: it is forgotten with its debt paid.
  std::erase_if(served_, [now](const auto& entry) {
    return !entry.second.busy && now - entry.second.used_ns > kForgetNs;
  });
}

// Whose session was quiet longest begins anew when it comes back.
void Responder::trim() {
  std::vector<Served*> kept;
  for (auto& [link, served] : served_)
    if (!served.busy && (served.set != nullptr || served.ranges != nullptr))
      kept.push_back(&served);
  if (kept.size() <= context_->options.max_served) return;
  (*std::min_element(kept.begin(), kept.end(), [](const Served* a, const Served* b) {
    return a->used_ns < b->used_ns;
  }))->forget();
}

}  // namespace rhizome::sync
