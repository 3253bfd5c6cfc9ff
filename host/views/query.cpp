// One loop over runs of deltas, whether they come from an index or from a scan.
#include "views/query.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr std::size_t kRun = 512;

bool points_at(DeltaView delta, const DeltaQuery& query) {
  if (!query.entity && !query.context) return true;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (query.entity && !(p.is_entity() && p.target() == *query.entity)) continue;
    if (query.context && p.context() != *query.context) continue;
    return true;
  }
  return false;
}

Status over_budget(std::uint64_t deltas, Seq first, Seq last) {
  return {Code::kLimit, "the filter met its budget of steps or memory on " +
                            std::to_string(deltas) + " of the deltas " + std::to_string(first) +
                            " to " + std::to_string(last) + "; ask for less with a simpler rule"};
}

}  // namespace

QueryCursor::QueryCursor(const Journal& journal, DeltaQuery query)
    : journal_(journal), query_(std::move(query)) {
  end_.last = query_.after;
}

// From the entity's index, or from the journal where no entity is given.
Status QueryCursor::read(Run& run) {
  if (!query_.entity) return journal_.scan(end_.last + 1, kRun, run.deltas, run.seqs);
  if (!indexed_) {
    const std::optional<ByteView> context =
        query_.context ? std::optional<ByteView>(*query_.context) : std::nullopt;
    RZ_TRY(journal_.by_entity(*query_.entity, context, places_));
    next_ = static_cast<std::size_t>(
        std::upper_bound(places_.begin(), places_.end(), query_.after) - places_.begin());
    indexed_ = true;
  }
  const std::size_t count = std::min(kRun, places_.size() - next_);
  const auto first = places_.begin() + static_cast<std::ptrdiff_t>(next_);
  run.seqs.assign(first, first + static_cast<std::ptrdiff_t>(count));
  next_ += count;
  return journal_.read(run.seqs, run.deltas);
}

Status QueryCursor::match(const Run& run, std::vector<std::size_t>& rows) {
  std::vector<const rz_delta*> blocks;
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < run.deltas.size(); ++i) {
    if (!points_at(run.deltas[i], query_)) continue;
    if (query_.author && run.deltas[i].author() != *query_.author) continue;
    blocks.push_back(run.deltas.block(i));
    candidates.push_back(i);
  }
  std::vector<std::uint64_t> bitmap((blocks.size() + 63) / 64, ~std::uint64_t{0});
  if (query_.filter != nullptr) {
    rz_filter_counts counts{};
    RZ_TRY(query_.filter->match(blocks, bitmap, counts));
    end_.errors += counts.failed;
    if (counts.stopped != 0) return over_budget(counts.stopped, run.seqs.front(), run.seqs.back());
  }
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if ((bitmap[i / 64] >> (i % 64) & 1) != 0) rows.push_back(candidates[i]);
  return {};
}

Result<bool> QueryCursor::next(Run& run) {
  run = {};
  if (over_) return false;
  RZ_TRY(read(run));
  if (run.seqs.empty()) {
    over_ = true;
    return false;
  }
  end_.examined += run.deltas.size();
  RZ_TRY(match(run, run.rows));
  if (run.rows.size() > query_.limit - end_.matched) {
    run.rows.resize(static_cast<std::size_t>(query_.limit - end_.matched));
    over_ = end_.more = true;
  }
  end_.matched += run.rows.size();
  if (!over_)
    end_.last = run.seqs.back();
  else if (!run.rows.empty())
    end_.last = run.seqs[run.rows.back()];
  return true;
}

}  // namespace rhizome
