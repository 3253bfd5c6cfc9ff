// What the checks of configs, which are the same for every kind, are given by the kind's suite. One
// thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "loading/loading.hpp"

namespace rhizome::conformance {

struct ConfigSubject {
  LoadedPlugin plugin;
  std::string config = "{}";  // that the suite runs with, as `open` gets it
  // Opens an instance with this config and closes it. Empty for kinds whose `open` has effects
  // outside of the process: their configs are only checked.
  std::function<Status(const std::string& config)> open;
};
// Set by the suite's `load`.
ConfigSubject& config_subject();

}  // namespace rhizome::conformance
