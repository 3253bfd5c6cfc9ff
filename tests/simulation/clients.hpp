// What applications do in a trial, through the API of the nodes: confirmed writes, reads with
// tokens, reads of confirmed deltas. Each answer is compared with what the nodes really hold at
// that moment. The test's thread.
//
// Held by a node: its journal has it, or had it when the node ended, or before its disk was wiped:
// a receipt is about what its sender held when it sent it.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "api/api.hpp"
#include "simulation/ledger.hpp"

namespace rhizome::simulation {

class Clients {
 public:
  Clients(Network& network, Ledger& ledger) : network_(network), ledger_(ledger) {}

  // A signed roster of all nodes, made known to the first one. The nodes must take rosters of
  // `authority()` (Network::authority).
  static const SigningKey& authority();
  void share_roster();

  // Writes a delta under `entity` and waits for `need` of the voters; empty: for none.
  void write(std::size_t node, const std::string& entity, const std::string& value,
             const std::string& need);
  // Reads the entity of an earlier write, with that write's token.
  void read_with_token(std::size_t node, std::size_t which);
  // Reads all that `need` of the voters hold.
  void read_confirmed(std::size_t node, const std::string& need);

  // Before a node ends, before its disk is wiped (it has ended), and once it runs again.
  void ends(std::size_t node);
  void wiped(std::size_t node);
  void started(std::size_t node);

  // The first answer that was untrue; empty: none was.
  const std::string& problem() const { return problem_; }

  struct Counts {
    std::uint64_t confirmed = 0, unconfirmed = 0;    // writes that were answered
    std::uint64_t token_reads = 0, provisional = 0;  // reads with a token; that did not have it
    std::uint64_t confirmed_rows = 0;                // of reads of confirmed deltas
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Token {
    std::string token, entity;
    DeltaId id;
  };
  struct Read {
    std::size_t node = 0;
    std::shared_ptr<api::RowStream> stream;
    std::optional<Token> token;       // of a read with one
    std::size_t need = 0;             // of a read of confirmed deltas
    std::unordered_set<DeltaId> ids;  // that came
  };
  using Ids = std::unordered_set<DeltaId>;

  void check(std::size_t node, const api::WriteResult& result);
  void begin(std::size_t node, api::QueryRequest request, Read read);
  void drain(Read* read);
  void check(const Read& read, const api::RowBatch& last);
  bool held(std::size_t node, const DeltaId& id) const;
  std::size_t node_named(const std::string& name) const;
  void fail(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
  }

  Network& network_;
  Ledger& ledger_;
  std::vector<Token> tokens_;
  std::list<Read> reads_;                           // under way
  std::vector<Ids> promised_, away_, before_wipe_;  // by node
  Counts counts_;
  std::string problem_;
};

}  // namespace rhizome::simulation
