// Peeling: a cell that holds one id gives it away; taken out of its other cells, others follow.
#include "sync/difference.hpp"

#include <algorithm>
#include <cmath>

namespace rhizome {

namespace {

double density(std::size_t cell) { return 2.0 / (static_cast<double>(cell) + 2.0); }

// The number that is `residue` mod 256 and nearest to `expected`.
double unwrapped(std::uint8_t residue, double expected) {
  return residue + 256.0 * std::round((expected - residue) / 256.0);
}

bool is_one(std::uint8_t count) { return count == 1 || count == 255; }

}  // namespace

double estimate_difference(std::span<const std::uint8_t> counts, std::int64_t sizes) {
  const auto shift = static_cast<double>(sizes);
  const double least = std::abs(shift);
  double estimate = std::max(least, 1.0);
  // A sparse cell tells less, by how much the estimate itself says: a few turns settle it.
  for (int turn = 0; turn < 4; ++turn) {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double p = density(i + 1);
      const double off = unwrapped(counts[i], shift * p) - shift * p;
      const double weight = 1.0 / (2.0 + 1.0 / (std::max(estimate, 1.0) * p));
      sum += weight * off * off / (p * (1.0 - p));
      weights += weight;
    }
    estimate = weights > 0 ? std::max(least, sum / weights) : least;
  }
  return estimate;
}

std::size_t cells_for(double difference) {
  return static_cast<std::size_t>(
      std::ceil(1.345 * difference + std::min(1.6 * std::sqrt(difference), 45.0)));
}

std::array<std::uint8_t, kFirstCounts> first_counts(const Sketch& sketch) {
  std::array<std::uint8_t, kFirstCounts> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = sketch.cells()[i + 1].count;
  return counts;
}

std::size_t first_cells(std::span<const std::uint8_t> counts, std::int64_t sizes) {
  const auto one = static_cast<std::uint8_t>(sizes);
  const bool single = is_one(one) && std::abs(sizes) == 1 &&
                      std::all_of(counts.begin(), counts.end(),
                                  [one](std::uint8_t count) { return count == 0 || count == one; });
  if (single) return 1;
  const double estimate = std::max(2.0, estimate_difference(counts, sizes));
  // What is sent in vain is lost, what is missing is asked for with a better estimate.
  const double share = estimate < 40 ? 0.8 : 0.65;
  return std::min(static_cast<std::size_t>(share * static_cast<double>(cells_for(estimate))),
                  kKeptSketchCells);
}

std::size_t SketchDifference::next_cells(std::int64_t sizes) const {
  const double estimate = std::max(this->estimate(sizes), 2.0);
  const double error = std::sqrt(2.0 / static_cast<double>(std::max<std::size_t>(cells(), 4)));
  // Many differences leave little room for cells in vain; a few thousand leave room for certainty.
  const double margin = estimate < 40 ? 1.1 : 1.0 + (estimate < 5000 ? 2.0 : 1.0) * error;
  std::size_t wanted = cells_for(estimate * margin);
  // Where the estimate was too low: a fifth more, of many cells, which scatter less, a fortieth.
  const std::size_t more = cells() < 1000 ? std::max<std::size_t>(3, cells() / 5) : cells() / 40;
  wanted = std::max(wanted, cells() + more);
  if (wanted > ours_->cells().size()) {
    if (cells_for(estimate) > ours_->cells().size() || cells() == ours_->cells().size()) return 0;
    wanted = ours_->cells().size();
  }
  return wanted - cells();
}

Status SketchDifference::add(ByteView cells) {
  if (cells.size() % kSketchCellSize != 0)
    return {Code::kInvalid, "sketch: not a whole number of cells"};
  const std::size_t from = cells_.size(), count = cells.size() / kSketchCellSize;
  if (count > ours_->cells().size() - from)
    return {Code::kLimit, "sketch: more cells than were asked for"};
  for (std::size_t i = 0; i < count; ++i) {
    SketchCell cell = read_cell(cells.substr(i * kSketchCellSize, kSketchCellSize));
    cell.subtract(ours_->cells()[from + i]);
    counts_.push_back(cell.count);
    if (!cell.empty()) ++filled_;
    cells_.push_back(cell);
  }
  for (Found& found : found_) {
    for (; found.mapping.cell() < cells_.size(); found.mapping.advance())
      change(found.mapping.cell(), found.cell);
  }
  waits_.resize(cells_.size());
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if (i >= from || is_one(cells_[i].count)) look_at(i);
  while (!sparse_.empty() || !crowded_.empty()) {
    std::vector<std::size_t>& next = sparse_.empty() ? crowded_ : sparse_;
    const std::size_t index = next.back();
    next.pop_back();
    waits_[index] = false;
    std::uint64_t hash = 0;
    if (!is_pure(index, hash)) continue;
    // Each id empties a cell; more of them than cells come only out of a forger's.
    if (found_.size() == cells_.size())
      return {Code::kLimit, "sketch: cells that no two sets have"};
    take(index, hash);
  }
  return {};
}

bool SketchDifference::is_pure(std::size_t index, std::uint64_t& hash) const {
  const SketchCell& cell = cells_[index];
  if (!is_one(cell.count)) return false;
  hash = sketch_hash(ours_->key(), cell.id());
  if (cell.check != static_cast<std::uint16_t>(hash)) return false;
  SketchMapping mapping(hash);
  while (mapping.cell() < index) mapping.advance();
  return mapping.cell() == index;
}

void SketchDifference::take(std::size_t index, std::uint64_t hash) {
  const SketchCell cell = cells_[index];
  (cell.count == 1 ? only_theirs_ : only_ours_).push_back(cell.id());
  Found found{cell, SketchMapping(hash)};
  for (; found.mapping.cell() < cells_.size(); found.mapping.advance())
    change(found.mapping.cell(), cell);
  found_.push_back(found);
}

void SketchDifference::change(std::size_t index, const SketchCell& by) {
  SketchCell& cell = cells_[index];
  filled_ -= cell.empty() ? 0 : 1;
  cell.subtract(by);
  filled_ += cell.empty() ? 0 : 1;
  if (is_one(cell.count) && index < waits_.size()) look_at(index);
}

void SketchDifference::look_at(std::size_t index) {
  if (index >= cells_.size() / 16) return sparse_.push_back(index);
  if (!waits_[index]) crowded_.push_back(index);
  waits_[index] = true;
}

}  // namespace rhizome
