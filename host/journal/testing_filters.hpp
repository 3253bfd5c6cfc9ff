// For tests and benches alone: the built JSON-Logic plugin, opened without host services.
#pragma once

#include "journal/testing_basics.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome::testing_support {

// One instance for the whole program.
inline const use::FilterLanguage& json_logic() {
  static const use::FilterLanguage language = must(
      use::FilterLanguage::open({plugin_table<rz_filter>("jsonlogic", RZ_FILTER_ID),
                                 plugin_table<rz_filter_pairs>("jsonlogic", RZ_FILTER_PAIRS_ID),
                                 plugin_table<rz_filter_eval>("jsonlogic", RZ_FILTER_EVAL_ID)},
                                std::make_shared<use::BareHost>(), "{}"));
  return language;
}

}  // namespace rhizome::testing_support
