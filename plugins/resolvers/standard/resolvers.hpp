// The standard resolvers, made by name. Private to this plugin; each is a pure function of the set
// of its candidates, and any thread may ask it.
#pragma once

#include <memory>

#include "rhizome/resolver.hpp"

namespace rhizome::standard {

enum class Choice {
  kLastWrite,   // the latest claim
  kFirstWrite,  // the earliest
  kMax,         // the greatest number; of equal ones the earliest claim
  kMin,
};
std::unique_ptr<plugin::Resolver> make_choice(Choice choice);

// The values of the `count` latest claims, the latest first; 0: of all claims, the earliest first.
std::unique_ptr<plugin::Resolver> make_list(std::size_t count);

enum class Total { kSum, kAverage };
// Of the numbers; other values take no part. No value where a double cannot hold it.
std::unique_ptr<plugin::Resolver> make_total(Total total);

}  // namespace rhizome::standard
