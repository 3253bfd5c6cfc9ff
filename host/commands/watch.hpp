// The live view of `rhizome status --watch`: one screen, drawn again every second on a terminal;
// one line a second elsewhere. Single thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rhizome::commands {

// The screen for a status; `before` is the one a second ago, or null: what changed is shown as a
// rate.
std::string watch_screen(const nlohmann::json& status, const nlohmann::json& before);
// The same in one line.
std::string watch_line(const nlohmann::json& status, const nlohmann::json& before);

}  // namespace rhizome::commands
