// What a delta has that a condition can ask for, as 64-bit hashes: its tokens, which are odd
// numbers. A hash that two texts share proposes a filter too many, never one too few. Used by the
// filter index, on its strand.
#pragma once

#include <cstring>
#include <vector>

#include "rhizome/abi/delta.h"
#include "rhizome/bytes.hpp"

namespace rhizome::matching {

using TokenHash = std::uint64_t;

enum class Path : std::uint8_t {
  kId,
  kAuthor,
  kTimestamp,
  kRole,
  kEntity,
  kContext,
  kValue,
  kReference
};

inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Keyed: who does not know the seed cannot choose texts that share a hash. The rounds are those of
// wyhash (github.com/wangyi-fudan/wyhash, public domain).
class Hasher {
 public:
  explicit Hasher(std::uint64_t seed) : seed_(mixed(seed ^ kA, kB)) {}

  TokenHash text(Path path, ByteView text) const { return hash(seed_ + of(path), text); }
  TokenHash value(TokenHash role, ByteView text) const { return hash(role ^ kA, text); }
  TokenHash value(TokenHash role, double number) const {
    const double one_zero = number == 0 ? 0 : number;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &one_zero, sizeof bits);
    return mixed(role ^ kB, bits ^ kA) | 1;
  }
  TokenHash value(TokenHash role, bool is) const { return mixed(role ^ kC, is ? kA : kB) | 1; }
  // Both tokens stand in the delta. `lead` can be had back from the pair and `second`.
  static std::uint64_t pair(TokenHash lead, TokenHash second) { return (lead ^ second * kB) | 1; }
  static TokenHash lead_of(std::uint64_t key, TokenHash second) { return pair(key, second); }

 private:
  static constexpr std::uint64_t kA = 0xa0761d6478bd642f, kB = 0xe7037ed1a0b428db,
                                 kC = 0x8ebc6af09c88c6e3;

  static std::uint64_t of(Path path) { return (static_cast<std::uint64_t>(path) + 1) * kC; }
  template <typename Number>
  static std::uint64_t read(const char* at) {
    Number number;
    std::memcpy(&number, at, sizeof number);
    return number;
  }
  static TokenHash hash(std::uint64_t seed, ByteView text) {
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t a = 0, b = 0;
    for (; left > 16; at += 16, left -= 16)
      seed = mixed(read<std::uint64_t>(at) ^ kA, read<std::uint64_t>(at + 8) ^ seed);
    if (left >= 8) {
      a = read<std::uint64_t>(at);
      b = read<std::uint64_t>(at + left - 8);
    } else if (left >= 4) {
      a = read<std::uint32_t>(at);
      b = read<std::uint32_t>(at + left - 4);
    } else if (left > 0) {
      a = static_cast<std::uint64_t>(static_cast<unsigned char>(at[0])) << 16 |
          static_cast<std::uint64_t>(static_cast<unsigned char>(at[left / 2])) << 8 |
          static_cast<unsigned char>(at[left - 1]);
    }
    return mixed(kA ^ text.size(), mixed(a ^ kA, b ^ seed)) | 1;
  }

  std::uint64_t seed_;
};

// A pointer's target as a number, under its role's token.
struct Numbered {
  TokenHash role;
  double number;
};

// The tokens of one delta; its memory is kept for the next one.
struct DeltaTokens {
  std::vector<TokenHash> tokens;  // some may stand twice
  std::vector<Numbered> numbers;
  double timestamp = 0;
  TokenHash id = 0;

  void read(const rz_delta* delta, const Hasher& hasher);
};

}  // namespace rhizome::matching
