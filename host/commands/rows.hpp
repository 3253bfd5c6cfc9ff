// What verbs that print deltas share: which deltas, and their way to standard output. Single
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "commands/command.hpp"

namespace rhizome::commands {

// Which deltas: a rule, an entity, an author, positions.
struct RowOptions {
  NodeOptions node;
  ReadOptions read;
  bool extent = false;
  std::string filter, language, entity, context, author;
  std::string peer;  // asked in this node's place
  std::uint64_t after = 0, limit = 0;

  void add_to(Options& options);
  nlohmann::json request(const char* op) const;
  // As commands::fail, with the place in the rule that is wrong.
  int fail(const char* verb, const Status& status) const;
};

// The rule on standard error, and under it where it is wrong: 1 + a byte of it; 0: nothing.
void show_place(const std::string& rule, std::uint64_t position);

// Rows to standard output, at once; false where they cannot be written (main.cpp says so).
bool put(std::string_view rows);

// Rows as they come, to standard output: JSON Lines, for rows are deltas. Ends where nobody reads.
Result<Reply> print_rows(const NodeOptions& node, const nlohmann::json& request);

}  // namespace rhizome::commands
