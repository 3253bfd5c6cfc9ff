// Writing a filter language in C++: give a class the members below, and export its tables. The
// trampolines fill in the budget's defaults and keep exceptions inside. The contract is
// rhizome/abi/filter.h and docs/filters.md; the suite that checks it is sdk/conformance/filter.
//
//   class MyFilter {
//    public:
//     static Result<std::unique_ptr<MyFilter>> compile(ByteView source, const rz_filter_budget&);
//     Status match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
//                  std::uint64_t& errors) const;            // any thread
//     Status atoms(std::string& json) const;                // any thread
//     Status to_json_logic(std::string& json) const;        // any thread
//   };
//   constexpr rz_filter kTable = rhizome::plugin::filter_table<MyFilter>();
//   RHIZOME_PLUGIN({RZ_FILTER_ID, &kTable})
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rhizome/abi/filter.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

// The budget with the defaults of rhizome/abi/filter.h filled in.
inline rz_filter_budget with_defaults(const rz_filter_budget* given) {
  rz_filter_budget budget = given != nullptr ? *given : rz_filter_budget{};
  if (budget.steps == 0) budget.steps = 10'000;
  if (budget.memory_bytes == 0) budget.memory_bytes = 256 * 1024;
  if (budget.time_ns == 0) budget.time_ns = 2'000'000;
  return budget;
}

namespace filter_detail {

inline std::int32_t write(const rz_sink* sink, const std::string& text) {
  return sink->write(sink->context, rhizome::to_abi(text));
}

}  // namespace filter_detail

// rhizome.filter/1 of a class as above.
template <typename Filter>
constexpr rz_filter filter_table() {
  return {
      [](rz_bytes source, const rz_filter_budget* budget, void** filter, rz_error* error) noexcept {
        return guard(error, [&]() -> Status {
          *filter = nullptr;
          auto compiled = Filter::compile(view(source), with_defaults(budget));
          if (!compiled.ok()) return std::move(compiled).status();
          *filter = compiled->release();
          return {};
        });
      },
      [](void* filter) noexcept { delete static_cast<Filter*>(filter); },
      [](void* filter, const rz_delta* const* deltas, std::uint64_t count, std::uint64_t* bitmap,
         std::uint64_t* errors, rz_error* error) noexcept {
        return guard(error, [&]() -> Status {
          std::uint64_t failed = 0;
          const Status status = static_cast<const Filter*>(filter)->match(
              {deltas, static_cast<std::size_t>(count)}, bitmap, failed);
          if (errors != nullptr) *errors += failed;
          return status;
        });
      },
      [](void* filter, const rz_sink* sink, rz_error* error) noexcept {
        return guard(error, [&]() -> std::int32_t {
          std::string json;
          const Status status = static_cast<const Filter*>(filter)->atoms(json);
          return status.ok() ? filter_detail::write(sink, json) : to_abi(status, error);
        });
      },
      [](void* filter, const rz_sink* sink, rz_error* error) noexcept {
        return guard(error, [&]() -> std::int32_t {
          std::string json;
          const Status status = static_cast<const Filter*>(filter)->to_json_logic(json);
          return status.ok() ? filter_detail::write(sink, json) : to_abi(status, error);
        });
      }};
}

// rhizome.filter.many/1 of a class with
//   static void match_many(std::span<void* const> filters, const rz_delta* delta,
//                          std::uint64_t* bitmap, std::uint32_t* steps);        // any thread
template <typename Filter>
constexpr rz_filter_many filter_many_table() {
  return {[](void* const* filters, std::uint64_t count, const rz_delta* delta,
             std::uint64_t* bitmap, std::uint32_t* steps, rz_error* error) noexcept {
    return guard(error, [&]() -> std::int32_t {
      Filter::match_many({filters, static_cast<std::size_t>(count)}, delta, bitmap, steps);
      return RZ_OK;
    });
  }};
}

// rhizome.filter.eval/1 of a class with
//   static Status eval(ByteView rule, ByteView data, const rz_filter_budget&, std::string& json);
template <typename Language>
constexpr rz_filter_eval filter_eval_table() {
  return {[](rz_bytes rule, rz_bytes data, const rz_filter_budget* budget, const rz_sink* sink,
             rz_error* error) noexcept {
    return guard(error, [&]() -> std::int32_t {
      std::string json;
      const Status status = Language::eval(view(rule), view(data), with_defaults(budget), json);
      return status.ok() ? filter_detail::write(sink, json) : to_abi(status, error);
    });
  }};
}

}  // namespace rhizome::plugin
