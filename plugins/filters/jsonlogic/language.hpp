// The JSON-Logic language as the SDK's trampolines call it: what makes filters and prepared rules.
// An instance holds no state; any thread.
#pragma once

#include "filter.hpp"
#include "program.hpp"
#include "rhizome/filter_pairs.hpp"

namespace rhizome::jsonlogic {

class Language final : public plugin::FilterLanguage {
 public:
  using Compiled = Filter;

  // The config has no keys: a filter means the same in every node.
  static Result<std::unique_ptr<plugin::FilterLanguage>> open(plugin::Host, ByteView /*config*/) {
    return std::unique_ptr<plugin::FilterLanguage>(new Language);
  }
  Result<std::unique_ptr<plugin::Filter>> compile(ByteView source,
                                                  const rz_filter_budget& budget) const override;
  Status match_pairs(const plugin::FilterPairs& pairs) const;
  Result<std::unique_ptr<plugin::FilterRule>> prepare(ByteView rule,
                                                      const rz_filter_budget& budget) const;
};

}  // namespace rhizome::jsonlogic
