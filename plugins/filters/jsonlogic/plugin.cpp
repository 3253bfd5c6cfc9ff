// The JSON-Logic plugin's tables. docs/filters.md is its manual.
#include "language.hpp"
#include "rhizome/filter_pairs.hpp"

using rhizome::jsonlogic::Language;

RHIZOME_PLUGIN({RZ_FILTER_ID, rhizome::plugin::filter_table<Language>()},
               {RZ_FILTER_PAIRS_ID, rhizome::plugin::filter_pairs_table<Language>()},
               {RZ_FILTER_EVAL_ID, rhizome::plugin::filter_eval_table<Language>()})
