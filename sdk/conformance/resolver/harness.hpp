// What the suite's tests share: the plugin under test, random sets of candidates that own their
// bytes, and a resolver's answer to them. One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "drawn.hpp"
#include "rhizome/use/resolver.hpp"

namespace rhizome::conformance {

// From the command line and the plugin's file.
struct Subject {
  use::ResolverTables tables;
  std::string config = "{}";
  std::vector<std::pair<std::string, std::string>> options;  // further resolvers: name, options
  bool is_deterministic = false;                             // a capability of its manifest
  bool reads_vouchers = false;  // its config names keys whose vouching counts
};
Subject& subject();
// Loads the plugin, for instances with this config.
Status load(const std::string& path, const std::string& config);

// What a resolver says of one set: its value and the ids that decided it, by property.
struct Answer {
  std::string value;  // "no value" where there is none
  std::map<std::string, std::set<std::string>> decided;
  bool operator==(const Answer&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Answer& answer);

// One name with its options, as `create` takes them.
struct Choice {
  std::string name, options;
};

class Resolver : public ::testing::Test {
 protected:
  Resolver();
  ~Resolver() override;

  // Every name without options, and those of the command line.
  std::vector<Choice> choices() const;
  use::Resolver make(const Choice& choice) const;
  // Up to 8 candidates with many ties, and some for each dependency.
  Set draw(const use::Resolver& resolver) { return draw_set(random_, resolver.dependencies()); }
  // The same, without those of other properties, for which the resolver has a value; nothing where
  // no such set was drawn.
  std::optional<Set> draw_with_value(const Choice& choice);
  // A resolver of its own for each question, so that only what is asked can decide the answer.
  Answer ask(const Choice& choice, const Set& set) const { return ask(make(choice), set); }
  static Answer ask(const use::Resolver& resolver, const Set& set);
  static Answer ask(const use::Resolver& resolver, const Set& set, std::uint64_t inputs);

  const use::Resolvers resolvers_;
  std::mt19937_64 random_;

 private:
  std::uint64_t seed_;
};

}  // namespace rhizome::conformance
