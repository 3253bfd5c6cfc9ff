// Catching up by label ranges: asking a peer for the numbers that we lack, and answering such asks.
#include <algorithm>

#include "fabric/core.hpp"
#include "fabric/deliveries.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kRefusedPauseNs = 2000 * kMillisecond;
constexpr std::size_t kMaxFetchBytes = 4u << 20;  // a peer may not ask for more at once
constexpr std::uint64_t kReplyRetryNs = 2 * kMillisecond;
// So few lost numbers are asked for by themselves, and again after so many heartbeats.
constexpr std::uint64_t kFewNumbers = 64;
constexpr std::uint64_t kFewHeartbeats = 3;

// One fetch: replies are admitted as they come; it ends when the last is admitted.
struct FetchRun {
  std::size_t admitting = 0;
  bool ended = false;
  bool progressed = false;
};

}  // namespace

std::uint64_t Fabric::Core::held(const EpochKey& key) const {
  const auto position = journal_.origin(key.first, key.second);
  return position ? position->last : 0;
}

void Fabric::Core::maybe_fetch(const EpochKey& key) {
  Progress& progress = progress_[key];
  if (progress.fetching || fetches_ >= options_.max_fetches || stopped_) return;
  const auto position = journal_.origin(key.first, key.second);
  if (position && position->forked) return;
  const std::uint64_t mine = reached(key);
  const std::uint64_t now = executor_.monotonic_ns();
  Member* best = nullptr;
  for (const auto& [link, known] : progress.known) {
    Member* member = member_of(link);
    if (known <= mine || member == nullptr || !member->status.up || !member->greeted) continue;
    const auto paused = progress.refused_until_ns.find(link);
    if (paused != progress.refused_until_ns.end() && paused->second > now) continue;
    if (best == nullptr || member->fetches < best->fetches ||
        (member->fetches == best->fetches && executor_.random() % 2 == 0))
      best = member;
  }
  if (best != nullptr) fetch(key, *best, mine + 1);
}

void Fabric::Core::fetch(const EpochKey& key, Member& from, std::uint64_t first) {
  Progress& progress = progress_[key];
  progress.fetching = true;
  ++fetches_;
  ++from.fetches;
  ++counters_.fetches;
  // Missing bodies are taken as holes only where no other peer could have them.
  const bool take_withheld =
      std::none_of(progress.known.begin(), progress.known.end(), [&](const auto& entry) {
        const Member* other = member_of(entry.first);
        return entry.first != from.link && entry.second >= first && other != nullptr &&
               other->status.up;
      });
  auto run = std::make_shared<FetchRun>();
  const auto finish = [this, key, link = from.link, run] {
    if (run->ended && run->admitting == 0) end_fetch(key, link, run->progressed);
  };
  // A few lost numbers come alone, not with what was received live behind them and waits.
  const std::uint64_t lost = gap(key);
  const bool few = lost != 0 && lost <= kFewNumbers;
  const std::string body =
      wire::encode(wire::Fetch{key.first, key.second, first, few ? 1 : options_.fetch_bytes});
  send(
      from, wire::Kind::kFetch, wire::Lane::kCatchUp, body,
      [this, link = from.link, run, finish, take_withheld](
          Code code, const std::shared_ptr<std::string>& bytes, const wire::Frame& frame,
          bool last) {
        run->ended = run->ended || last;
        if (code == Code::kOk && frame.kind == wire::Kind::kFetchReply) {
          auto incoming = std::make_unique<Incoming>();
          incoming->from = frame.sender;
          incoming->take_withheld = take_withheld;
          // `frame` borrows from `bytes`: its body is found again in the copy that is kept.
          const std::size_t offset = static_cast<std::size_t>(frame.body.data() - bytes->data());
          const std::size_t size = frame.body.size();
          incoming->bytes = std::move(*bytes);
          auto delivery = wire::decode_delivery(ByteView(incoming->bytes).substr(offset, size));
          if (delivery.ok()) {
            incoming->delivery = std::move(*delivery);
            count_payload(incoming->delivery);
            ++run->admitting;
            incoming->done = [self = shared_from_this(), run, finish, link](Ingested verdict,
                                                                            std::size_t added) {
              self->strand_->post([self, run, finish, link, verdict, added] {
                --run->admitting;
                run->progressed = run->progressed || verdict == Ingested::kAdmitted ||
                                  verdict == Ingested::kDuplicate;
                if (verdict == Ingested::kForked) ++self->counters_.forks;
                if (Member* member = self->member_of(link)) member->status.fetched += added;
                finish();
              });
            };
            // What was asked for is taken whatever the queue holds: its bound is what we asked.
            ingest_->push(std::move(incoming), true);
          } else {
            ++counters_.refused_frames;
          }
        }
        finish();
      },
      few ? options_.heartbeat_ms * kFewHeartbeats : 0);
}

void Fabric::Core::end_fetch(const EpochKey& key, const LinkKey& link, bool progressed) {
  Progress& progress = progress_[key];
  progress.fetching = false;
  --fetches_;
  if (Member* member = member_of(link)) --member->fetches;
  if (!progressed) {
    ++counters_.failed_fetches;
    progress.refused_until_ns[link] = executor_.monotonic_ns() + kRefusedPauseNs;
  }
  maybe_fetch(key);
  // A place became free: others may have waited for it.
  for (const auto& [other, waiting] : progress_) {
    if (fetches_ >= options_.max_fetches) break;
    maybe_fetch(other);
  }
}

namespace {

// Sends frames of one fetch, the last one marked, waiting a little where the asker reads slowly.
struct ReplySender : std::enable_shared_from_this<ReplySender> {
  use::Transport* transport;
  Executor* executor;
  std::uint64_t request;
  std::uint64_t give_up_ns;
  std::vector<std::string> frames;
  std::size_t next = 0;

  void run() {
    while (next < frames.size()) {
      const Status sent = transport->reply(request, frames[next], next + 1 == frames.size());
      if (sent.code() == Code::kWouldBlock && executor->monotonic_ns() < give_up_ns) {
        executor->post_after(kReplyRetryNs, [self = shared_from_this()] { self->run(); });
        return;
      }
      if (!sent.ok()) return;  // the asker is gone or too slow; it asks again
      ++next;
    }
  }
};

}  // namespace

void Fabric::Core::serve_fetch(const LinkKey& link, std::uint64_t request,
                               const wire::Fetch& wanted) {
  ++counters_.served_fetches;
  const NodeKey asker = member_of(link)->status.key;
  executor_.post([self = shared_from_this(), request, wanted, asker] {
    if (self->stopped_) return;
    auto sender = std::make_shared<ReplySender>();
    sender->transport = self->transport_;
    sender->executor = &self->executor_;
    sender->request = request;
    sender->give_up_ns =
        self->executor_.monotonic_ns() + self->options_.request_deadline_ms * kMillisecond;
    const std::size_t budget = std::min<std::size_t>(wanted.max_bytes, kMaxFetchBytes);
    std::size_t bytes = 0;
    std::vector<Statement> statements;
    Status status = self->journal_.statements(wanted.origin, wanted.epoch, wanted.from,
                                              kStatementMaxIds, statements);
    for (const Statement& statement : statements) {
      // Whole statements only, and at least one, or the asker would make no progress.
      if (!status.ok() || (bytes != 0 && bytes >= budget)) break;
      status = for_each_delivery(self->journal_, statement, 0, [&](const wire::Delivery& delivery) {
        sender->frames.push_back(self->seal(wire::Kind::kFetchReply, wire::Lane::kCatchUp,
                                            wire::encode(delivery), &asker));
        bytes += sender->frames.back().size();
        return true;
      });
    }
    sender->frames.push_back(
        status.ok()
            ? self->seal(wire::Kind::kAck, wire::Lane::kCatchUp, {}, &asker)
            : self->seal(wire::Kind::kError, wire::Lane::kCatchUp,
                         wire::encode(wire::Error{status.code(), status.message()}), &asker));
    sender->run();
  });
}

}  // namespace rhizome
