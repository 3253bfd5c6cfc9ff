// Reading what is on the path, once, and searching it.
#include "plugins/registry.hpp"

#include <algorithm>
#include <filesystem>

namespace rhizome {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kOurs = "rhizome.";

bool is_called(const PluginInfo& info, const std::string& name) {
  return info.manifest.id == name || short_plugin_name(info.manifest.id) == name;
}

// "rhizome.leveldb, rhizome.memory"
std::string ids(const std::vector<PluginInfo>& all, const std::string& kind) {
  std::string text;
  for (const PluginInfo& info : all)
    if (kind.empty() || info.manifest.kind == kind)
      text += (text.empty() ? "" : ", ") + info.manifest.id;
  return text.empty() ? "none" : text;
}

}  // namespace

std::string short_plugin_name(const std::string& id) {
  return id.rfind(kOurs, 0) == 0 ? id.substr(kOurs.size()) : id;
}

void PluginRegistry::read_all() {
  if (all_) return;
  all_.emplace();
  for (const std::string& file : host_.list()) {
    Result<PluginInfo> info = host_.inspect(file);
    if (info.ok())
      all_->push_back(std::move(*info));
    else
      without_manifest_[fs::path(file).stem().string()] = info.status().message();
  }
}

namespace {

// A plugins.path takes the place of the default directory; who only adds to it loses those there.
std::string left_out(const std::vector<PluginInfo>& all) {
  std::error_code error;
  const fs::path home = fs::canonical(default_plugin_directory(), error);
  if (error || std::any_of(all.begin(), all.end(), [&](const PluginInfo& info) {
        return fs::path(info.file).parent_path() == home;
      }))
    return "";
  return "; plugins.path leaves out " + home.string() + ", where the default plugins are";
}

}  // namespace

Status PluginRegistry::none(const std::string& kind, const std::string& name) const {
  std::string found =
      (kind.empty() ? "there are: " : "of this kind there are: ") + ids(*all_, kind);
  // What a file of that name is instead: the mistake that is made most.
  for (const PluginInfo& info : *all_)
    if (fs::path(info.file).stem() == name)
      found += "; the file " + info.file + " is " + info.manifest.id + ", a " + info.manifest.kind;
  if (const auto file = without_manifest_.find(name); file != without_manifest_.end())
    found += "; " + file->second;
  found += left_out(*all_);
  return {Code::kNotFound,
          "no " + (kind.empty() ? "" : kind + " ") + "plugin has the id '" + name + "': " + found};
}

Result<PluginInfo> PluginRegistry::find(const std::string& kind, const std::string& name) {
  if (!name.empty() && name[0] == '/') {
    Result<PluginInfo> info = host_.inspect(name);
    if (!info.ok() || kind.empty() || info->manifest.kind == kind) return info;
    return Status(Code::kInvalid, info->manifest.id + " is a " + info->manifest.kind);
  }
  read_all();
  const PluginInfo* found = nullptr;
  for (const PluginInfo& info : *all_) {
    if ((!kind.empty() && info.manifest.kind != kind) || !is_called(info, name) ||
        (found != nullptr && found->hash == info.hash))
      continue;
    if (found != nullptr)
      return Status(Code::kDenied, "two plugins have the id " + info.manifest.id + ": " +
                                       found->file + " and " + info.file +
                                       "; remove one, or write the path");
    found = &info;
  }
  if (found == nullptr) return none(kind, name);
  return *found;
}

}  // namespace rhizome
