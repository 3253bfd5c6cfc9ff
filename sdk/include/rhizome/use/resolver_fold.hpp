// The functions of use::ResolverFold in rhizome/use/resolver.hpp, which includes this; not to be
// included otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/use/resolver_calls.hpp"

namespace rhizome::use {

inline Result<ResolverFold> ResolverFold::start(const Resolver& resolver) {
  const rz_resolver_fold* table = resolver.resolvers().tables().fold;
  if (table == nullptr) return Status(Code::kUnsupported, "the plugin has no " RZ_RESOLVER_FOLD_ID);
  rz_error error{};
  void* state = nullptr;
  const std::int32_t code = table->start(resolver.handle(), &state, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  return ResolverFold(table, state);
}

inline Status ResolverFold::add(const rz_candidate& candidate) {
  rz_error error{};
  return Status::from_abi(table_->add(state_, &candidate, sizeof candidate, &error), error);
}

inline Status ResolverFold::remove(const rz_candidate& candidate) {
  rz_error error{};
  return Status::from_abi(table_->remove(state_, &candidate, sizeof candidate, &error), error);
}

inline Result<ResolverFold::Value> ResolverFold::value() const {
  std::string json;
  resolver_detail::List ids{SIZE_MAX, {}};
  const rz_sink sink{&json, [](void* context, rz_bytes chunk) {
                       auto& text = *static_cast<std::string*>(context);
                       if (text.size() + chunk.size > RZ_RESOLVER_MAX_VALUE)
                         return std::int32_t{RZ_LIMIT};
                       text.append(view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  const rz_list_sink decided{&ids, resolver_detail::List::take};
  rz_error error{};
  const std::int32_t code = table_->value(state_, &sink, &decided, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  Value value;
  if (!json.empty()) value.json = std::move(json);
  value.decided_by_all = ids.items.size() == 1 && ids.items[0].empty();
  if (!value.decided_by_all) value.decided = std::move(ids.items);
  for (const std::string& id : value.decided)
    if (id.size() != RZ_DELTA_ID_SIZE)
      return resolver_detail::broken("an id of " + std::to_string(id.size()) + " bytes");
  return value;
}

}  // namespace rhizome::use
