// The resolvers of a node, of all of its resolver plugins, by name; and the one that is meant where
// a request names none. Made once as a node starts; afterwards any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "rhizome/use/resolver.hpp"

namespace rhizome {

class ResolverSet {
 public:
  static constexpr ByteView kUsual = "last-write-wins";
  // Makes the resolver of this name; called on any thread, at any time.
  using Create = std::function<Result<use::Resolver>(ByteView name, ByteView options)>;

  // Adds a plugin and what it offers. kInvalid where it offers nothing, or a name that another
  // plugin has: which of the two answers must not depend on their order.
  Status add(const std::string& plugin, const std::vector<std::string>& names, Create create);
  // The same of an open plugin, which is asked for its names.
  Status add(const std::string& plugin, const use::Resolvers& resolvers);
  // The resolver that is meant where a request names none, and its options, a JSON object. An empty
  // name: kUsual, and where no plugin offers that the first name that was added, as without this
  // call. kNotFound where no plugin offers it; kInvalid where it does not take the options.
  Status set_default(const std::string& name, const std::string& options);

  // An empty name: the default, with its own options where `options` is empty. Options are never
  // carried over to another name. kNotFound lists the names; kUnsupported where there is no plugin;
  // kInvalid where the resolver does not take the options.
  Result<use::Resolver> create(ByteView name, ByteView options = {}) const;
  const std::string& default_name() const { return default_; }

 private:
  struct Offer {
    std::string plugin;
    Create create;
  };
  std::string names() const;

  std::map<std::string, Offer, std::less<>> offers_;
  std::string default_, default_options_;
};

}  // namespace rhizome
