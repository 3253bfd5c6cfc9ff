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

}  // namespace

Result<QueryEnd> query_deltas(const Journal& journal, const DeltaQuery& query,
                              const std::function<bool(Seq, DeltaView)>& row) {
  QueryEnd end;
  end.last = query.after;
  std::vector<Seq> indexed;
  std::size_t next = 0;
  if (query.entity) {
    const std::optional<ByteView> context =
        query.context ? std::optional<ByteView>(*query.context) : std::nullopt;
    RZ_TRY(journal.by_entity(*query.entity, context, indexed));
    next = static_cast<std::size_t>(std::upper_bound(indexed.begin(), indexed.end(), query.after) -
                                    indexed.begin());
  }
  std::vector<std::uint64_t> bitmap;
  for (;;) {
    DeltaBatch batch;
    std::vector<Seq> seqs;
    if (query.entity) {
      const std::size_t count = std::min(kRun, indexed.size() - next);
      const auto first = indexed.begin() + static_cast<std::ptrdiff_t>(next);
      seqs.assign(first, first + static_cast<std::ptrdiff_t>(count));
      next += count;
      RZ_TRY(journal.read(seqs, batch));
    } else {
      RZ_TRY(journal.scan(end.last + 1, kRun, batch, seqs));
    }
    if (seqs.empty()) return end;
    std::vector<const rz_delta*> blocks;
    std::vector<Seq> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!points_at(batch[i], query)) continue;
      if (query.author && batch[i].author() != *query.author) continue;
      blocks.push_back(batch.block(i));
      places.push_back(seqs[i]);
    }
    end.examined += batch.size();
    bitmap.assign((blocks.size() + 63) / 64, ~std::uint64_t{0});
    if (query.filter != nullptr) RZ_TRY(query.filter->match(blocks, bitmap, end.errors));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if ((bitmap[i / 64] >> (i % 64) & 1) == 0) continue;
      if (end.matched == query.limit) {
        end.more = true;
        return end;
      }
      ++end.matched;
      end.last = places[i];
      if (!row(places[i], DeltaView(blocks[i]))) return end;
    }
    end.last = seqs.back();
  }
}

}  // namespace rhizome
