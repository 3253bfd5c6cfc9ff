// Reading one authored line: its top-level keys, its texts in NFC. Private to host/authoring; pure
// functions, any thread.
#pragma once

#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::authoring {

// Which keys stand at the top level of a JSON object. Only looked for, not checked: the reader of
// the JSON profile judges the text.
struct Keys {
  bool object = false;    // the text begins as an object does
  std::size_t brace = 0;  // where it begins
  bool author = false, timestamp = false, claims = false;
};
Keys top_level_keys(ByteView json);

// False where no text of the JSON can be other than NFC: the common case, told by its bytes.
bool may_need_nfc(ByteView json);
// Canonical claims whose texts (roles, contexts, entity ids, string values) are NFC. What comes
// whole, with an author of its own, is never touched.
Status to_nfc(std::string& claims);
// The same claims with another timestamp. REQUIRES: canonical claims.
Status set_timestamp(std::string& claims, double timestamp);

}  // namespace rhizome::authoring
