// An entity as its deltas tell it: lossless (each property's deltas, provenance intact) and lossy
// (each property collapsed by a resolver). Pure reads of the journal; any thread.
#pragma once

#include <span>
#include <string>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/resolver.hpp"

namespace rhizome {

// What a node says beside the values of a view, of itself alone: never inside a value's canonical
// bytes. One view, one thread.
class Beside {
 public:
  virtual ~Beside() = default;
  // Whether the reader takes this delta into account at all.
  virtual Result<bool> counts(Seq seq) = 0;
  // JSON members about what these deltas say together: "provisional":...,"extent":{...}
  virtual Result<std::string> members(std::span<const Seq> seqs) = 0;
};

// {"entity","properties":{context:[{"delta":{...},"seq","signature",beside...},...]}}. Negated
// deltas and members of incomplete transactions are left out. kNotFound where nothing is known.
// `beside` may be null: then nothing stands there.
Result<std::string> lossless_view(const Journal& journal, ByteView entity,
                                  Beside* beside = nullptr);

// {"entity","properties":{context:{"value":...,beside...,"values":...},...}}: `values` is the
// number of different values among which the resolver decided. What stands beside is said of the
// deltas that claim the value shown, or of all where it is made from all.
Result<std::string> entity_view(const Journal& journal, ByteView entity,
                                const use::Resolver& resolver, Beside* beside = nullptr);

}  // namespace rhizome
