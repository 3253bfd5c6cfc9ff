// Frames to and from the publisher, and the wires of followers.
#include "feeds/service.hpp"

#include <algorithm>

#include "links/standing.hpp"
#include "wire/messages.hpp"

namespace rhizome {

using feeds::Follower;
using feeds::Publisher;
using wire::Kind;
using wire::Lane;

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kMaxWaitMs = 60'000;
constexpr std::uint64_t kDefaultWaitMs = 10'000;
constexpr ByteView kLocalSession = "local";

feeds::SessionId session_of(const LinkKey& link) {
  return std::string(view(link.data(), link.size()));
}

std::uint64_t wait_of(const wire::Frame& frame) {
  return frame.timeout_ms == 0 ? kDefaultWaitMs
                               : std::min<std::uint64_t>(frame.timeout_ms, kMaxWaitMs);
}

// Batches to a peer: reply frames of its tail or query.
class PeerOutlet final : public feeds::Outlet {
 public:
  PeerOutlet(Links& links, const Asked& asked, Kind kind, std::uint64_t wait_ms)
      : links_(links),
        asked_(asked),
        kind_(kind),
        until_ns_(links.executor().monotonic_ns() + wait_ms * kMillisecond) {}
  Status send(ByteView batch, bool last, Task again) override {
    if (!again) return links_.answer(asked_, kind_, Lane::kRequest, batch, last);
    return links_.offer(asked_, kind_, Lane::kRequest, batch, last, until_ns_, std::move(again));
  }

 private:
  Links& links_;
  const Asked asked_;
  const Kind kind_;
  const std::uint64_t until_ns_;
};

// Batches to this node's own follower, which is never slow: it grants no more than it has room for.
class OwnOutlet final : public feeds::Outlet {
 public:
  explicit OwnOutlet(feeds::Wire::Frame frame) : frame_(std::move(frame)) {}
  Status send(ByteView batch, bool last, Task) override {
    const auto bytes = std::make_shared<std::string>(batch);
    frame_(Status(), bytes, *bytes, last);
    return {};
  }

 private:
  const feeds::Wire::Frame frame_;
};

class OwnWire final : public feeds::Wire {
 public:
  explicit OwnWire(std::shared_ptr<Publisher> publisher) : publisher_(std::move(publisher)) {}
  void subscribe(const feeds::Subscribe& wanted, Answer answer) override {
    publisher_->subscribe(feeds::SessionId(kLocalSession), true, wanted, std::move(answer));
  }
  void tail(const feeds::Tail& wanted, std::uint64_t wait_ms, Frame frame) override {
    publisher_->tail(feeds::SessionId(kLocalSession), wanted, wait_ms,
                     std::make_shared<OwnOutlet>(std::move(frame)));
  }
  void query(const feeds::Query& wanted, std::uint64_t wait_ms, Frame frame) override {
    publisher_->query(
        feeds::SessionId(kLocalSession), true, wanted, wait_ms, std::make_shared<OwnOutlet>(frame),
        [frame](const Status& why) { frame(why, std::make_shared<std::string>(), {}, true); });
  }
  void blame(std::string_view) override {}

 private:
  const std::shared_ptr<Publisher> publisher_;
};

// Requests to a peer, from the fabric's strand.
class PeerWire final : public feeds::Wire {
 public:
  PeerWire(Links& links, const NodeKey& peer, std::shared_ptr<std::atomic<bool>> stopped)
      : links_(links), peer_(peer), stopped_(std::move(stopped)) {}

  void subscribe(const feeds::Subscribe& wanted, Answer answer) override {
    ask(Kind::kSubscribe, encode(wanted), 0,
        [answer = std::move(answer)](const Status& status, const std::shared_ptr<std::string>&,
                                     ByteView body, bool) {
          answer(status.ok() ? feeds::decode_subscribed(body)
                             : Result<feeds::Subscribed>(Status(status)));
        });
  }
  void tail(const feeds::Tail& wanted, std::uint64_t wait_ms, Frame frame) override {
    ask(Kind::kTail, encode(wanted), wait_ms, std::move(frame));
  }
  void query(const feeds::Query& wanted, std::uint64_t wait_ms, Frame frame) override {
    ask(Kind::kQuery, encode(wanted), wait_ms, std::move(frame));
  }
  void blame(std::string_view why) override {
    LinkKey link{};
    if (!*stopped_ && link_key_of(peer_, link.data()))
      links_.distrust(link, why, Standing::kBadFrame);
  }

 private:
  void ask(Kind kind, std::string body, std::uint64_t wait_ms, Frame frame) {
    if (*stopped_) return;
    links_.strand().post([links = &links_, peer = peer_, stopped = stopped_, kind,
                          body = std::move(body), wait_ms, frame = std::move(frame)] {
      if (*stopped) return;
      const LinkedPeer* const linked = links->peer_of(peer);
      if (linked == nullptr)
        return frame(Status(Code::kClosed, "the peer is not connected"),
                     std::make_shared<std::string>(), {}, true);
      links->ask(linked->link, kind, Lane::kRequest, body, wait_ms,
                 [kind, frame](Code code, const std::shared_ptr<std::string>& bytes,
                               const wire::Frame& reply, bool last) {
                   if (code == Code::kOk && reply.kind == kind)
                     return frame(Status(), bytes, reply.body, last);
                   frame(refusal(code, reply), bytes, {}, last);
                 });
    });
  }
  static Status refusal(Code code, const wire::Frame& reply) {
    if (code == Code::kOk)
      return {Code::kInvalid, "the peer answered with a frame of another kind"};
    if (reply.kind == Kind::kError)
      if (const auto error = wire::decode_error(reply.body); error.ok())
        return {code, "the peer: " + error->message};
    return {code, "the peer did not answer"};
  }

  Links& links_;
  const NodeKey peer_;
  const std::shared_ptr<std::atomic<bool>> stopped_;
};

}  // namespace

Result<std::shared_ptr<FeedService>> FeedService::make(Links& links, Journal& journal,
                                                       const use::FilterLanguage& language,
                                                       const feeds::PublisherOptions& options) {
  auto publisher = Publisher::make(journal, links.key().public_key(), language, links.executor(),
                                   links.log(), options);
  if (!publisher.ok()) return publisher.status();
  std::shared_ptr<FeedService> service(new FeedService(links, std::move(*publisher)));
  service->begin();
  return service;
}

FeedService::FeedService(Links& links, std::shared_ptr<Publisher> publisher)
    : links_(links),
      publisher_(std::move(publisher)),
      stopped_(std::make_shared<std::atomic<bool>>(false)) {}

void FeedService::begin() {
  own_ = std::make_shared<Follower>(links_.key().public_key(), true,
                                    std::make_unique<OwnWire>(publisher_), links_.executor(),
                                    links_.log());
  own_->linked(true);
}

std::shared_ptr<Follower> FeedService::follower_of(const NodeKey& peer) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Follower>& follower = followers_[peer];
  if (follower == nullptr) {
    follower =
        std::make_shared<Follower>(peer, false, std::make_unique<PeerWire>(links_, peer, stopped_),
                                   links_.executor(), links_.log());
    // Is it there already? Only the fabric's strand knows.
    links_.strand().post([links = &links_, peer, stopped = stopped_, follower] {
      if (!*stopped && links->peer_of(peer) != nullptr) follower->linked(true);
    });
  }
  return follower;
}

Status FeedService::open(const std::shared_ptr<feeds::Feed>& feed,
                         const std::optional<NodeKey>& peer) {
  if (*stopped_) return {Code::kClosed, "the node stops"};
  if (peer && *peer != links_.key().public_key())
    follower_of(*peer)->open(feed);
  else
    own_->open(feed);
  return {};
}

bool FeedService::takes(Kind kind) const {
  return kind == Kind::kSubscribe || kind == Kind::kTail || kind == Kind::kQuery;
}

void FeedService::malformed(const Asked& asked, const Status& why) {
  links_.distrust(asked.link, why.message(), Standing::kBadFrame);
  links_.refuse(asked, Code::kInvalid, why.message());
}

void FeedService::request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) {
  const feeds::SessionId session = session_of(peer.link);
  Links* const links = &links_;
  if (frame.kind == Kind::kSubscribe) {
    auto wanted = feeds::decode_subscribe(frame.body);
    if (!wanted.ok()) return malformed(asked, wanted.status());
    return publisher_->subscribe(
        session, false, std::move(*wanted), [links, asked](const Result<feeds::Subscribed>& made) {
          if (!made.ok()) return links->refuse(asked, made.code(), made.status().message());
          (void)links->answer(asked, Kind::kSubscribe, Lane::kRequest, encode(*made), true).ok();
        });
  }
  auto outlet = std::make_shared<PeerOutlet>(links_, asked, frame.kind, wait_of(frame));
  if (frame.kind == Kind::kTail) {
    auto wanted = feeds::decode_tail(frame.body);
    if (!wanted.ok()) return malformed(asked, wanted.status());
    return publisher_->tail(session, std::move(*wanted), wait_of(frame), std::move(outlet));
  }
  auto wanted = feeds::decode_query(frame.body);
  if (!wanted.ok()) return malformed(asked, wanted.status());
  publisher_->query(
      session, false, std::move(*wanted), wait_of(frame), std::move(outlet),
      [links, asked](const Status& why) { links->refuse(asked, why.code(), why.message()); });
}

void FeedService::greeted(const LinkedPeer& peer) {
  linked_[peer.link] = peer.key;
  const std::lock_guard lock(mutex_);
  const auto follower = followers_.find(peer.key);
  if (follower != followers_.end()) follower->second->linked(true);
}

void FeedService::gone(const LinkKey& link) {
  publisher_->gone(session_of(link));
  const auto peer = linked_.find(link);
  if (peer == linked_.end()) return;
  const std::lock_guard lock(mutex_);
  const auto follower = followers_.find(peer->second);
  if (follower != followers_.end()) follower->second->linked(false);
  linked_.erase(peer);
}

void FeedService::heartbeat() {
  publisher_->heartbeat();
  const std::lock_guard lock(mutex_);
  own_->heartbeat();
  for (const auto& [key, follower] : followers_) follower->heartbeat();
}

void FeedService::committed(Seq, Seq, std::span<const Statement>) { publisher_->committed(); }

void FeedService::stop() {
  *stopped_ = true;
  publisher_->stop();
  const std::lock_guard lock(mutex_);
  own_->stop();
  for (const auto& [key, follower] : followers_) follower->stop();
}

}  // namespace rhizome
