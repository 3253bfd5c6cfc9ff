// A node's directory with key and config: what `init` and `join` make. Single thread.
#pragma once

#include <string>

#include "config/config.hpp"

namespace rhizome::commands {

// Makes what is missing of the directory, replaces nothing, prints what was made and gives the exit
// code. An empty name: the directory's.
int make_node(const std::string& directory, config::InitChoices choices, bool json);

}  // namespace rhizome::commands
