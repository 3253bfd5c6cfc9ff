// For tests alone: a book over a memory store's journal, and holders that say what a test wants.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extent/book.hpp"
#include "journal/testing.hpp"

namespace rhizome::extent_testing {

using testing_support::key_of;
using testing_support::must;

class StillClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() const override { return ms * 1'000'000; }
  std::uint64_t wall_ms() const override { return ms; }
  std::uint64_t ms = 1'800'000'000'000;
};

// A node's journal and book. Peers are keys 1, 2, ...; the node itself is key 99.
struct Desk {
  explicit Desk(std::size_t peers, ExtentOptions given = {}) : options(std::move(given)) {
    options.self.key = self.public_key();
    options.self.name = "self";
    for (std::size_t i = 1; i <= peers; ++i) {
      if (options.peers.size() < i) options.peers.emplace_back();
      options.peers[i - 1].key = key_of(static_cast<std::uint8_t>(i)).public_key();
      options.peers[i - 1].name = "p" + std::to_string(i);
    }
    Journal::Options how;
    how.self = self.public_key();
    how.wall_ms = [this] { return clock.wall_ms(); };
    journal = must(Journal::open(
        must(use::Store::open(testing_support::store_table("memory"), nullptr, "{}", "")), how));
    book = std::make_unique<ExtentBook>(options, *journal, clock);
  }

  // A delta of this node's own door; its label.
  Label write(use::Durability durability = use::Durability::kSynced) {
    const testing_support::Made made =
        testing_support::say(self, "e", "p", static_cast<double>(++written));
    DeltaBatch batch;
    testing_support::add_to(batch, made);
    Append append;
    append.as_of = journal->last();
    append.deltas = {batch[0]};
    append.number_as = &self;
    append.number = {made.id};
    append.durability = durability;
    const Appended appended = must(journal->append(append));
    book->committed(appended.numbered);
    return {self.public_key(), appended.numbered[0].epoch, appended.numbered[0].last()};
  }
  // What an honest peer says that holds everything of this node up to n.
  Receipt receipt(std::uint8_t peer, std::uint64_t n, ReceiptNumber number = {1, 1}) {
    Receipt receipt;
    receipt.number = number;
    receipt.synced = true;
    HeldLabels held{self.public_key(), journal->epoch(), n, {}, {{1, n}}};
    if (const auto head = must(journal->head_at(held.origin, held.epoch, n))) held.head = *head;
    receipt.held.push_back(std::move(held));
    sign(receipt, key_of(peer));
    return receipt;
  }
  Taken take(const Receipt& receipt) {
    return must(book->take(encode(receipt), [](const NodeKey&) { return true; })).taken;
  }
  Extent extent(const Label& label) {
    ExtentSnapshot snapshot(*book);
    return snapshot.of({&label, 1});
  }

  StillClock clock;
  const SigningKey self = key_of(99);
  ExtentOptions options;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<ExtentBook> book;
  std::uint64_t written = 0;
};

}  // namespace rhizome::extent_testing
