// Views as JSON text, as docs/views.md specifies it: the one place that knows the member names. For
// the edges of a node (the control socket, bindings). Any thread.
#pragma once

#include <string>

#include "views/entity.hpp"

namespace rhizome {

// {"entity","properties":{NAME:{"value","kind","values","decided_by":[id,...],annotation...}}};
// with "candidates" where the view has them.
std::string to_json(const EntityView& view);

// {"entity","properties":{NAME:[{"delta":{...},"seq","signature",annotation...},...]}}
std::string to_json(const LosslessView& view);

// "provisional":...,"extent":{"held","voters"},"confidence":{"durability","belief"}: the members of
// an annotation without braces, as they stand beside a value, a delta or a row.
void append_members(const Annotation& annotation, std::string& out);

// "verified", "vouched" or "unsigned".
const char* signature_name(std::uint32_t signature_state);

}  // namespace rhizome
