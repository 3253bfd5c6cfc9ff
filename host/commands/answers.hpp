// What verbs that ask a running node share: the asking, and how its answers are printed. Texts of
// other nodes are printed for a terminal, so what could steer one is escaped. Single thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "commands/command.hpp"

namespace rhizome::commands {

// The body of the node's answer to a request that is only its name.
Result<std::string> ask(const NodeOptions& node, const char* op);

// The body of an answer as a tree. A body may hold what a plugin or another node wrote: kCorrupt
// where it is not JSON or nested too deep.
Result<nlohmann::json> read_answer(std::string_view body);

// A text from outside, fit for a terminal: control characters (C0, C1) and characters that turn the
// direction of writing become \u and four hex digits; what is no UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

// "a, b", fit for a terminal; "nobody" where there is none.
std::string names_text(const nlohmann::json& names);

// What a read asks of confirmation.
void add_read(const ReadOptions& read, nlohmann::json& request);
// Says on standard error which tokens the answer has not seen.
void warn_of_tokens(const char* verb, const nlohmann::json& answer);

// The ids that a write made, its problems on standard error; kFailed where a line was refused or
// the confirmation that was asked for was not reached.
int print_written(const char* verb, const Reply& reply, bool as_json);

}  // namespace rhizome::commands
