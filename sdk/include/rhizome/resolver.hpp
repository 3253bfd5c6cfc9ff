// Writing resolvers in C++: give a class the members below, and export its table. The trampolines
// keep exceptions inside. The contract is rhizome/abi/resolver.h; the suite that checks it is
// sdk/conformance/resolver.
//
//   class MyResolvers {
//    public:
//     static std::vector<ByteView> names();
//     static Result<std::unique_ptr<MyResolvers>> create(ByteView name, ByteView options_json);
//     // Appends the value as JSON; nothing where there is none. Any thread.
//     Status resolve(std::span<const rz_candidate> candidates, std::string& json) const;
//   };
//   constexpr rz_resolver kTable = rhizome::plugin::resolver_table<MyResolvers>();
//   RHIZOME_PLUGIN({RZ_RESOLVER_ID, &kTable})
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rhizome/abi/resolver.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

template <typename Resolver>
constexpr rz_resolver resolver_table() {
  return {[](rz_bytes name, rz_bytes options, void** resolver, rz_error* error) noexcept {
            return guard(error, [&]() -> Status {
              *resolver = nullptr;
              auto made = Resolver::create(view(name), view(options));
              if (!made.ok()) return std::move(made).status();
              *resolver = made->release();
              return {};
            });
          },
          [](void* resolver) noexcept { delete static_cast<Resolver*>(resolver); },
          [](const rz_sink* sink, rz_error* error) noexcept {
            return guard(error, [&]() -> std::int32_t {
              for (const ByteView name : Resolver::names()) {
                const std::int32_t code = sink->write(sink->context, rhizome::to_abi(name));
                if (code != RZ_OK) return code;
              }
              return RZ_OK;
            });
          },
          [](void* resolver, const rz_candidate* candidates, std::uint64_t count,
             const rz_sink* sink, rz_error* error) noexcept {
            return guard(error, [&]() -> std::int32_t {
              std::string json;
              const Status status = static_cast<const Resolver*>(resolver)->resolve(
                  {candidates, static_cast<std::size_t>(count)}, json);
              if (!status.ok()) return to_abi(status, error);
              return json.empty() ? RZ_OK : sink->write(sink->context, rhizome::to_abi(json));
            });
          }};
}

}  // namespace rhizome::plugin
