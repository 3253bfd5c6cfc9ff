// The JSON-Logic plugin's tables. docs/filters.md is its manual.
#include "filter.hpp"
#include "rhizome/filter.hpp"

namespace {

constexpr rz_filter kFilter = rhizome::plugin::filter_table<rhizome::jsonlogic::Filter>();
constexpr rz_filter_eval kEval = rhizome::plugin::filter_eval_table<rhizome::jsonlogic::Filter>();
constexpr rz_filter_many kMany = rhizome::plugin::filter_many_table<rhizome::jsonlogic::Filter>();

}  // namespace

RHIZOME_PLUGIN({RZ_FILTER_ID, &kFilter}, {RZ_FILTER_MANY_ID, &kMany}, {RZ_FILTER_EVAL_ID, &kEval})
