// What the filter conformance tests stand on: the loaded plugin, random deltas, random rules.
// One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "rhizome/delta/flat.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome::conformance {

struct Subject {
  const rz_filter* table = nullptr;
  const rz_filter_eval* eval = nullptr;  // nullptr where the plugin has no rhizome.filter.eval/1
  const rz_filter_many* many = nullptr;  // the same of rhizome.filter.many/1
  std::vector<std::string> rules;        // given ones; empty: random JSON-Logic
};
Subject& subject();

// Loads PATH as a host does (now, local) and initialises it. Empty when it worked.
std::string load_plugin(const std::string& path);
// One rule a line. Empty when it worked.
std::string load_rules(const std::string& path);

// Chance with a seed that a failing test prints. RHIZOME_SEED repeats a run.
class Chance {
 public:
  Chance();
  std::uint64_t seed() const { return seed_; }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename T, std::size_t N>
  const T& of(const T (&items)[N]) {
    return items[below(N)];
  }

 private:
  std::uint64_t seed_;
  std::mt19937_64 random_;
};

// `count` deltas with every kind of target and few different values, so that rules match some.
DeltaBatch random_deltas(Chance& chance, std::size_t count);
std::vector<const rz_delta*> pointers_to(const DeltaBatch& deltas);

// One of the subject's rules, or random JSON-Logic over deltas, shorthands not included.
std::string random_rule(Chance& chance);

struct Matches {
  std::vector<std::uint64_t> bitmap;
  std::uint64_t errors = 0;
  Status status;
  bool operator[](std::size_t i) const { return (bitmap[i / 64] >> i % 64 & 1) != 0; }
};
Matches match(const use::Filter& filter, const std::vector<const rz_delta*>& deltas);

}  // namespace rhizome::conformance
