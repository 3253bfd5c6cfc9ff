// What answers a fetch: consecutive numbers of one (origin, epoch), packed. Ids are not sent where
// they follow from the bodies, nor heads where they follow from ids: the receiver recomputes both
// and checks the origin's signatures. docs/protocol.md specifies it. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/messages.hpp"

namespace rhizome::wire {

// Some of a statement's bodies, in the order of its numbers. One that the sender does not hold has
// empty claims and, in the signature's place, the 32 bytes of its id.
struct Run {
  std::uint64_t count = 0;  // ids of the whole statement
  ByteView signature;       // the origin's, 64 bytes
  std::vector<Body> bodies;
};

// Every run but the last reaches the end of its statement, and every run but the first begins at
// its beginning.
struct Pack {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t from = 0;   // the number at which the first run's statement begins
  Hash256 previous_head{};  // before that number
  std::uint64_t first = 0;  // index, in that statement, of the first body
  std::vector<Run> runs;

  std::uint64_t number() const { return from + first; }  // of the first body
};
std::string encode(const Pack& pack);
Result<Pack> decode_pack(ByteView body);

inline constexpr std::size_t kWithheldSize = 32;
// The id of a body that the sender does not hold. REQUIRES: its claims are empty.
DeltaId withheld_id(const Body& body);

// The end of a fetch: the number to ask for next, behind all that was sent.
std::string encode_fetched(std::uint64_t next);
Result<std::uint64_t> decode_fetched(ByteView body);

}  // namespace rhizome::wire
