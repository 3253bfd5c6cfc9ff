// Packing consecutive numbers.
#include "fabric/packs.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr std::size_t kNumbersAhead = 4096;  // looked up at a time
constexpr std::size_t kBodiesAtOnce = 64;    // read at a time, where they are small

// Deltas at consecutive seqs lie side by side: one cursor reads them.
std::size_t consecutive(const std::vector<Seq>& seqs, std::size_t begin, std::size_t most) {
  std::size_t end = begin + 1;
  while (end < seqs.size() && end - begin < most && seqs[end] == seqs[end - 1] + 1) ++end;
  return end - begin;
}

}  // namespace

Status PackReader::refill() {
  if (next_ > wanted_.to) return {};
  const auto limit =
      static_cast<std::size_t>(std::min<std::uint64_t>(kNumbersAhead, wanted_.to - next_ + 1));
  std::vector<Numbers> found;
  RZ_TRY(journal_.numbers(wanted_.origin, wanted_.epoch, next_, limit, found));
  for (Numbers& numbers : found) ahead_.push_back({std::move(numbers), 0, 0});
  return {};
}

// Bodies into the run, until the statement's end or until `bytes` reaches `most`.
Status PackReader::take(Ahead& ahead, std::size_t most, wire::Run& run, std::size_t& bytes) {
  const Numbers& numbers = ahead.numbers;
  while (!ahead.done() && (bytes < most || bytes == 0)) {
    if (numbers.seqs[ahead.taken] == 0) {
      run.bodies.push_back({{}, numbers.holes[ahead.holes_taken].raw().substr(2)});
      bytes += wire::kWithheldSize;
      ++ahead.taken, ++ahead.holes_taken, ++next_;
      continue;
    }
    const std::size_t count = consecutive(numbers.seqs, ahead.taken, at_once_);
    DeltaBatch& batch = batches_.emplace_back();
    std::vector<Seq> seqs;
    RZ_TRY(journal_.scan(numbers.seqs[ahead.taken], count, batch, seqs));
    if (seqs.size() != count || seqs.back() != numbers.seqs[ahead.taken + count - 1])
      return {Code::kCorrupt, "journal: deltas of a statement are missing"};
    for (std::size_t i = 0; i < count && (bytes < most || bytes == 0); ++i) {
      run.bodies.push_back(body_of(batch[i], expression_));
      bytes += run.bodies.back().claims.size() + run.bodies.back().signature.size();
      ++ahead.taken, ++next_;
    }
    // Memory stays at about two packs whatever the deltas' sizes.
    const std::size_t mean = run.bodies.empty() ? 1 : 1 + bytes / run.bodies.size();
    at_once_ = std::clamp<std::size_t>(kPackBytes / mean, 1, kBodiesAtOnce);
  }
  return {};
}

Result<std::string> PackReader::pack(std::size_t most) {
  batches_.clear();
  while (!ahead_.empty() && ahead_.front().done()) ahead_.pop_front();
  if (ahead_.empty()) RZ_TRY(refill());
  if (ahead_.empty()) return std::string();
  wire::Pack pack;
  pack.origin = wanted_.origin;
  pack.epoch = wanted_.epoch;
  pack.from = ahead_.front().numbers.from;
  pack.previous_head = ahead_.front().numbers.previous_head;
  pack.first = ahead_.front().numbers.first + ahead_.front().taken;
  std::size_t bytes = 0;
  for (std::size_t at = 0; bytes < std::min(most, kPackBytes); ++at) {
    if (at == ahead_.size()) RZ_TRY(refill());
    if (at == ahead_.size()) break;
    Ahead& ahead = ahead_[at];
    // A look-up may have ended inside a statement, which then goes on in the next one.
    const bool goes_on = at != 0 && ahead_[at - 1].numbers.from == ahead.numbers.from;
    wire::Run& run = goes_on ? pack.runs.back() : pack.runs.emplace_back();
    run.count = ahead.numbers.count;
    run.signature = view(ahead.numbers.signature.data(), ahead.numbers.signature.size());
    RZ_TRY(take(ahead, std::min(most, kPackBytes), run, bytes));
  }
  return wire::encode(pack);
}

}  // namespace rhizome
