// The two confidences, kept apart: how surely a delta survives, and how far its record is believed.
// docs/confidence.md explains both with examples. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhizome {

// One holder of a delta, as the operator judges it.
struct HolderOdds {
  std::string_view domain;  // what fails together: a house, a provider, a disk; borrowed
  double keeps = 0;         // r: trust in its receipt times its own survival through the horizon
};

// What is assumed of a domain through the horizon.
using DomainSurvival = double (*)(const void* context, std::string_view domain);

// The probability that some counted holder keeps it through the horizon, without repair:
//   1 - product over domains D of (1 - s_D (1 - product over holders p in D of (1 - r_p)))
// s_D, the domain's own survival, is asked once a domain. Values are taken within 0 and 1.
double durability(std::vector<HolderOdds> holders, DomainSurvival survival, const void* context);

// One peer's word about a record, whatever form it took.
struct Claim {
  std::string_view domain;  // peers of one domain count as one witness; borrowed
  double weight = 0;        // how far the operator believes it; 0 unless the config says more
  double expressed = 0;  // the confidence that it gave; 1 where it holds the record and gave none
};

// How far the record is believed, 0 to 1: the author's own signature and independent witnesses,
// each able to add and none able to take away:
//   1 - (1 - author) product over domains D of (1 - max over p in D of weight_p expressed_p)
// Not calibrated: an order, not a frequency. `author` is what a signature of this state is worth.
double belief(double author, std::span<const Claim> claims);

}  // namespace rhizome
