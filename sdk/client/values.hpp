// JSON of the node's answers as the values of rhizome/client.h. What comes out borrows from the
// JSON, which must stay where it is.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/client.h"

namespace rhizome::client_core {

using nlohmann::json;

rz_bytes text_in(const json& object, const char* key);         // empty where it is missing
std::uint64_t number_in(const json& object, const char* key);  // 0 where it is missing
double real_in(const json& object, const char* key);           // 0 where it is missing
bool flag_in(const json& object, const char* key);             // false where it is missing
const json& member(const json& object, const char* key);       // null where it is missing
// What stands beside a value or a delta, kept in `kept`; null where the node did not say it.
const rz_replication* replication_of(const json& object, rz_replication& kept);
void texts_in(const json& object, const char* key, std::vector<rz_bytes>& out);

// A target in the JSON profile, or any other JSON: then its text is kept in `text`. An object is a
// target only where it has exactly a target's members (docs/views.md).
rz_value value_of(const json& value, std::string& text);
// A property's value with the kind that the node gives beside it.
rz_value value_of(const json& value, const json& kind, std::string& text);

// What became of a read's tokens, as an event.
class TokensEvent {
 public:
  // False where the answer does not say it. The event borrows from both.
  bool read(const json& from, rz_event& event);

 private:
  rz_tokens_event event_{};
  std::vector<rz_token_state> states_;
};

// A delta as an event, and what it points to.
struct DeltaEvent {
  rz_delta_event event{};
  std::vector<rz_role> pointers;
  rz_replication replication{};
};
// From `{"id","claims",...}`; `beside` has its seq and annotations. False where the claims have no
// pointers.
bool read_delta(const json& delta, const json& beside, DeltaEvent& out);

}  // namespace rhizome::client_core
