// Whose fetch is answered next, and the answers themselves.
#include "fabric/serving.hpp"

#include <algorithm>

#include "fabric/packs.hpp"

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr double kNsPerSecond = 1e9;
constexpr std::size_t kMaxFetchBytes = 4u << 20;  // a peer may not ask for more at once

}  // namespace

// One fetch on its way out: a pack is made when the one before it has left.
struct Serving::Answer : std::enable_shared_from_this<Answer> {
  Answer(std::shared_ptr<Serving> by, Waiting given)
      : serving(std::move(by)),
        waiting(given),
        reader(serving->journal_, waiting.wanted, serving->options_.expression),
        budget(std::min<std::uint64_t>(waiting.wanted.max_bytes, kMaxFetchBytes)) {}

  void run() {
    while (!serving->stopped_ && !over) {
      if (!ready) prepare();
      const Status sent = serving->links_.offer(waiting.asked, kind, wire::Lane::kCatchUp, body,
                                                kind != wire::Kind::kFetchReply, waiting.until_ns,
                                                [self = shared_from_this()] { self->run(); });
      // From here on another worker may run it.
      if (sent.code() == Code::kWouldBlock) return give_up_place();
      over = !sent.ok() || kind != wire::Kind::kFetchReply;  // the asker is gone, or has it all
      if (sent.ok()) bytes += body.size();
      ready = false;
    }
    finish();
  }

  // The next frame.
  void prepare() {
    ready = true;
    kind = wire::Kind::kFetchReply;
    if (bytes < budget) {
      Result<std::string> pack = reader.pack(budget - bytes);
      if (!pack.ok()) {
        kind = wire::Kind::kError;
        body = wire::encode(wire::Error{pack.code(), pack.status().message()});
        return;
      }
      body = std::move(*pack);
      if (!body.empty()) return;
    }
    kind = wire::Kind::kAck;
    body = wire::encode_fetched(reader.next());
  }

  // Whoever reads slowly keeps nobody else waiting.
  void give_up_place() {
    if (serving->stopped_ || !has_place.exchange(false)) return;
    serving->links_.strand().post([by = serving] {
      --by->running_;
      by->pump();
    });
  }

  void finish() {
    if (serving->stopped_) return;
    give_up_place();
    serving->links_.strand().post(
        [by = serving, link = waiting.asked.link, sent = bytes] { by->served(link, sent); });
  }

  const std::shared_ptr<Serving> serving;
  const Waiting waiting;
  PackReader reader;
  const std::size_t budget;
  wire::Kind kind{};
  std::string body;
  std::size_t bytes = 0;
  bool ready = false, over = false;
  std::atomic<bool> has_place{true};
};

void Serving::fetch(const Asked& asked, const wire::Fetch& wanted, std::uint64_t deadline_ms) {
  Peer& peer = peers_[asked.link];
  if (peer.queue.size() >= options_.queue)
    return links_.refuse(asked, Code::kWouldBlock, "too many of your fetches wait already");
  const std::uint64_t now = links_.executor().monotonic_ns();
  if (peer.refilled_ns == 0) {
    peer.refilled_ns = now;
    peer.credit = static_cast<double>(options_.burst_bytes);
  }
  peer.queue.push_back({asked, wanted, now + deadline_ms * kMillisecond});
  pump();
}

void Serving::gone(const LinkKey& link) {
  const auto found = peers_.find(link);
  if (found != peers_.end()) found->second.queue.clear();  // what it used up stays on its account
}

void Serving::forget() {
  const std::uint64_t now = links_.executor().monotonic_ns();
  std::erase_if(peers_, [&](const auto& entry) {
    const Peer& peer = entry.second;
    const double refilled =
        static_cast<double>(now - peer.refilled_ns) * static_cast<double>(options_.bytes_per_s);
    return links_.peer(entry.first) == nullptr && peer.queue.empty() && !peer.serving &&
           peer.credit + refilled / kNsPerSecond >= static_cast<double>(options_.burst_bytes);
  });
}

std::uint64_t Serving::served_bytes(const LinkKey& link) const {
  const auto found = peers_.find(link);
  return found == peers_.end() ? 0 : found->second.served;
}

bool Serving::may_serve(Peer& peer, std::uint64_t now, std::uint64_t& wait_ns) {
  while (!peer.queue.empty() && peer.queue.front().until_ns < now) peer.queue.pop_front();
  if (peer.serving || peer.queue.empty()) return false;
  const double rate = static_cast<double>(options_.bytes_per_s);
  peer.credit =
      std::min(static_cast<double>(options_.burst_bytes),
               peer.credit + static_cast<double>(now - peer.refilled_ns) * rate / kNsPerSecond);
  peer.refilled_ns = now;
  if (peer.credit > 0) return true;
  wait_ns = std::min(wait_ns, static_cast<std::uint64_t>((1 - peer.credit) / rate * kNsPerSecond));
  return false;
}

// Peers in turn, from the one behind whoever was served last.
void Serving::pump() {
  if (stopped_) return;
  const std::uint64_t now = links_.executor().monotonic_ns();
  std::uint64_t wait_ns = UINT64_MAX;
  auto turn = peers_.upper_bound(last_);
  for (std::size_t looked = 0; looked < peers_.size() && running_ < options_.at_once; ++looked) {
    if (turn == peers_.end()) turn = peers_.begin();
    Peer& peer = turn->second;
    if (may_serve(peer, now, wait_ns)) {
      last_ = turn->first;
      peer.serving = true;
      ++running_;
      auto answer = std::make_shared<Answer>(shared_from_this(), peer.queue.front());
      peer.queue.pop_front();
      links_.executor().post([answer] { answer->run(); });
    }
    ++turn;
  }
  if (wait_ns == UINT64_MAX || timer_) return;
  timer_ = true;
  links_.strand().post_after(std::max(wait_ns, kMillisecond), [self = shared_from_this()] {
    self->timer_ = false;
    self->pump();
  });
}

void Serving::served(const LinkKey& link, std::size_t bytes) {
  Peer& peer = peers_[link];
  peer.serving = false;
  peer.credit -= static_cast<double>(bytes);
  peer.served += bytes;
  pump();
}

}  // namespace rhizome
