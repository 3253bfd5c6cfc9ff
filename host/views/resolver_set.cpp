#include "views/resolver_set.hpp"

namespace rhizome {

Status ResolverSet::add(const std::string& plugin, const std::vector<std::string>& names,
                        Create create) {
  if (names.empty()) return {Code::kInvalid, "the plugin " + plugin + " offers no resolver"};
  for (const std::string& name : names) {
    const auto [at, added] = offers_.try_emplace(name, Offer{plugin, create});
    if (!added)
      return {Code::kInvalid, "the resolver '" + name + "' is offered by " + at->second.plugin +
                                  " and by " + plugin + "; keep one of them"};
    if (default_.empty() || name == kUsual) default_ = name;
  }
  return {};
}

Status ResolverSet::add(const std::string& plugin, const use::Resolvers& resolvers) {
  const Result<std::vector<std::string>> names = resolvers.names();
  if (!names.ok()) return Status(names.status()).with_context("resolver " + plugin);
  return add(plugin, *names, [resolvers](ByteView name, ByteView options) {
    return use::Resolver::create(resolvers, name, options);
  });
}

Status ResolverSet::set_default(const std::string& name, const std::string& options) {
  const Result<use::Resolver> tried = create(name, options);
  if (!tried.ok()) return tried.status();
  if (!name.empty()) default_ = name;
  default_options_ = options;
  return {};
}

Result<use::Resolver> ResolverSet::create(ByteView name, ByteView options) const {
  if (offers_.empty())
    return Status(Code::kUnsupported, "no resolver is loaded; add one under `resolvers`");
  const auto found = offers_.find(name.empty() ? ByteView(default_) : name);
  if (found == offers_.end())
    return Status(Code::kNotFound,
                  "no resolver '" + std::string(name.substr(0, 64)) + "'; known: " + names());
  if (name.empty() && options.empty()) options = default_options_;
  return found->second.create(found->first, options);
}

// The default first.
std::string ResolverSet::names() const {
  std::string text = default_.empty() ? "none" : default_;
  for (const auto& [name, offer] : offers_)
    if (name != default_) text += ", " + name;
  return text;
}

}  // namespace rhizome
