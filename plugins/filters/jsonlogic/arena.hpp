// Memory of one evaluation: a bump allocator with a bound, over a small buffer of its owner's.
// Used by the parser and the evaluator; owned by one thread for the length of one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

namespace rhizome::jsonlogic {

// Nothing in it is ever destroyed one by one, so only trivial types live here.
class Arena {
 public:
  // `limit` bounds the bytes handed out; `buffer` (may be empty) serves the first of them.
  Arena(std::uint64_t limit, char* buffer, std::size_t size)
      : limit_(limit), next_(buffer), end_(buffer + size) {}
  explicit Arena(std::uint64_t limit) : Arena(limit, nullptr, 0) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `count` objects, uninitialised; nullptr where the limit is reached.
  template <typename T>
  T* allocate(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlign);
    return static_cast<T*>(raw(count * sizeof(T)));
  }
  std::uint64_t used() const { return used_; }
  // Forgets everything; `buffer` as in the constructor.
  void reset(char* buffer, std::size_t size, std::uint64_t limit) {
    limit_ = limit;
    reset(buffer, size);
  }
  void reset(char* buffer, std::size_t size) {
    if (used_ == 0) return;
    chunks_.clear();
    chunk_ = kFirstChunk;
    used_ = 0;
    next_ = buffer;
    end_ = buffer + size;
  }

 private:
  static constexpr std::size_t kAlign = 8;
  static constexpr std::size_t kFirstChunk = 512, kLastChunk = 16384;

  void* raw(std::size_t size) {
    size = size == 0 ? kAlign : (size + kAlign - 1) & ~(kAlign - 1);  // never nullptr for none
    if (size > limit_ - used_) return nullptr;
    if (static_cast<std::size_t>(end_ - next_) < size) {
      const std::size_t chunk = size > chunk_ ? size : chunk_;
      if (chunk_ < kLastChunk) chunk_ *= 2;
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
      next_ = chunks_.back().get();
      end_ = next_ + chunk;
    }
    used_ += size;
    char* const result = next_;
    next_ += size;
    return result;
  }

  std::uint64_t limit_, used_ = 0;
  std::size_t chunk_ = kFirstChunk;
  char* next_;
  char* end_;
  std::vector<std::unique_ptr<char[]>> chunks_;
};

}  // namespace rhizome::jsonlogic
