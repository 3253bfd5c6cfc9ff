// Origins that numbered twice: a node that was wiped and whose clock stands where its first life
// began, a disk that was wound back, two nodes under one key. Peers whose heads differ show each
// other what the origin signed; who sees a contradiction marks the epoch and tells all its peers,
// until the origin itself hears of it, begins a new epoch and numbers again what is void. Only what
// the origin signed counts: a position is its sender's word, and costs one message a link and
// epoch. A service of the fabric: all of it runs on the fabric's strand but what is marked.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "fabric/ingest.hpp"
#include "links/links.hpp"

namespace rhizome {

class Forks final : public Service, public std::enable_shared_from_this<Forks> {
 public:
  using Epoch = std::pair<NodeKey, std::uint64_t>;  // origin, epoch

  // The references outlive it.
  Forks(Links& links, Journal& journal, std::shared_ptr<Ingest> ingest);

  // Once: what an earlier run knew and did not finish.
  void start();
  // This peer's head is not ours: it is shown what ours was signed with, once.
  void suspect(const LinkKey& link, const Epoch& key);
  // A statement of this peer's overlaps ours: it is shown ours, and again where ours has changed.
  // True where it has seen ours already and would have proved a fork if there were one, or takes no
  // part in such exchanges.
  bool overlapped(const LinkKey& link, const Epoch& key);
  // The journal marked this epoch as forked.
  void found(const Epoch& key);

  std::string_view provides() const override { return "forks"; }
  bool takes(wire::Kind kind) const override { return kind == wire::Kind::kFork; }
  void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) override;
  void greeted(const LinkedPeer& peer) override;
  void gone(const LinkKey& link) override { peers_.erase(link); }
  void heartbeat() override;
  void stop() override { stopped_ = true; }  // [any]

 private:
  struct Told {
    std::size_t heads = 0;   // how many of it
    std::uint64_t last = 0;  // where we stood then
  };
  struct Peer {
    std::set<Epoch> due;
    std::map<Epoch, Told> told;
    std::map<Epoch, std::uint64_t> asked_at;  // numbers of which it is shown our statement too
    bool under_way = false;
  };
  void owe(const LinkKey& link, const Epoch& key, std::size_t heads);
  void tell(const LinkKey& link);
  std::vector<SignedHead> heads_of(const Epoch& key) const;
  std::optional<SignedHead> head_over(const Epoch& key, std::uint64_t number) const;
  std::uint64_t last_of(const Epoch& key) const;
  bool is_news(const SignedHead& head) const;
  void show_ours(const LinkKey& link, const SignedHead& theirs);
  void renumber();
  void renumber_some();  // on a strand of its own

  Links& links_;
  Journal& journal_;
  const SigningKey& key_;
  const std::shared_ptr<Ingest> ingest_;
  const std::shared_ptr<Strand> strand_;
  std::map<LinkKey, Peer> peers_;
  std::set<Epoch> forked_;
  std::size_t judging_ = 0;               // heads that wait for ingest
  std::atomic<bool> renumbering_{false};  // a task of it is under way
  std::atomic<bool> void_labels_{false};  // perhaps there are some of ours
  std::atomic<bool> stopped_{false};
};

}  // namespace rhizome
