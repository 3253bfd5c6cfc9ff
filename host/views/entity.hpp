// An entity as its deltas tell it: lossless (each property's deltas, provenance intact) and lossy
// (each property collapsed by a resolver). Pure reads of the journal; any thread.
#pragma once

#include <string>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/resolver.hpp"

namespace rhizome {

// {"entity","properties":{context:[{"delta":{...},"seq","signature","provisional"},...]}}. Negated
// deltas and members of incomplete transactions are left out. kNotFound where nothing is known.
Result<std::string> lossless_view(const Journal& journal, ByteView entity);

// {"entity","properties":{context:{"value":...,"provisional":...,"values":...},...}}: `values` is
// the number of different values among which the resolver decided.
Result<std::string> entity_view(const Journal& journal, ByteView entity,
                                const use::Resolver& resolver);

}  // namespace rhizome
