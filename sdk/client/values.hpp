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
bool flag_in(const json& object, const char* key);             // false where it is missing
const json& member(const json& object, const char* key);       // null where it is missing
rz_replication replication_of(const json& object);
void texts_in(const json& object, const char* key, std::vector<rz_bytes>& out);

// A target in the JSON profile, or any other JSON: then its text is kept in `texts`.
rz_value value_of(const json& value, std::string& text);
// A delta `{"id","claims",...}` as an event; `beside` has its seq and annotations. The pointers are
// kept in `pointers`. False where the claims have none.
bool delta_of(const json& delta, const json& beside, std::vector<rz_role>& pointers,
              rz_delta_event& out);

}  // namespace rhizome::client_core
