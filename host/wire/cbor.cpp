// The reader's one loop: a canonical head, and what it announces.
#include "wire/cbor.hpp"

namespace rhizome::wire {

std::uint64_t Reader::head(std::uint8_t major) {
  if (!ok_ || rest_.empty()) {
    ok_ = false;
    return 0;
  }
  const auto first = static_cast<std::uint8_t>(rest_[0]);
  const std::uint8_t info = first & 31;
  if (first >> 5 != major || info > 27) {
    ok_ = false;
    return 0;
  }
  rest_.remove_prefix(1);
  if (info < 24) return info;
  const std::size_t size = std::size_t{1} << (info - 24);
  if (rest_.size() < size) {
    ok_ = false;
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
  rest_.remove_prefix(size);
  // Only the shortest form is canonical.
  const std::uint64_t least = info == 24 ? 24 : std::uint64_t{1} << (4 * size);
  if (value < least) ok_ = false;
  return ok_ ? value : 0;
}

ByteView Reader::take(std::uint8_t major) {
  const std::uint64_t size = head(major);
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    return {};
  }
  const ByteView found = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return found;
}

}  // namespace rhizome::wire
