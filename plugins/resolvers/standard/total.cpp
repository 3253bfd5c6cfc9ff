// Resolvers that make one number of all numbers.
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "exact_sum.hpp"
#include "resolvers.hpp"
#include "rhizome/json_number.hpp"

namespace rhizome::standard {

namespace {

using plugin::Fold;
using plugin::Property;
using plugin::Resolution;

void append_total(Total total, const ExactSum& sum, std::size_t count, std::string& json) {
  const std::optional<double> value = sum.divided_by(total == Total::kAverage ? count : 1);
  if (value) append_json_number(*value, json);
}

class TotalFold final : public Fold {
 public:
  explicit TotalFold(Total total) : total_(total) {}

  Status add(const rz_candidate& candidate) override {
    if (candidate.kind != RZ_TARGET_NUMBER) return {};
    ids_.emplace(plugin::id_of(candidate));
    sum_.add(candidate.number);
    return {};
  }
  Status remove(const rz_candidate& candidate) override {
    if (ids_.erase(std::string(plugin::id_of(candidate))) != 0) sum_.remove(candidate.number);
    return {};
  }
  Status value(Value& out) const override {
    if (ids_.empty()) return {};
    append_total(total_, sum_, ids_.size(), out.json);
    if (!out.json.empty()) out.ids.assign(ids_.begin(), ids_.end());
    return {};
  }

 private:
  const Total total_;
  ExactSum sum_;
  std::set<std::string> ids_;  // of the numbers: they decide, other values do not
};

class TotalResolver final : public plugin::Resolver {
 public:
  explicit TotalResolver(Total total) : total_(total) {}

  plugin::Reads reads() const override { return {0, {}}; }
  Status resolve(const Property& property, Resolution& out) const override {
    ExactSum sum;
    std::unordered_set<ByteView> counted;  // duplicates count once
    for (const rz_candidate& candidate : property) {
      if (candidate.kind != RZ_TARGET_NUMBER || !counted.insert(plugin::id_of(candidate)).second)
        continue;
      sum.add(candidate.number);
      out.decided_by(candidate);
    }
    if (!counted.empty()) append_total(total_, sum, counted.size(), out.json);
    if (out.json.empty()) out = Resolution();
    return {};
  }
  Result<std::unique_ptr<Fold>> fold() const override {
    return std::unique_ptr<Fold>(new TotalFold(total_));
  }

 private:
  const Total total_;
};

}  // namespace

std::unique_ptr<plugin::Resolver> make_total(Total total) {
  return std::make_unique<TotalResolver>(total);
}

}  // namespace rhizome::standard
