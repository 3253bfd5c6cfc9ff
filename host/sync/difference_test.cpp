// Sketches of sets of chance give back exactly their difference, in few cells; forged ones give
// back nothing that the forger did not put there, at bounded cost.
#include "sync/difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace rhizome {
namespace {

ShortId id_of_chance(std::mt19937_64& chance) {
  ShortId id;
  for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(chance());
  return id;
}

struct Sets {
  std::shared_ptr<Sketch> ours, theirs;
  std::vector<ShortId> only_ours, only_theirs;
  std::int64_t sizes = 0;
};

// Only what differs: what both have cancels out cell by cell.
Sets sets_of_chance(std::mt19937_64& chance, std::size_t difference, std::size_t cells,
                    const SketchKey& key = kSharedSketchKey) {
  Sets sets{std::make_shared<Sketch>(key, cells), std::make_shared<Sketch>(key, cells), {}, {}, 0};
  for (std::size_t i = 0; i < 20; ++i) {
    const ShortId id = id_of_chance(chance);
    sets.ours->add(id);
    sets.theirs->add(id);
  }
  const std::uint64_t bias = 1 + chance() % 3;
  for (std::size_t i = 0; i < difference; ++i) {
    const ShortId id = id_of_chance(chance);
    const bool theirs = chance() % 4 < bias;
    (theirs ? sets.theirs : sets.ours)->add(id);
    (theirs ? sets.only_theirs : sets.only_ours).push_back(id);
    sets.sizes += theirs ? 1 : -1;
  }
  std::sort(sets.only_ours.begin(), sets.only_ours.end());
  std::sort(sets.only_theirs.begin(), sets.only_theirs.end());
  return sets;
}

// As two nodes do it: a first answer from counts, then what the estimate asks for.
struct Exchange {
  SketchDifference difference;
  std::size_t round_trips = 0;
};
Exchange converse(const Sets& sets) {
  Exchange run{SketchDifference(sets.ours)};
  std::array<std::uint8_t, kFirstCounts> counts = first_counts(*sets.theirs);
  const auto ours = first_counts(*sets.ours);
  // As the other side sees it: the asker's less its own.
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = static_cast<std::uint8_t>(ours[i] - counts[i]);
  std::size_t wanted = first_cells(counts, -sets.sizes);
  while (wanted != 0 && !run.difference.complete()) {
    const std::size_t from = run.difference.cells();
    EXPECT_TRUE(run.difference.add(sets.theirs->bytes(from, from + wanted)).ok());
    ++run.round_trips;
    wanted = run.difference.next_cells(sets.sizes);
  }
  return run;
}

std::vector<ShortId> sorted(std::vector<ShortId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST(SketchDifference, IsExactlyWhatTheSetsDoNotShare) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 chance(seed);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    const std::size_t difference = chance() % (round % 10 == 0 ? 3000 : 60);
    const Sets sets = sets_of_chance(chance, difference, 8192);
    const Exchange run = converse(sets);
    ASSERT_TRUE(run.difference.complete());
    EXPECT_EQ(sorted(run.difference.only_ours()), sets.only_ours);
    EXPECT_EQ(sorted(run.difference.only_theirs()), sets.only_theirs);
  }
}

TEST(SketchDifference, ComesOutOfFewCellsInTwoRoundTripsMostly) {
  std::mt19937_64 chance(7);
  for (const std::size_t difference : {1u, 2u, 5u, 10u, 100u, 1000u, 10'000u}) {
    const std::size_t rounds = difference > 1000 ? 15 : 200;
    std::vector<double> cells, trips;
    for (std::size_t round = 0; round < rounds; ++round) {
      const Exchange run = converse(sets_of_chance(chance, difference, kKeptSketchCells));
      ASSERT_TRUE(run.difference.complete());
      cells.push_back(static_cast<double>(run.difference.cells()));
      trips.push_back(static_cast<double>(run.round_trips));
    }
    std::sort(cells.begin(), cells.end());
    std::sort(trips.begin(), trips.end());
    std::printf("%6zu differences: %.0f cells (p90 %.0f), %.0f round trips (p90 %.0f)\n",
                difference, cells[rounds / 2], cells[rounds * 9 / 10], trips[rounds / 2],
                trips[rounds * 9 / 10]);
    EXPECT_LE(trips[rounds / 2], 2);
  }
}

TEST(SketchDifference, OfEqualSetsIsEmptyAfterOneCell) {
  std::mt19937_64 chance(1);
  const Sets sets = sets_of_chance(chance, 0, 64);
  SketchDifference difference(sets.ours);
  ASSERT_TRUE(difference.add(sets.theirs->bytes(0, 1)).ok());
  EXPECT_TRUE(difference.complete());
}

// Two ids that share their cells under the shared key, as somebody may grind them: they cannot be
// told apart, whatever else differs still comes out, and under another key all of it does.
TEST(SketchDifference, GroundIdsHideOnlyThemselvesAndOnlyUnderTheKeyTheyWereGroundFor) {
  std::mt19937_64 chance(2);
  Sets sets = sets_of_chance(chance, 50, 2048);
  const ShortId twin = id_of_chance(chance);
  const SketchCell both[2] = {cell_of(twin, 77), cell_of(id_of_chance(chance), 77)};
  // What the twins add: one id's cells, twice.
  std::string bytes = sets.theirs->bytes(0, 2048);
  for (SketchMapping mapping(77); mapping.cell() < 2048; mapping.advance()) {
    SketchCell cell = read_cell(ByteView(bytes).substr(mapping.cell() * kSketchCellSize));
    cell.add(both[0]);
    cell.add(both[1]);
    std::string changed;
    append_cell(cell, changed);
    bytes.replace(mapping.cell() * kSketchCellSize, kSketchCellSize, changed);
  }
  SketchDifference difference(sets.ours);
  ASSERT_TRUE(difference.add(bytes).ok());
  EXPECT_FALSE(difference.complete());
  EXPECT_EQ(sorted(difference.only_ours()), sets.only_ours);
  EXPECT_EQ(sorted(difference.only_theirs()), sets.only_theirs);
}

TEST(SketchDifference, ForgedCellsEndInBoundedWork) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 chance(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (int round = 0; round < 200; ++round) {
    const Sets sets = sets_of_chance(chance, 20, 512);
    std::string bytes = sets.theirs->bytes(0, 512);
    // Cells that look pure, each of an id of its own: every one drags the others along.
    for (std::uint64_t n = 1 + chance() % 300; n > 0; --n) {
      const std::size_t index = chance() % 512;
      ShortId id;
      std::uint64_t hash = 0;
      do {
        id = id_of_chance(chance);
        hash = sketch_hash(kSharedSketchKey, id);
        SketchMapping mapping(hash);
        while (mapping.cell() < index) mapping.advance();
        if (mapping.cell() == index || chance() % 64 == 0) break;
      } while (true);
      SketchCell cell = cell_of(id, hash);
      cell.count = chance() % 2 == 0 ? 1 : 255;
      cell.add(sets.ours->cells()[index]);
      std::string forged;
      append_cell(cell, forged);
      bytes.replace(index * kSketchCellSize, kSketchCellSize, forged);
    }
    SketchDifference difference(sets.ours);
    const Status added = difference.add(bytes);
    EXPECT_TRUE(added.ok() || added.code() == Code::kLimit);
    EXPECT_LE(difference.only_theirs().size() + difference.only_ours().size(), 512u);
    EXPECT_EQ(SketchDifference(sets.ours).add(bytes + "x").code(), Code::kInvalid);
    EXPECT_EQ(SketchDifference(sets.ours).add(bytes + bytes).code(), Code::kLimit);
  }
}

TEST(SketchDifference, IsEstimatedFromCounts) {
  std::mt19937_64 chance(3);
  for (const std::size_t difference : {10u, 100u, 1000u, 10'000u}) {
    double worst = 0;
    for (int round = 0; round < 5; ++round) {
      const Sets sets = sets_of_chance(chance, difference, kKeptSketchCells);
      SketchDifference cells(sets.ours);
      ASSERT_TRUE(cells.add(sets.theirs->bytes(0, difference + 20)).ok());
      const double ratio = cells.estimate(sets.sizes) / static_cast<double>(difference);
      worst = std::max(worst, std::abs(ratio - 1));
    }
    EXPECT_LE(worst, 6 * std::sqrt(2.0 / static_cast<double>(difference))) << difference;
  }
}

}  // namespace
}  // namespace rhizome
