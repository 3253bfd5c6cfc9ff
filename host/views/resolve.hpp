// All properties of one entity through a resolver in one call: the candidates as the ABI has them,
// with the inputs that the resolver reads and no others. Private to host/views; one view, one
// thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "rhizome/use/resolver.hpp"
#include "views/entity.hpp"
#include "views/visible.hpp"

namespace rhizome {

class ResolverInput {
 public:
  // All of it is borrowed. `annotator` may be null: extents and confidences are then zero.
  ResolverInput(const use::Resolver& resolver, Visibility& visibility, Annotator* annotator)
      : resolver_(resolver), visibility_(visibility), annotator_(annotator) {}

  // Adds a property; `deltas[i]` is the delta of candidates[i]. `entity` and `property` are
  // borrowed until the answer has come.
  Status add(ByteView entity, const Property& property, const std::vector<DeltaView>& deltas);
  // One resolution per added property, in the order in which they were added.
  Result<std::vector<use::Resolution>> resolve() const { return resolver_.resolve(properties_); }

 private:
  Status add_identities(DeltaView delta, const Candidate& candidate, rz_candidate& out);
  Status add_annotation(const Candidate& candidate, rz_candidate& out);

  const use::Resolver& resolver_;
  Visibility& visibility_;
  Annotator* annotator_;
  std::vector<rz_property> properties_;
  // Deques: what is added stays where it is.
  std::deque<std::vector<rz_candidate>> candidates_;
  std::deque<std::vector<rz_identity>> identities_;
  std::deque<std::vector<PublicKey>> keys_;
};

}  // namespace rhizome
