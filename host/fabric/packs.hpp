// From the journal to a fetch's answer: consecutive numbers as packs of bounded size. Any thread;
// one thread at a time.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "fabric/deliveries.hpp"
#include "journal/journal.hpp"
#include "wire/pack.hpp"

namespace rhizome {

// Bodies a pack, about: a second of a slow link, so that nobody takes the sender for dead.
inline constexpr std::size_t kPackBytes = 128u << 10;

class PackReader {
 public:
  PackReader(const Journal& journal, const wire::Fetch& wanted, const Expression& expression)
      : journal_(journal), wanted_(wanted), expression_(expression), next_(wanted.from) {}

  // The number behind what was packed so far.
  std::uint64_t next() const { return next_; }
  // The next pack's encoding; empty where all is packed that is wanted, held or within `most`
  // bytes (one body is packed whatever its size).
  Result<std::string> pack(std::size_t most);

 private:
  struct Ahead {
    Numbers numbers;
    std::size_t taken = 0, holes_taken = 0;  // of its seqs, of its holes
    bool done() const { return taken == numbers.seqs.size(); }
  };
  Status refill();
  Status take(Ahead& ahead, std::size_t most, wire::Run& run, std::size_t& bytes);

  const Journal& journal_;
  const wire::Fetch wanted_;
  const Expression expression_;
  std::uint64_t next_;
  std::deque<Ahead> ahead_;          // looked up, from the one in the making on
  std::size_t at_once_ = 8;          // bodies read at a time
  std::vector<DeltaBatch> batches_;  // own the bodies of the pack in the making
};

}  // namespace rhizome
