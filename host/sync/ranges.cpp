// Bounds, sums and the sorted vector of Negentropy.
#include <sodium.h>

#include <algorithm>

#include "sync/negentropy.hpp"
#include "sync/varint.hpp"

namespace rhizome::negentropy {

namespace {

constexpr std::size_t kEvery = 256;  // items between two kept sums

std::uint64_t little_endian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

Bound bound_between(const Item& before, const Item& after) {
  Bound bound{{after.timestamp, {}}, 0};
  if (before.timestamp != after.timestamp) return bound;
  const auto differs = std::mismatch(before.id.begin(), before.id.end(), after.id.begin()).second;
  bound.size = std::min(kIdSize, static_cast<std::size_t>(differs - after.id.begin()) + 1);
  std::copy_n(after.id.begin(), bound.size, bound.item.id.begin());
  return bound;
}

void Sum::add(const Id& id) {
  Sum other;
  for (std::size_t i = 0; i < 4; ++i) other.words_[i] = little_endian(id.data() + 8 * i);
  add(other);
}

void Sum::add(const Sum& other) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t with_carry = words_[i] + carry;
    const std::uint64_t sum = with_carry + other.words_[i];
    carry = (with_carry < carry ? 1 : 0) + (sum < with_carry ? 1 : 0);
    words_[i] = sum;
  }
}

void Sum::subtract(const Sum& other) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t with_borrow = words_[i] - borrow;
    const std::uint64_t difference = with_borrow - other.words_[i];
    borrow = (with_borrow > words_[i] ? 1 : 0) + (difference > with_borrow ? 1 : 0);
    words_[i] = difference;
  }
}

Fingerprint Sum::fingerprint(std::uint64_t count) const {
  std::string bytes;
  for (const std::uint64_t word : words_)
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(word >> (8 * i)));
  put_varint(count, bytes);
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), as_u8(bytes), bytes.size());
  Fingerprint fingerprint{};
  std::copy_n(hash.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

Status VectorStorage::seal() {
  std::sort(items_.begin(), items_.end());
  if (std::adjacent_find(items_.begin(), items_.end()) != items_.end())
    return {Code::kInvalid, "negentropy: an item is there twice"};
  if (!items_.empty() && items_.back().timestamp == kInfinity)
    return {Code::kInvalid, "negentropy: an item has the infinite timestamp"};
  sums_.assign(1, {});
  Sum sum;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    sum.add(items_[i].id);
    if ((i + 1) % kEvery == 0) sums_.push_back(sum);
  }
  return {};
}

Status VectorStorage::items(std::size_t begin, std::size_t end, std::vector<Item>& out) const {
  out.insert(out.end(), items_.begin() + static_cast<std::ptrdiff_t>(begin),
             items_.begin() + static_cast<std::ptrdiff_t>(end));
  return {};
}

Result<std::size_t> VectorStorage::lower_bound(std::size_t begin, std::size_t end,
                                               const Bound& bound) const {
  const auto first = items_.begin();
  return static_cast<std::size_t>(std::lower_bound(first + static_cast<std::ptrdiff_t>(begin),
                                                   first + static_cast<std::ptrdiff_t>(end),
                                                   bound.item) -
                                  first);
}

Sum VectorStorage::sum_before(std::size_t index) const {
  Sum sum = sums_[index / kEvery];
  for (std::size_t i = index / kEvery * kEvery; i < index; ++i) sum.add(items_[i].id);
  return sum;
}

Result<Fingerprint> VectorStorage::fingerprint(std::size_t begin, std::size_t end) const {
  Sum sum = sum_before(end);
  sum.subtract(sum_before(begin));
  return sum.fingerprint(end - begin);
}

}  // namespace rhizome::negentropy
