// What the filter conformance tests stand on: the language under test, JSON-Logic beside it, and
// filters and deltas drawn so that they meet. One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "rhizome/delta/flat.hpp"
#include "rhizome/use/atoms.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome::conformance {

struct Subject {
  use::FilterTables tables;
  std::string config = "{}";
  use::FilterLanguage language;      // an open instance
  use::FilterLanguage json_logic;    // the reference, of another plugin or of the same
  std::vector<std::string> sources;  // given ones; empty: the language is JSON-Logic
  bool is_json_logic() const { return sources.empty(); }
};
Subject& subject();

// Loads the plugin as a host does (now, local) and opens an instance with this config.
Status load_plugin(const std::string& path, const std::string& config);
// The JSON-Logic plugin to compare with.
Status load_reference(const std::string& path);
// One source a line; or, where a line `---` stands, what stands between such lines. kInvalid names
// each that does not compile.
Status load_sources(const std::string& path);

// Chance with a seed that a failing test prints. RHIZOME_SEED repeats a run.
class Chance {
 public:
  Chance();
  std::uint64_t seed() const { return seed_; }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename List>
  const auto& of(const List& items) {
    return items[below(std::size(items))];
  }

 private:
  std::uint64_t seed_;
  std::mt19937_64 random_;
};

// `count` deltas with every kind of target and few different values: those of the suite, and the
// words and numbers (with those just beside them) that the given sources name.
DeltaBatch random_deltas(Chance& chance, std::size_t count);
std::vector<const rz_delta*> pointers_to(const DeltaBatch& deltas);

// One of the given sources, some with their words and numbers exchanged for others; or random
// JSON-Logic over deltas, shorthands not included. Need not compile.
std::string random_source(Chance& chance);

struct Drawn {
  std::string source;
  use::Filter filter;
};
// The next that compiles.
Drawn draw(Chance& chance, const rz_filter_budget& budget = {});

struct Matches {
  std::vector<bool> bits;
  rz_filter_counts counts{};
  Status status;
};
// Asked 32 deltas at a time.
Matches match(const use::Filter& filter, const std::vector<const rz_delta*>& deltas);

// Whether the atoms admit the delta, and their text for a message.
bool admits(const use::Filter& filter, DeltaView delta);
std::string atoms_text(const use::Filter& filter);

// A budget that no filter of the suite meets.
inline constexpr rz_filter_budget kAmple{50'000'000, 256u << 20};

}  // namespace rhizome::conformance
