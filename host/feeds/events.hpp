// Where in the journal a delta becomes an event, and for whose filters. An event stands at the
// delta that completes it: a member of a transaction at the last one of its members, a delta
// without a signature of its own at the manifest that covers it, a negation of something delivered
// where both are held. That place is a function of the journal up to it alone, so that a reader who
// comes again with a cursor meets the same events in the same order. Owned by the publisher, under
// its lock.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "feeds/filters.hpp"
#include "journal/journal.hpp"

namespace rhizome::feeds {

class Events {
 public:
  // Which filters match each of these deltas.
  using Match =
      std::function<void(std::span<const rz_delta* const> deltas, std::vector<FilterSet>& sets)>;
  // One delta and whose event it is. `because`: the delta that their filters match: itself, or what
  // it takes back.
  struct Standing {
    Seq delta = 0;
    Seq because = 0;
    FilterSet filters;
  };

  explicit Events(const Journal& journal) : journal_(journal) {}

  // Appends what stands at `seq`, in the order of its delivery. `delta` is the one at `seq`, and
  // `matched` the filters that match it.
  Status at(Seq seq, DeltaView delta, const FilterSet& matched, const Match& match,
            std::vector<Standing>& out);
  // The signed manifest up to `as_of` that covers a delta which carries no signature; 0: there is
  // none.
  Result<Seq> evidence(DeltaView delta, Seq as_of);
  // The places, ascending, at which these deltas and all that takes them back may be events.
  Status places_of(std::span<const Seq> deltas, std::vector<Seq>& places);
  // The members of the transactions that a delta is part of, and their manifests: what its event
  // hangs on.
  Status companions(DeltaView delta, std::vector<Seq>& out);
  // What it takes back, as far as it is held.
  Status targets(DeltaView delta, std::vector<Seq>& out) const;

 private:
  struct Manifest {
    std::string author;
    bool covers = false;  // signed by its author, verified
    std::unordered_set<DeltaId> members, missing;
    Seq newest = 0;  // of itself and the members that are held
    bool possible = true;
    std::uint64_t used = 0;
    Seq complete() const { return possible && missing.empty() ? newest : 0; }
  };
  // What one manifest means for one of its members.
  struct Listed {
    Seq manifest = 0;
    Seq complete = 0;  // 0: not yet
    bool own = false;  // by the member's author: it hides the member until it is complete
    bool covers = false;
  };
  struct Relation;

  Result<Manifest*> manifest(Seq seq);
  Status listed(Seq seq, DeltaView delta, std::vector<Listed>& out);
  Result<Seq> stands_at(Seq seq, DeltaView delta);
  Status candidates_at(Seq seq, DeltaView delta, const std::vector<Listed>& lists,
                       std::vector<Seq>& out);
  Status relate(DeltaView delta, Seq as_of, const Match& match, FilterSet& filters, Seq& because);
  Status emit(Seq at, Seq seq, DeltaView delta, FilterSet filters, Seq because, const Match& match,
              std::vector<Standing>& out);

  const Journal& journal_;
  std::map<Seq, Manifest> manifests_;  // at most kManifests, the last used ones
  std::uint64_t uses_ = 0;
};

// Whether a delta carries a signature of its own.
bool is_signed(DeltaView delta);
bool is_manifest(DeltaView delta);

}  // namespace rhizome::feeds
