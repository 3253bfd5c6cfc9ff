// Answering fetches: each peer within a bucket of bytes, peers in turn, a few at a time, and never
// more of an answer in memory than one pack. Runs on the fabric's strand; packs are made on the
// executor's workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "fabric/deliveries.hpp"
#include "journal/journal.hpp"
#include "links/links.hpp"
#include "wire/messages.hpp"

namespace rhizome {

struct ServingOptions {
  std::uint64_t bytes_per_s = 64u << 20;  // to one peer, in the long run
  std::uint64_t burst_bytes = 16u << 20;  // and at once
  std::size_t at_once = 2;                // answers in the making
  std::size_t queue = 16;                 // of one peer's fetches; more are refused
  Expression expression;                  // as of the fabric
};

class Serving : public std::enable_shared_from_this<Serving> {
 public:
  Serving(Links& links, Journal& journal, ServingOptions options)
      : links_(links), journal_(journal), options_(options) {}

  void fetch(const Asked& asked, const wire::Fetch& wanted, std::uint64_t deadline_ms);
  void gone(const LinkKey& link);
  // Drops the accounts of peers that left and owe nothing.
  void forget();
  std::uint64_t served_bytes(const LinkKey& link) const;
  void stop() { stopped_ = true; }  // any thread

 private:
  struct Waiting {
    Asked asked;
    wire::Fetch wanted;
    std::uint64_t until_ns;  // nobody waits for its answer any more
  };
  struct Peer {
    std::deque<Waiting> queue;
    double credit = 0;  // bytes that it may still have now; what it had beyond counts against it
    std::uint64_t refilled_ns = 0;
    bool serving = false;
    std::uint64_t served = 0;
  };
  struct Answer;
  void pump();
  bool may_serve(Peer& peer, std::uint64_t now, std::uint64_t& wait_ns);
  void served(const LinkKey& link, std::size_t bytes);

  Links& links_;
  Journal& journal_;
  const ServingOptions options_;
  std::atomic<bool> stopped_{false};
  std::map<LinkKey, Peer> peers_;
  LinkKey last_{};  // whose turn it was
  std::size_t running_ = 0;
  bool timer_ = false;
};

}  // namespace rhizome
