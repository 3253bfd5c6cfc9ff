// rhizome plugin list | inspect | trust. Inspecting runs none of the plugin's code.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/plugins.hpp"
#include "config/config.hpp"
#include "node/node.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

json described(const PluginInfo& info) {
  return {{"file", info.file},
          {"id", info.manifest.id},
          {"version", info.manifest.version},
          {"abi", info.manifest.abi},
          {"kind", info.manifest.kind},
          {"interfaces", info.manifest.interfaces},
          {"capabilities", info.manifest.capabilities},
          {"hash", info.hash},
          {"size", info.size},
          {"needed", info.needed},
          {"exports", info.exports},
          {"pinned", info.pinned},
          {"would_load", info.refusal.empty()},
          {"refusal", info.refusal},
          {"config", json::parse(info.manifest.config_schema)}};
}

// The config schema as the YAML that one would write, each key with its description.
void print_config(const json& schema) {
  if (!schema.contains("properties") || schema["properties"].empty()) {
    std::printf("config:      takes none\n");
    return;
  }
  std::printf("config:\n");
  for (const auto& [key, property] : schema["properties"].items()) {
    std::printf("  # %s", property.value("description", "").c_str());
    if (property.contains("minimum"))
      std::printf(" (%s to %s)", property["minimum"].dump().c_str(),
                  property.value("maximum", json("any")).dump().c_str());
    std::printf("\n  %s: %s\n", key.c_str(),
                property.contains("default") ? property["default"].dump().c_str() : "...");
  }
}

void print_inspected(const json& info) {
  const auto joined = [](const json& list) {
    std::string text;
    for (const json& item : list) text += (text.empty() ? "" : ", ") + item.get<std::string>();
    return text;
  };
  std::printf(
      "file:        %s (%llu bytes)\nid:          %s %s (%s)\nabi:         %llu\ninterfaces:  "
      "%s\ncapabilities: %s\nhash:        %s%s\nneeds:       %s\nexports:     %s\nwould load:  "
      "%s\n",
      info["file"].get<std::string>().c_str(), info["size"].get<unsigned long long>(),
      info["id"].get<std::string>().c_str(), info["version"].get<std::string>().c_str(),
      info["kind"].get<std::string>().c_str(), info["abi"].get<unsigned long long>(),
      joined(info["interfaces"]).c_str(), joined(info["capabilities"]).c_str(),
      info["hash"].get<std::string>().c_str(), info["pinned"] ? " (pinned)" : "",
      joined(info["needed"]).c_str(), joined(info["exports"]).c_str(),
      info["would_load"] ? "yes" : ("no: " + info["refusal"].get<std::string>()).c_str());
  print_config(info["config"]);
}

void print_line(const PluginInfo& info) {
  std::printf("%-12s %-10s %-20s %-10s %s%s\n", short_plugin_name(info.manifest.id).c_str(),
              info.manifest.kind.c_str(), info.manifest.id.c_str(), info.manifest.version.c_str(),
              info.file.c_str(),
              info.refusal.empty() ? "" : ("  REFUSED: " + info.refusal).c_str());
}

int list(const PluginHost& host, bool as_json) {
  json all = json::array();
  for (const std::string& file : host.list()) {
    const Result<PluginInfo> info = host.inspect(file);
    all.push_back(
        info.ok()
            ? described(*info)
            : json{{"file", file}, {"would_load", false}, {"refusal", info.status().message()}});
    if (as_json) continue;
    if (info.ok())
      print_line(*info);
    else
      std::printf("REFUSED: %s\n", info.status().message().c_str());
  }
  if (as_json) std::printf("%s\n", all.dump().c_str());
  return kDone;
}

}  // namespace

PluginHost plugin_host(const NodeOptions& node) {
  std::vector<config::Problem> problems;
  const auto config = config::load_config(node.config_file(), problems);
  if (!config.ok()) return PluginHost({{default_plugin_directory()}, "", ""});
  const PluginPlaces places = plugin_places(*config);
  return PluginHost({places.path, places.lock_file, ""});
}

Result<PluginInfo> find_plugin(const PluginHost& host, const std::string& kind,
                               const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos;
  return PluginRegistry(host).find(
      kind, is_path ? std::filesystem::absolute(name).lexically_normal().string() : name);
}

int plugin(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string action, name;
  Options options(
      "plugin", "Plugins: list those on the path, inspect one without running it, trust (pin) one.",
      "rhizome plugin inspect leveldb");
  options.text("ACTION", action, "list, inspect or trust").required();
  options.text("PLUGIN", name,
               "Its id (for a default plugin also without rhizome.), or the path of its file");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const PluginHost host = plugin_host(node);
  if (action == "list") return list(host, node.json);
  if (name.empty() || (action != "inspect" && action != "trust")) {
    std::fprintf(stderr,
                 "rhizome plugin: expected list, inspect PLUGIN or trust PLUGIN; see --help\n");
    return kUsage;
  }
  const Result<PluginInfo> info = find_plugin(host, "", name);
  if (!info.ok()) {
    fail("plugin " + action, info.status(), node.json);
    return kConfig;
  }
  if (action == "trust") {
    const Status trusted = host.trust(info->file);
    return trusted.ok() ? kDone : fail("plugin trust", trusted, node.json);
  }
  if (node.json)
    std::printf("%s\n", described(*info).dump().c_str());
  else
    print_inspected(described(*info));
  return info->refusal.empty() ? kDone : kFailed;
}

}  // namespace rhizome::commands
