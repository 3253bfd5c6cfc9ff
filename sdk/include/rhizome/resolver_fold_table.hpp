// The trampolines of the incremental form behind rhizome/resolver.hpp, which includes this; not to
// be included otherwise.
#pragma once

#include <cstdint>

#include "rhizome/resolver_table.hpp"

namespace rhizome::plugin {

namespace resolver_detail {

inline std::int32_t fold_value(void* state, const rz_sink* sink, const rz_list_sink* decided,
                               rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    Fold::Value out;
    const Status status = static_cast<const Fold*>(state)->value(out);
    if (!status.ok()) return to_abi(status, error);
    std::int32_t code =
        out.json.empty() ? RZ_OK : sink->write(sink->context, rhizome::to_abi(out.json));
    if (decided == nullptr) return code;
    if (code == RZ_OK && out.decided_by_all) return decided->item(decided->context, {nullptr, 0});
    for (std::size_t i = 0; i < out.ids.size() && code == RZ_OK; ++i)
      code = decided->item(decided->context, rhizome::to_abi(out.ids[i]));
    return code;
  });
}

}  // namespace resolver_detail

inline const rz_resolver_fold* resolver_fold_table() {
  namespace d = resolver_detail;
  static constexpr rz_resolver_fold kTable = {
      [](void* resolver, void** state, rz_error* error) {
        return guard(error, [&] {
          return d::hand_over(static_cast<const Resolver*>(resolver)->fold(), state);
        });
      },
      [](void* state, const rz_candidate* candidate, std::uint64_t, rz_error* error) {
        return guard(error, [&] { return static_cast<Fold*>(state)->add(*candidate); });
      },
      [](void* state, const rz_candidate* candidate, std::uint64_t, rz_error* error) {
        return guard(error, [&] { return static_cast<Fold*>(state)->remove(*candidate); });
      },
      d::fold_value, [](void* state) { delete static_cast<Fold*>(state); }};
  return &kTable;
}

}  // namespace rhizome::plugin
