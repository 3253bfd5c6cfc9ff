// Checks that config check and doctor share.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace rhizome::commands {

// Reads the file and checks each plugin's section against its manifest. Runs no plugin code.
Status check_config(const std::string& file, std::vector<config::Problem>& problems);

}  // namespace rhizome::commands
