// Sorted by domain, so that each domain's holders and witnesses stand together.
#include "extent/confidence.hpp"

#include <algorithm>

namespace rhizome {

namespace {

// Also of what is no number.
double within_one(double value) { return value > 0 ? std::min(value, 1.0) : 0.0; }

}  // namespace

double durability(std::vector<HolderOdds> holders, DomainSurvival survival, const void* context) {
  std::sort(holders.begin(), holders.end(),
            [](const HolderOdds& a, const HolderOdds& b) { return a.domain < b.domain; });
  double all_lost = 1;
  for (auto holder = holders.begin(); holder != holders.end();) {
    const std::string_view domain = holder->domain;
    double none_keeps = 1;
    for (; holder != holders.end() && holder->domain == domain; ++holder)
      none_keeps *= 1 - within_one(holder->keeps);
    all_lost *= 1 - within_one(survival(context, domain)) * (1 - none_keeps);
  }
  return 1 - all_lost;
}

double belief(double author, std::span<const Claim> claims) {
  std::vector<Claim> sorted(claims.begin(), claims.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Claim& a, const Claim& b) { return a.domain < b.domain; });
  double doubt = 1 - within_one(author);
  for (auto claim = sorted.begin(); claim != sorted.end();) {
    const std::string_view domain = claim->domain;
    double strongest = 0;
    for (; claim != sorted.end() && claim->domain == domain; ++claim)
      strongest = std::max(strongest, within_one(claim->weight) * within_one(claim->expressed));
    doubt *= 1 - strongest;
  }
  return 1 - doubt;
}

}  // namespace rhizome
