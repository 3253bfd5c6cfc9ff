// How many bad signatures each peer may still send: a bucket a peer, filled by the clock. Honest
// peers send none, so theirs stays full whatever the load. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "journal/label.hpp"

namespace rhizome {

class Quota {
 public:
  Quota(std::uint64_t per_second, std::uint64_t burst)
      : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)) {}

  bool may_check(const NodeKey& source, std::uint64_t now_ns);
  void spend(const NodeKey& source, std::uint64_t bad);

 private:
  struct Bucket {
    double left;
    std::uint64_t filled_ns;
  };
  void forget_full(std::uint64_t now_ns);
  void fill(Bucket& bucket, std::uint64_t now_ns) const;

  const double per_second_, burst_;
  std::mutex mutex_;
  std::map<NodeKey, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace rhizome
