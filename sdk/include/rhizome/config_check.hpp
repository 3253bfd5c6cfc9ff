// Offering rhizome.config/1 in C++: a function that reports what is wrong with a config. The
// contract is rhizome/abi/config.h.
//
//   Settings read(plugin::ConfigReader& config);  // for `open` too, which ends with finish()
//   void check(ByteView config, plugin::ConfigProblems& problems) {
//     plugin::ConfigReader reader("my_store", config);
//     (void)read(reader);
//     problems.add(reader);
//   }
//   RHIZOME_PLUGIN(..., {RZ_CONFIG_ID, rhizome::plugin::config_table<check>()})
#pragma once

#include <string>
#include <string_view>

#include "rhizome/abi/config.h"
#include "rhizome/config.hpp"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

// Where a check puts its problems. Borrowed for the call.
class ConfigProblems {
 public:
  explicit ConfigProblems(const rz_config_problems* sink) : sink_(sink) {}
  // `pointer`: "/listen"; "" for the whole. After the sink took no more, does nothing.
  void add(std::string_view pointer, std::string_view expected, std::string_view found) {
    const rz_config_problem problem{rhizome::to_abi(pointer), rhizome::to_abi(expected),
                                    rhizome::to_abi(found)};
    if (code_ == RZ_OK) code_ = sink_->problem(sink_->context, &problem);
  }
  // Those of a reader. `prefix`: where its object lies in the config; "" for the whole.
  void add(const ConfigReader& reader, std::string_view prefix = "") {
    for (const ConfigProblem& problem : reader.problems())
      add(std::string(prefix) + problem.pointer, problem.expected, problem.found);
  }
  std::int32_t code() const { return code_; }

 private:
  const rz_config_problems* sink_;
  std::int32_t code_ = RZ_OK;
};

template <void (*Check)(ByteView config, ConfigProblems& problems)>
const rz_config* config_table() {
  static constexpr rz_config kTable = {
      [](rz_bytes config, const rz_config_problems* sink, rz_error* error) {
        return guard(error, [&]() -> std::int32_t {
          ConfigProblems problems(sink);
          Check(view(config), problems);
          return problems.code();
        });
      }};
  return &kTable;
}

}  // namespace rhizome::plugin
