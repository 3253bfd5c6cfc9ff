// Does a delta count? Negations and incomplete transactions take it out of views. Any thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/delta/flat.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {

// Answers for the deltas of one view. A delta does not count where a negation that itself counts
// takes it back, and where its author's transaction is not complete here. A negation counts when it
// is by the target's own author; chains go to any depth (a negated negation restores). A manifest
// hides only its own author's members. Remembers which manifests are complete, so that a view over
// many members of one transaction looks at it once. One thread, one view: what comes later is not
// seen.
class Visibility {
 public:
  explicit Visibility(const Journal& journal) : journal_(journal) {}
  Result<bool> is_visible(DeltaView delta);
  // The keys that vouch for the delta: of verified manifests by others than its author that list
  // it, ascending, at most kMaxVouchers.
  static constexpr std::size_t kMaxVouchers = 16;
  Result<std::vector<PublicKey>> vouchers(DeltaView delta);

 private:
  Result<bool> is_complete(const DeltaId& id, ByteView author);
  Status look_at(Seq manifest);

  const Journal& journal_;
  struct Manifest {
    std::string author;
    std::unordered_set<DeltaId> members;
    bool complete = false;
    std::optional<PublicKey> key;  // its author's, where the manifest is verified
  };
  std::unordered_map<Seq, Manifest> manifests_;
};

}  // namespace rhizome
