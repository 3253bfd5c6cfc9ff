// An entity as its deltas describe it: resolved (each property collapsed to one value by a
// resolver) and lossless (each property's deltas, with their provenance). Both are values;
// views/entity_json.hpp writes them for those who want text. Pure reads of the journal; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/resolver.hpp"
#include "views/annotation.hpp"
#include "views/value.hpp"

namespace rhizome {

// A delta by its place in this node's journal and by its id, which is the same at every node.
struct DeltaPlace {
  Seq seq = 0;
  DeltaId id;
};

// What one delta claims about a property.
struct Candidate {
  DeltaPlace place;
  Value value;
  std::string author;    // as claimed
  double timestamp = 0;  // milliseconds since the Unix epoch, as claimed
  std::uint32_t signature_state = RZ_SIGNATURE_UNSIGNED;
  bool decided = false;  // one of those that decided the property's value
};

struct Property {
  std::string name;  // the context under which its deltas point at the entity
  Value value;
  // The deltas that decided the value, as the resolver says. What `annotation` says is said of
  // these deltas together. Ascending by id: the same order at every node.
  std::vector<DeltaPlace> decided_by;
  std::optional<Annotation> annotation;  // where the reader asked for one
  std::size_t different_values = 0;      // that the candidates claim
  std::vector<Candidate> candidates;     // where ViewOptions asks for them; ascending by seq
};

struct EntityView {
  std::string entity;
  std::vector<Property> properties;  // ascending by name, in byte order
};

struct ViewOptions {
  bool candidates = false;         // keep every property's candidates
  Annotator* annotator = nullptr;  // borrowed; null: every delta counts and nothing is annotated
};

// Negated deltas and members of incomplete transactions are left out; so are properties that the
// resolver gives no value. kNotFound where no delta points at the entity, kLimit over 262,144.
Result<EntityView> entity_view(const Journal& journal, ByteView entity,
                               const use::Resolver& resolver, const ViewOptions& options = {});

// The same deltas before any resolver.
struct LosslessView {
  struct Row {
    std::size_t index = 0;  // into `deltas`
    Seq seq = 0;
    std::optional<Annotation> annotation;
  };
  std::string entity;
  DeltaBatch deltas;
  std::map<std::string, std::vector<Row>>
      properties;  // ascending by seq; a delta may be in several
};
Result<LosslessView> lossless_view(const Journal& journal, ByteView entity,
                                   Annotator* annotator = nullptr);

}  // namespace rhizome
