// Asking a plugin about a config from C++: over rhizome/abi/config.h. For the host.
#pragma once

#include <string>
#include <vector>

#include "rhizome/abi/config.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::use {

struct ConfigProblem {
  std::string pointer, expected, found;
};

// What the plugin finds wrong: at most 64 problems, each text at most 1 KiB.
inline Result<std::vector<ConfigProblem>> check_config(const rz_config* table, ByteView config) {
  constexpr std::size_t kMost = 64, kText = 1024;
  std::vector<ConfigProblem> found;
  const rz_config_problems sink{
      &found, [](void* context, const rz_config_problem* problem) {
        auto& list = *static_cast<std::vector<ConfigProblem>*>(context);
        if (list.size() == kMost) return std::int32_t{RZ_LIMIT};
        list.push_back({std::string(view(problem->path).substr(0, kText)),
                        std::string(view(problem->expected).substr(0, kText)),
                        std::string(view(problem->found).substr(0, kText))});
        return std::int32_t{RZ_OK};
      }};
  rz_error error{};
  const std::int32_t code = table->check(to_abi(config), &sink, &error);
  if (code != RZ_OK && found.size() < kMost) return Status::from_abi(code, error);
  return found;
}

}  // namespace rhizome::use
