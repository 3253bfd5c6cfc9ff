// How the verbs that look at plugins find them: as a config names them. Single thread.
#pragma once

#include <string>

#include "commands/command.hpp"
#include "plugins/registry.hpp"

namespace rhizome::commands {

// The plugin path and lock file of the node's config where there is one, else this program's own.
PluginHost plugin_host(const NodeOptions& node);

// `name`: a manifest id, for a default plugin also without "rhizome.", or the path of a file.
// `kind` empty: of any.
Result<PluginInfo> find_plugin(const PluginHost& host, const std::string& kind,
                               const std::string& name);

}  // namespace rhizome::commands
