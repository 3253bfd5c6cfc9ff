// The JSON profile of a delta (SPEC-1 section 4.2): the readable form at the edges. Closed: unknown
// and repeated keys are refused; bytes are canonical unpadded base64url. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rhizome/delta/codec.hpp"

namespace rhizome {

// JSON from users is bounded before it is parsed.
inline constexpr std::size_t kJsonMaxBytes = 4u << 20;
inline constexpr std::size_t kJsonMaxDepth = 64;

// Claims in the profile -> canonical claims, appended to `out`. `default_author` (may be empty) is
// used where the JSON has no author. kInvalid or kLimit, with the JSON path of what is wrong.
Status claims_from_json(ByteView json, ByteView default_author, std::string& out);

// {"id":...,"claims":{...},"sig":...?} from one JSON text; "id" and "sig" are optional, an "id"
// that is not the claims' is refused. Also accepts bare claims. Appends the decoded delta to `out`.
Status delta_from_json(ByteView json, DeltaBatch& out);

// Claims that have no author yet, taken apart.
struct AuthorlessClaims {
  std::optional<double> timestamp;
  std::vector<Pointer> pointers;  // they borrow from `texts`
  std::unique_ptr<char[]> texts;
};
// {"timestamp"?,"pointers"} in the profile. An author is refused as an unknown key.
Result<AuthorlessClaims> authorless_claims_from_json(ByteView json);

void claims_to_json(DeltaView delta, std::string& out);  // {"author",...}, appended, one line
void delta_to_json(DeltaView delta,
                   std::string& out);  // {"id","claims","sig"?}, appended, one line
// The target of one pointer in the profile, appended.
void target_to_json(PointerView pointer, std::string& out);
// A JSON string literal, appended.
void append_json_string(ByteView text, std::string& out);

}  // namespace rhizome
