// Sums over the index of ids: a mark every 256 items, the rest read again where it is needed.
#include "sync/index_ranges.hpp"

#include <algorithm>

namespace rhizome::sync {

using negentropy::Bound;
using negentropy::Fingerprint;
using negentropy::Id;
using negentropy::Item;
using negentropy::Sum;

namespace {

constexpr std::size_t kEvery = 256;

Id id_of(ByteView id20) {
  Id id{};
  std::memcpy(id.data(), id20.data(), IndexRanges::kIdBytes);
  return id;
}

}  // namespace

Id IndexRanges::salted(const Id& id) const {
  return blake3(view(salt_.data(), salt_.size()), view(id.data(), kIdBytes), {});
}

Result<std::unique_ptr<IndexRanges>> IndexRanges::build(const Journal& journal, const Salt& salt) {
  std::unique_ptr<IndexRanges> built(new IndexRanges(journal, salt));
  IndexRanges& ranges = *built;
  RZ_TRY(journal.each_shareable({}, [&ranges](ByteView id20, Seq seq) {
    if (seq > ranges.as_of_) return true;
    const Id id = id_of(id20);
    if (ranges.size_ % kEvery == 0) ranges.marks_.push_back({id, ranges.total_});
    ranges.total_.add(ranges.salted(id));
    ++ranges.size_;
    return true;
  }));
  return built;
}

Status IndexRanges::visit(std::size_t begin, const std::function<bool(const Id&)>& take) const {
  if (begin >= size_) return {};
  const Mark& mark = marks_[begin / kEvery];
  std::size_t index = begin / kEvery * kEvery;
  return journal_.each_shareable(view(mark.first.data(), kIdBytes), [&](ByteView id20, Seq seq) {
    if (seq > as_of_) return true;
    return index++ < begin || take(id_of(id20));
  });
}

Status IndexRanges::items(std::size_t begin, std::size_t end, std::vector<Item>& out) const {
  if (begin == end) return {};
  std::size_t left = end - begin;
  return visit(begin, [&](const Id& id) {
    out.push_back({0, id});
    return --left > 0;
  });
}

Result<std::size_t> IndexRanges::lower_bound(std::size_t begin, std::size_t end,
                                             const Bound& bound) const {
  if (begin == end || bound.item.timestamp != 0) return end;
  const Id& wanted = bound.item.id;
  const auto behind =
      std::upper_bound(marks_.begin(), marks_.end(), wanted,
                       [](const Id& id, const Mark& mark) { return id < mark.first; });
  if (behind == marks_.begin()) return begin;
  std::size_t index = static_cast<std::size_t>(behind - marks_.begin() - 1) * kEvery;
  if (index >= end) return end;
  RZ_TRY(visit(index, [&](const Id& id) {
    if (index >= end || id >= wanted) return false;
    ++index;
    return true;
  }));
  return std::clamp(index, begin, end);
}

Result<Sum> IndexRanges::sum_before(std::size_t index) const {
  if (index == last_index_) return last_sum_;
  Sum sum = total_;
  if (index < size_) {
    sum = marks_[index / kEvery].before;
    std::size_t left = index % kEvery;
    if (left > 0)
      RZ_TRY(visit(index - left, [&](const Id& id) {
        sum.add(salted(id));
        return --left > 0;
      }));
  }
  last_index_ = index;
  last_sum_ = sum;
  return sum;
}

Result<Fingerprint> IndexRanges::fingerprint(std::size_t begin, std::size_t end) const {
  const Result<Sum> before = sum_before(begin);
  if (!before.ok()) return before.status();
  Result<Sum> sum = sum_before(end);
  if (!sum.ok()) return sum.status();
  sum->subtract(*before);
  return sum->fingerprint(end - begin);
}

}  // namespace rhizome::sync
