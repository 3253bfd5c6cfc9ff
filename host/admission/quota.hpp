// Buckets by name, filled by the clock: how many bad signatures each peer may still send, how many
// new deltas each author may still bring by way of peers. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "rhizome/bytes.hpp"

namespace rhizome {

class Quota {
 public:
  // per_second 0: no bound.
  Quota(std::uint64_t per_second, std::uint64_t burst)
      : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)) {}

  bool is_bounded() const { return per_second_ > 0; }
  bool has_left(ByteView name, std::uint64_t now_ns);
  void spend(ByteView name, std::uint64_t count);

 private:
  struct Bucket {
    double left;
    std::uint64_t filled_ns;
  };
  void forget_full(std::uint64_t now_ns);
  void fill(Bucket& bucket, std::uint64_t now_ns) const;

  const double per_second_, burst_;
  std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;  // guarded by mutex_
};

}  // namespace rhizome
