// All that can be said of a config without opening its store: for `config check` and `doctor`; one
// thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace rhizome {

// Reads the file and checks what `Node::start` checks before it opens the store: each plugin's
// section against its manifest and by the plugin itself; filters and resolvers are opened and
// closed again. kInvalid with the first of `problems`.
Status check_config(const std::string& file, std::vector<config::Problem>& problems);

// The same of a config that is parsed already, and may not stand in a file yet.
Status check_config(const config::NodeConfig& config, std::vector<config::Problem>& problems);

}  // namespace rhizome
