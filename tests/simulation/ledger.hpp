// What a simulated run has promised: which deltas were acknowledged, and whose loss a wipe excuses.
// At the end it looks through the journals. The test's thread.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "simulation/network.hpp"

namespace rhizome::simulation {

// Every delta of a journal, in its order.
template <typename Each>
Status for_each_delta(Journal& journal, Each&& each) {
  Seq from = 1;
  while (true) {
    DeltaBatch batch;
    std::vector<Seq> seqs;
    RZ_TRY(journal.scan(from, 256, batch, seqs));
    if (seqs.empty()) return {};
    for (std::size_t i = 0; i < seqs.size(); ++i) each(seqs[i], batch[i]);
    from = seqs.back() + 1;
  }
}

class Ledger {
 public:
  explicit Ledger(Network& network) : network_(network) {}

  void acknowledged(const DeltaId& id) { acknowledged_.insert(id); }
  // Before a node ends: what its disk holds while it is away.
  void ends(std::size_t node);
  // Before its disk is wiped (it has ended): what nobody else holds is gone and excused.
  void wiped(std::size_t node);

  // The first promise that is broken; empty: none is. REQUIRES: all nodes run.
  std::string broken_promise();
  std::size_t count() const { return acknowledged_.size(); }
  std::size_t excused() const { return excused_.size(); }

 private:
  using Ids = std::unordered_set<DeltaId>;
  Ids held_by(std::size_t node);

  Network& network_;
  Ids acknowledged_, excused_;
  std::vector<Ids> away_;  // by node: what was on its disk when it ended
};

// Looks through one journal: every delta once, each verified or covered, its figures true. Empty:
// so it is.
std::string fault_of(Journal& journal);
// Every node numbers in an epoch that no fork made void and no other one closed, all others hold
// what it numbered there, and what it numbered in a void one has another label. Empty: so it is.
// REQUIRES: all nodes run.
std::string fault_of_labels(Network& network);

}  // namespace rhizome::simulation
