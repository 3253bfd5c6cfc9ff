// Counting: unions over labels, intersections over deltas.
#include "extent/snapshot.hpp"

#include <algorithm>

#include "extent/book.hpp"

namespace rhizome {

namespace {

bool contains(const std::vector<HeldRange>& ranges, std::uint64_t first, std::uint64_t last) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const HeldRange& range) {
    return range.first <= first && last <= range.last;
  });
}

void add(std::vector<NodeKey>& nodes, const NodeKey& node) {
  const auto place = std::lower_bound(nodes.begin(), nodes.end(), node);
  if (place == nodes.end() || *place != node) nodes.insert(place, node);
}

std::vector<NodeKey> in_both(const std::vector<NodeKey>& a, const std::vector<NodeKey>& b) {
  std::vector<NodeKey> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace

bool Extent::meets(const Need& need) const {
  return held >= need.count &&
         std::all_of(need.named.begin(), need.named.end(), [&](const NodeKey& node) {
           return std::binary_search(holders.begin(), holders.end(), node);
         });
}

ExtentSnapshot::ExtentSnapshot(ExtentBook& book) : book_(book), roster_(book.roster()) {}

const ExtentSnapshot::Epoch& ExtentSnapshot::epoch(const EpochKey& key) {
  const auto found = epochs_.find(key);
  if (found != epochs_.end()) return found->second;
  return epochs_.emplace(key, book_.describe(key, *roster_)).first->second;
}

Extent ExtentSnapshot::of_run(const EpochKey& key, std::uint64_t first, std::uint64_t last) {
  Extent extent;
  extent.voters = roster_->voters.size();
  extent.roster = roster_->version;
  const Epoch& known = epoch(key);
  if (last >= known.void_from) {
    extent.state = LabelState::kVoid;
    return extent;
  }
  for (const Cover& cover : known.covers)
    if (contains(cover.ranges, first, last))
      add(cover.voter ? extent.holders : extent.others, cover.holder);
  extent.held = extent.holders.size();
  if (extent.held == 0 && extent.others.empty() && known.closed &&
      !contains(known.claimed, first, last))
    extent.state = LabelState::kLost;
  return extent;
}

Extent ExtentSnapshot::of(std::span<const Label> labels) {
  Extent all;
  all.voters = roster_->voters.size();
  all.roster = roster_->version;
  bool first = true;
  for (const Label& label : labels) {
    const Extent one = of_run({label.origin, label.epoch}, label.n, label.n);
    for (const NodeKey& holder : one.holders) add(all.holders, holder);
    for (const NodeKey& holder : one.others) add(all.others, holder);
    // One label that may still come is enough.
    all.state = first ? one.state : std::min(all.state, one.state);
    first = false;
  }
  all.held = all.holders.size();
  return all;
}

Result<Extent> ExtentSnapshot::of(Seq seq) {
  const Result<Record> record = book_.journal_.record(seq);
  if (!record.ok()) return record.status();
  return of(record->labels);
}

Extent ExtentSnapshot::common(const Extent& a, const Extent& b) {
  Extent both = a;
  both.holders = in_both(a.holders, b.holders);
  both.others = in_both(a.others, b.others);
  both.held = both.holders.size();
  both.state = std::max(a.state, b.state);
  return both;
}

Result<Extent> ExtentSnapshot::of_all(std::span<const Seq> seqs) {
  Extent all;
  all.voters = roster_->voters.size();
  all.roster = roster_->version;
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    const Result<Extent> one = of(seqs[i]);
    if (!one.ok()) return one;
    all = i == 0 ? *one : common(all, *one);
  }
  return all;
}

double ExtentSnapshot::durability_of(const Extent& extent) const {
  std::vector<HolderOdds> odds;
  for (const auto* nodes : {&extent.holders, &extent.others}) {
    for (const NodeKey& node : *nodes) {
      const PeerJudgement& judged = book_.judge(node);
      odds.push_back({judged.domain, judged.trust * judged.survival});
    }
  }
  return durability(
      std::move(odds),
      [](const void* book, std::string_view domain) {
        return static_cast<const ExtentBook*>(book)->domain_survival(domain);
      },
      &book_);
}

Confidence ExtentSnapshot::confidence(const Extent& extent, const Record& record) const {
  const ExtentOptions& options = book_.options_;
  std::vector<NodeKey> witnesses = extent.others;
  for (const NodeKey& holder : extent.holders) add(witnesses, holder);
  if (record.source) add(witnesses, *record.source);
  std::vector<Claim> claims;
  for (const NodeKey& node : witnesses) {
    // This node's own holding says nothing to itself.
    if (node == options.self.key) continue;
    const PeerJudgement& judged = book_.judge(node);
    const bool said = record.confidence != 0 && node == record.source;
    claims.push_back({judged.domain, judged.belief,
                      said ? static_cast<double>(record.confidence) / kFullConfidence : 1.0});
  }
  const double author = record.signature_state == RZ_SIGNATURE_VERIFIED  ? options.author_signed
                        : record.signature_state == RZ_SIGNATURE_VOUCHED ? options.author_vouched
                                                                         : 0.0;
  return {durability_of(extent), belief(author, claims)};
}

Result<Confidence> ExtentSnapshot::confidence(const Extent& extent, Seq seq) const {
  const Result<Record> record = book_.journal_.record(seq);
  if (!record.ok()) return record.status();
  return confidence(extent, *record);
}

}  // namespace rhizome
