// Subscriptions as a part of the fabric: the publisher answers peers' subscribe, tail and query,
// and this node's consumers open feeds here, on its own journal or at a peer.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "feeds/feed.hpp"
#include "feeds/follower.hpp"
#include "feeds/publisher.hpp"
#include "links/links.hpp"

namespace rhizome {

class FeedService final : public Service, public std::enable_shared_from_this<FeedService> {
 public:
  // `language`: of JSON-Logic; none where no such plugin is loaded: then every
  // subscription is refused. The references outlive the executor's last task.
  static Result<std::shared_ptr<FeedService>> make(Links& links, Journal& journal,
                                                   const use::FilterLanguage& language,
                                                   const feeds::PublisherOptions& options = {});

  // Begins a feed on this node's own journal, or at a peer, which need not be there yet. Any
  // thread. kClosed where the service was stopped.
  Status open(const std::shared_ptr<feeds::Feed>& feed, const std::optional<NodeKey>& peer);
  feeds::Publisher& publisher() { return *publisher_; }  // any thread

  std::string_view provides() const override { return "subscribe"; }
  bool takes(wire::Kind kind) const override;
  void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) override;
  void greeted(const LinkedPeer& peer) override;
  void gone(const LinkKey& link) override;
  void heartbeat() override;
  void committed(Seq first, Seq last, std::span<const Statement> statements) override;
  void stop() override;

 private:
  FeedService(Links& links, std::shared_ptr<feeds::Publisher> publisher);
  void begin();
  void malformed(const Asked& asked, const Status& why);
  std::shared_ptr<feeds::Follower> follower_of(const NodeKey& peer);

  Links& links_;
  const std::shared_ptr<feeds::Publisher> publisher_;
  const std::shared_ptr<std::atomic<bool>> stopped_;  // also of wires that outlive the service
  std::mutex mutex_;
  std::shared_ptr<feeds::Follower> own_;                           // guarded by mutex_
  std::map<NodeKey, std::shared_ptr<feeds::Follower>> followers_;  // guarded by mutex_
  std::map<LinkKey, NodeKey> linked_;                              // on the fabric's strand
};

}  // namespace rhizome
