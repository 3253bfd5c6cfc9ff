// For tests alone: a consumer that writes down what its feed brings, and deltas with stories.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "feeds/service.hpp"
#include "simulation/network.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::feeds_testing {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

// Matches deltas whose pointer "value" has a text with `part` in it.
inline std::string says(const std::string& part) {
  return R"({"some":[{"var":"pointers"},{"and":[{"===":[{"var":"role"},"value"]},{"in":[")" + part +
         R"(",{"var":"target"}]}]}]})";
}

inline std::string text_of(DeltaView delta) {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    if (delta[i].role() == "value") return std::string(delta[i].target());
    if (delta[i].role() == "negates") return "negation";
    if (delta[i].role() == kMemberRole) return "manifest";
  }
  return "?";
}

struct Consumer {
  std::shared_ptr<feeds::Feed> feed;
  std::vector<std::string> texts, ids;
  std::vector<feeds::Batch::Dropped> dropped;
  std::uint64_t refused = 0, batches = 0;
  bool live = false, by_labels = false;
  std::optional<feeds::Cursor> cursor;
  std::optional<Status> ended;

  static feeds::Subscribe wanted(const std::string& rule) {
    feeds::Subscribe subscribe;
    subscribe.rule = rule;
    return subscribe;
  }
  void open(simulation::Node& at, const std::optional<NodeKey>& publisher,
            const feeds::Subscribe& subscribe) {
    ended.reset();
    feed = std::make_shared<feeds::Feed>(subscribe);
    EXPECT_TRUE(at.services().feeds->open(feed, publisher).ok());
  }
  // Goes on where it was, as another process of its application would with the token.
  void resume(simulation::Node& at, const NodeKey& publisher, feeds::Subscribe subscribe) {
    const auto read = feeds::from_token(feeds::to_token(*cursor));
    ASSERT_TRUE(read.ok()) << read.status().to_string();
    EXPECT_EQ(*read, *cursor);
    subscribe.start = feeds::Start::kCursor;
    subscribe.cursor = *read;
    open(at, publisher, subscribe);
  }
  void drain() {
    while (auto batch = feed->take()) {
      ++batches;
      for (std::size_t i = 0; i < batch->deltas.size(); ++i) {
        texts.push_back(text_of(batch->deltas[i]));
        ids.push_back(to_hex(batch->deltas[i].id()));
      }
      dropped.insert(dropped.end(), batch->dropped.begin(), batch->dropped.end());
      refused += batch->refused;
      live = batch->live;
      by_labels = by_labels || batch->by_labels;
      if (batch->cursor.next.seq > 1 || batch->ended == std::nullopt) cursor = batch->cursor;
      if (batch->ended) ended = batch->ended;
    }
  }
};

// Runs the network in steps, so that consumers take as they go.
inline void run(simulation::Network& network, std::uint64_t ns,
                std::initializer_list<Consumer*> consumers) {
  for (std::uint64_t done = 0; done < ns; done += kSecond / 20) {
    network.run_for(kSecond / 20);
    for (Consumer* consumer : consumers) consumer->drain();
  }
}

// A delta of a node's own author; not signed where a manifest will speak for it.
struct Told {
  std::string claims, signature;
  DeltaId id;
};
inline Told tell(simulation::Node& node, double timestamp, const std::vector<Pointer>& pointers,
                 bool with_signature = true) {
  Told told;
  EXPECT_TRUE(encode_claims(node.signing_key().author(), timestamp, pointers, told.claims).ok());
  told.id = DeltaId::of_claims(told.claims);
  const Signature signature = node.signing_key().sign(told.id.raw());
  if (with_signature) told.signature = view(signature.data(), signature.size());
  return told;
}
inline Told say(simulation::Node& node, double timestamp, const std::string& text,
                bool with_signature = true) {
  return tell(node, timestamp, {{"about", EntityRef{"story", "said"}}, {"value", ByteView(text)}},
              with_signature);
}
inline Told negate(simulation::Node& node, double timestamp, const DeltaId& target) {
  const std::string hex = target.hex();
  return tell(node, timestamp, {{"negates", DeltaRef{hex}}});
}
inline Told manifest(simulation::Node& node, double timestamp, const std::vector<Told>& members) {
  std::vector<std::string> ids;
  for (const Told& member : members) ids.push_back(member.id.hex());
  std::vector<Pointer> pointers;
  for (const std::string& id : ids) pointers.push_back({kMemberRole, DeltaRef{id}});
  return tell(node, timestamp, pointers);
}
inline std::size_t admit(simulation::Node& node, const std::vector<Told>& deltas) {
  std::vector<Arrival> arrivals;
  for (const Told& delta : deltas) arrivals.push_back({delta.claims, delta.signature});
  Batch batch;
  batch.arrivals = arrivals;
  batch.number_as = &node.signing_key();
  const Result<Admitted> admitted = node.admission().admit(batch);
  EXPECT_TRUE(admitted.ok());
  return admitted.ok() ? admitted->added : 0;
}

}  // namespace rhizome::feeds_testing
