// Opening the store that a config names and the journal over it: for a node, and for its repair.
#pragma once

#include <functional>
#include <string>

#include "journal/journal.hpp"
#include "plugins/loader.hpp"
#include "rhizome/delta/signature.hpp"
#include "rhizome/use/store.hpp"

namespace rhizome {

// Makes the directory where there is none. `config_json` was checked against the plugin's schema.
Result<use::Store> open_store(PluginHost& plugins, const std::string& plugin,
                              const std::string& directory, const std::string& config_json);

// What a journal of this machine is opened with.
Journal::Options journal_options(const SigningKey& node_key,
                                 std::function<std::uint64_t()> wall_ms);

}  // namespace rhizome
