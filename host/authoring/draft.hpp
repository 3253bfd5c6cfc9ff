// One delta that is to be written: pointers for the node's author to sign, or a delta that is whole
// already. Made by host/api and by the reader of JSON lines (lines.hpp), taken
// by Authoring. Plain values; move-only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rhizome/delta/codec.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Draft {
  // ---- claims of the node's author
  std::vector<Pointer> pointers;    // their texts are borrowed until the write returns
  std::unique_ptr<char[]> texts;    // may own what `pointers` borrow; else null
  std::optional<double> timestamp;  // milliseconds since the Unix epoch; none: the author's clock

  // ---- or a delta of any author, kept as it is: canonical claims, and 64 bytes or nothing
  std::string claims, signature;

  // ---- or nothing: its reader could not make it. Refused with this message.
  Status problem;

  bool is_whole() const { return !claims.empty(); }
};

}  // namespace rhizome
