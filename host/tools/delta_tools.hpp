// `rhizome delta ...`: the delta format's tools over JSON Lines. Each returns 0, or 1 where any
// line failed. One thread.
#pragma once

#include <iosfwd>

#include "rhizome/delta/signature.hpp"

namespace rhizome::tools {

int delta_encode(std::istream& in, std::ostream& out);  // claims -> {"id","cbor"} or {"error"}
int delta_decode(std::istream& in, std::ostream& out);  // {"cbor"} -> {"id","claims"} or {"error"}
// claims without author -> {"claims","id","sig"} or {"error"}
int delta_sign(const SigningKey& key, std::istream& in, std::ostream& out);
// {"claims","id"?,"sig"?} -> {"id","verdict","reason"?}; a line that is no delta is "invalid"
int delta_verify(std::istream& in, std::ostream& out);
int delta_digest(std::istream& in, std::ostream& out);  // claims lines -> one {"count","digest"}

}  // namespace rhizome::tools
