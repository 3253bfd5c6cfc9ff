// JSON Lines read as drafts: for the control socket and for tests. Pure functions, any thread.
#pragma once

#include <span>
#include <vector>

#include "authoring/draft.hpp"
#include "rhizome/bytes.hpp"

namespace rhizome {

// One draft per line. Claims without an author become pointers; claims with an author, and
// {"id"?,"claims","sig"?}, become whole deltas. A line that is neither becomes a draft with the
// problem, so that results keep the numbers of their lines.
std::vector<Draft> drafts_of(std::span<const ByteView> lines);

namespace authoring {

// Which keys stand at the top level of a JSON object. Only searched for, not checked: the reader of
// the JSON profile judges the text.
struct Keys {
  bool object = false;  // the text begins as an object does
  bool author = false, claims = false;
};
Keys top_level_keys(ByteView json);

}  // namespace authoring

}  // namespace rhizome
