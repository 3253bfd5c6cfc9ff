// Labels: which node numbered which delta. A node numbers what comes in by its own door, 1, 2, 3
// ... within an epoch, and signs each run of numbers as a statement, chained by its head, so that
// nobody can give one number to two deltas unseen. Statements are stored and relayed word for word.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhizome/delta/id.hpp"
#include "rhizome/delta/signature.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// The node that numbers: its Ed25519 node key.
using NodeKey = PublicKey;

// One number of one origin. n counts from 1 within the epoch.
struct Label {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t n = 0;
  auto operator<=>(const Label&) const = default;
};

inline constexpr std::size_t kStatementMaxIds = 4096;
inline constexpr std::uint64_t kMaxEpoch = 0xffffffff;
inline constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 48) - 1;

// A signed run of labels: (origin, epoch, from .. from + ids.size() - 1) are these deltas.
// head_n = BLAKE3(head_{n-1} | n as 8 bytes big-endian | the 34 id bytes); the head before n = 1 of
// an epoch is 32 zero bytes. The signature is the origin's over kStatementDomain | canonical CBOR
// of [origin, epoch, from, count, previous_head, head].
struct Statement {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t from = 0;
  std::vector<DeltaId> ids;
  Hash256 previous_head{};
  Hash256 head{};
  Signature signature{};

  std::uint64_t last() const { return from + ids.size() - 1; }
};
inline constexpr ByteView kStatementDomain = "rhizome.labels.v1";

// What of a statement its signature covers. Without the ids it still proves which head its origin
// signed, and so that it numbered twice.
struct SignedHead {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t from = 0, count = 0;
  Hash256 previous_head{};
  Hash256 head{};
  Signature signature{};

  std::uint64_t last() const { return from + count - 1; }
};
SignedHead signed_head(const Statement& statement);
// kCorrupt where a field is out of bounds or the signature is not its origin's.
Status check_signed_head(const SignedHead& head);

Hash256 next_head(const Hash256& previous, std::uint64_t n, const DeltaId& id);
// Numbers `ids` and signs them.
Statement make_statement(const SigningKey& origin, std::uint64_t epoch, std::uint64_t from,
                         const Hash256& previous_head, std::vector<DeltaId> ids);
// Recomputes the chain and checks the signature: kCorrupt with what is wrong.
Status check_statement(const Statement& statement);

}  // namespace rhizome
