// Which plugins there are, by kind and manifest id; what a file is called says nothing. Runs
// nothing of any plugin. Used where a config's plugins are chosen; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/loader.hpp"

namespace rhizome {

class PluginRegistry {
 public:
  // Over the files on `host`'s path, which are read at the first search. `host` outlives this.
  explicit PluginRegistry(const PluginHost& host) : host_(host) {}

  // The plugin of this kind ("store"; empty: of any kind) that `name` names: a manifest id
  // ("example.greatest"), the id of a default plugin without "rhizome." ("leveldb"), or the
  // absolute path of a file. kNotFound lists what there is of the kind; kDenied where two files
  // have that id. A plugin that this host would not load is found too, with its refusal.
  Result<PluginInfo> find(const std::string& kind, const std::string& name);

 private:
  void read_all();
  Status none(const std::string& kind, const std::string& name) const;

  const PluginHost& host_;
  std::optional<std::vector<PluginInfo>> all_;           // empty: not read yet
  std::map<std::string, std::string> without_manifest_;  // file name without .so -> what is wrong
};

// "leveldb" for "rhizome.leveldb"; another author's id as it is. What requests and logs call it.
std::string short_plugin_name(const std::string& id);

}  // namespace rhizome
