// What a subscription brings, counted as it comes; and deltas of an author that is no node, to be
// admitted at one. For tests/bench alone.
#pragma once

#include "bench_node.hpp"

namespace rhizome::bench {

// A consumer of one of a node's feeds: on the node's own journal, or at a peer.
class Consumer {
 public:
  Consumer(BenchNode& at, const std::optional<NodeKey>& publisher, const std::string& rule) {
    feeds::Subscribe wanted;
    wanted.rule = rule;
    wanted.start = feeds::Start::kNow;
    feed_ = std::make_shared<feeds::Feed>(wanted);
    feed_->on_news([this] { take(); });
    must(at.services().feeds->open(feed_, publisher));
    while (!live_) sleep_ms(1);
  }
  ~Consumer() { feed_->close(); }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  std::uint64_t came() const { return came_.load(std::memory_order_acquire); }
  void wait_for(std::uint64_t at_least) const {
    for (std::uint64_t now = came(); now < at_least; now = came()) came_.wait(now);
  }

 private:
  void take() {
    while (auto batch = feed_->take()) {
      if (batch->ended) std::abort();  // no honest feed ends in a bench
      if (batch->live) live_ = true;
      came_.fetch_add(batch->deltas.size(), std::memory_order_release);
      came_.notify_all();
    }
  }

  std::shared_ptr<feeds::Feed> feed_;
  std::atomic<bool> live_{false};
  std::atomic<std::uint64_t> came_{0};
};

// Deltas of some 300 bytes, their signatures among them; never the same twice.
class Author {
 public:
  explicit Author(std::uint8_t number) : key_(testing_support::key_of(number)) {}

  const PublicKey& key() const { return key_.public_key(); }
  // What matches all of them.
  std::string rule() const {
    return R"({"===":[{"var":"author"},")" + std::string(key_.author()) + "\"]}";
  }
  struct Made {
    std::vector<std::string> claims;
    std::vector<Signature> signatures;  // fewer than claims: the others are not signed
    std::size_t bytes = 0;
  };
  Made signed_singly(std::size_t count) {
    Made made;
    for (std::size_t i = 0; i < count; ++i) add(made, {}, true);
    return made;
  }
  // The manifest first, then its members.
  Made under_a_manifest(std::size_t members) {
    Made bodies, made;
    for (std::size_t i = 0; i < members; ++i) add(bodies, {}, false);
    std::vector<std::string> ids;
    for (const std::string& claims : bodies.claims) ids.push_back(DeltaId::of_claims(claims).hex());
    std::vector<Pointer> pointers;
    for (const std::string& id : ids) pointers.push_back({kMemberRole, DeltaRef{id}});
    add(made, pointers, true);
    made.claims.insert(made.claims.end(), bodies.claims.begin(), bodies.claims.end());
    made.bytes += bodies.bytes;
    return made;
  }
  // By the local door, in one batch, signatures checked.
  static void admit(BenchNode& at, const Made& made, std::size_t from, std::size_t to) {
    std::vector<Arrival> arrivals;
    for (std::size_t i = from; i < to; ++i) {
      const bool is_signed = i < made.signatures.size();
      arrivals.push_back({made.claims[i], is_signed ? view(made.signatures[i].data(), 64) : ""});
    }
    Batch batch;
    batch.arrivals = arrivals;
    batch.number_as = &at.key();
    if (must(at.admission().admit(batch)).added != arrivals.size()) std::abort();
  }

 private:
  void add(Made& made, std::vector<Pointer> pointers, bool is_signed) {
    const std::string entity = "bench:entity:" + std::to_string(++written_ / 4);
    const std::string text =
        "a value of a usual length, with some more words to it so that it is "
        "as long as those of other rows: number " +
        std::to_string(written_);
    if (pointers.empty())
      pointers = {{"of", EntityRef{entity, "population"}}, {"value", ByteView(text)}};
    std::string& claims = made.claims.emplace_back();
    must(encode_claims(key_.author(), static_cast<double>(written_), pointers, claims));
    made.bytes += claims.size();
    if (!is_signed) return;
    made.signatures.push_back(key_.sign(DeltaId::of_claims(claims).raw()));
    made.bytes += 64;
  }

  const SigningKey key_;
  std::uint64_t written_ = 0;
};

// From a node's door to a consumer, batch by batch, so many under way. Deltas a second.
inline double through(BenchNode& door, const Consumer& consumer,
                      const std::vector<Author::Made>& made, std::size_t batch,
                      std::uint64_t under_way) {
  std::uint64_t given = consumer.came();
  const std::uint64_t before = given;
  const auto start = Steady::now();
  for (const Author::Made& some : made)
    for (std::size_t from = 0; from < some.claims.size(); from += batch) {
      const std::size_t to = std::min(from + batch, some.claims.size());
      Author::admit(door, some, from, to);
      given += to - from;
      if (given > under_way) consumer.wait_for(given - under_way);
    }
  consumer.wait_for(given);
  return static_cast<double>(given - before) * 1e6 / us_since(start);
}

}  // namespace rhizome::bench
