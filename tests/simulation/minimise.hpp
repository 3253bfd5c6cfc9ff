// Makes a failing plan small: leaves out events, and faults of the links, for as long as it fails
// still (delta debugging: Zeller, Hildebrandt 2002). The test's thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "simulation/trial.hpp"

namespace rhizome::simulation {

// What is left of a plan: which of its events, by their place, and whether its links are faulty.
struct Cut {
  std::vector<std::size_t> keep;
  bool plain_links = false;  // no loss, no doubles, no delay
};
Scenario cut(const Scenario& whole, const Cut& cut);
Cut everything(const Scenario& whole);

struct Minimal {
  Cut cut;
  Outcome outcome;       // of what is left
  std::size_t runs = 0;  // that it took
};
// REQUIRES: the whole fails under these options.
Minimal minimise(const Scenario& whole, const TrialOptions& options);

}  // namespace rhizome::simulation
