// Resolvers that choose one candidate by a total order that ends in the delta id.
#include <string>

#include "resolvers.hpp"

namespace rhizome::standard {

namespace {

using plugin::Fold;
using plugin::Property;
using plugin::Resolution;

bool takes_part(Choice choice, const rz_candidate& candidate) {
  const bool numbers_only = choice == Choice::kMax || choice == Choice::kMin;
  return !numbers_only || candidate.kind == RZ_TARGET_NUMBER;
}

bool is_better(Choice choice, const rz_candidate& a, const rz_candidate& b) {
  if (choice == Choice::kLastWrite) return plugin::is_earlier(b, a);
  if (choice == Choice::kMax && a.number != b.number) return a.number > b.number;
  if (choice == Choice::kMin && a.number != b.number) return a.number < b.number;
  return plugin::is_earlier(a, b);
}

// Keeps the best candidate alone. Taking out another changes nothing; who comes after the best is
// not known, so taking out the best itself means to begin again.
class ChoiceFold final : public Fold {
 public:
  explicit ChoiceFold(Choice choice) : choice_(choice) {}

  Status add(const rz_candidate& candidate) override {
    if (!takes_part(choice_, candidate)) return {};
    if (has_best_ && !is_better(choice_, candidate, best_)) return {};
    json_.assign(view(candidate.json));
    best_ = rz_candidate{};  // what `is_better` reads, and nothing borrowed
    best_.number = candidate.number;
    best_.timestamp = candidate.timestamp;
    std::memcpy(best_.id, candidate.id, sizeof best_.id);
    has_best_ = true;
    return {};
  }
  Status remove(const rz_candidate& candidate) override {
    if (has_best_ && plugin::id_of(candidate) == plugin::id_of(best_))
      return Fold::remove(candidate);
    return {};
  }
  Status value(Value& out) const override {
    if (!has_best_) return {};
    out.json = json_;
    out.ids.emplace_back(plugin::id_of(best_));
    return {};
  }

 private:
  const Choice choice_;
  bool has_best_ = false;
  rz_candidate best_{};
  std::string json_;
};

class ChoiceResolver final : public plugin::Resolver {
 public:
  explicit ChoiceResolver(Choice choice) : choice_(choice) {}

  Status resolve(const Property& property, Resolution& out) const override {
    const rz_candidate* best = nullptr;
    for (const rz_candidate& candidate : property)
      if (takes_part(choice_, candidate) &&
          (best == nullptr || is_better(choice_, candidate, *best)))
        best = &candidate;
    if (best != nullptr) out.choose(*best);
    return {};
  }
  Result<std::unique_ptr<Fold>> fold() const override {
    return std::unique_ptr<Fold>(new ChoiceFold(choice_));
  }

 private:
  const Choice choice_;
};

}  // namespace

std::unique_ptr<plugin::Resolver> make_choice(Choice choice) {
  return std::make_unique<ChoiceResolver>(choice);
}

}  // namespace rhizome::standard
