// Texts of claims in Unicode normal form C. Private to host/authoring; pure functions, any thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "rhizome/delta/codec.hpp"
#include "rhizome/status.hpp"

namespace rhizome::authoring {

// Composes roles, contexts, entity ids and string values; each text that changes is kept in `kept`.
// A delta that came whole is never touched: its id is of its own bytes.
Status to_nfc(std::vector<Pointer>& pointers, std::deque<std::string>& kept);

}  // namespace rhizome::authoring
