// What may go to peers as Negentropy sees it: the journal's index of ids, in its order, with a sum
// kept for every 256 of them, so that a million ids take 200 KiB. Built for one session, under its
// salt: whoever wants two ranges to look alike would have to know it beforehand. One thread.
#pragma once

#include <memory>
#include <vector>

#include "journal/journal.hpp"
#include "sync/messages.hpp"
#include "sync/negentropy.hpp"

namespace rhizome::sync {

// Items have timestamp 0; their ids are the first 20 bytes of a delta's hash (what the store tells
// ids apart by) and 12 zeros. What is committed after it was built is not in it; where an unsigned
// delta is vouched for meanwhile, items behind it in its 256 shift, which costs another session.
class IndexRanges final : public negentropy::Storage {
 public:
  static constexpr std::size_t kIdBytes = 20;
  // Reads all ids: about half a second a million.
  static Result<std::unique_ptr<IndexRanges>> build(const Journal& journal, const Salt& salt);

  std::size_t size() const override { return size_; }
  Status items(std::size_t begin, std::size_t end,
               std::vector<negentropy::Item>& out) const override;
  Result<std::size_t> lower_bound(std::size_t begin, std::size_t end,
                                  const negentropy::Bound& bound) const override;
  Result<negentropy::Fingerprint> fingerprint(std::size_t begin, std::size_t end) const override;

 private:
  IndexRanges(const Journal& journal, const Salt& salt)
      : journal_(journal), salt_(salt), as_of_(journal.last()) {}
  struct Mark {
    negentropy::Id first{};    // of the 256
    negentropy::Sum before{};  // of all items before it
  };
  // Items from index `begin` on, until `take` answers false.
  Status visit(std::size_t begin, const std::function<bool(const negentropy::Id&)>& take) const;
  Result<negentropy::Sum> sum_before(std::size_t index) const;
  negentropy::Id salted(const negentropy::Id& id) const;

  const Journal& journal_;
  const Salt salt_;
  const Seq as_of_;
  std::size_t size_ = 0;
  std::vector<Mark> marks_;
  negentropy::Sum total_;
  // The last sum that was asked for: ranges are mostly asked for one behind the other.
  mutable std::size_t last_index_ = 0;
  mutable negentropy::Sum last_sum_;
};

}  // namespace rhizome::sync
