// Writing a filter language in C++: derive from plugin::FilterLanguage and plugin::Filter, give the
// language a static `open`, and export filter_table<YourLanguage>(). The trampolines fill in the
// budget's defaults and keep exceptions inside. The contract is rhizome/abi/filter.h; the suite
// that checks it is rhizome-filter-conformance (docs/filters.md); samples/filter_terms is a whole
// language, in C.
//
//   class MyFilter final : public plugin::Filter { ... };
//   class MyLanguage final : public plugin::FilterLanguage {
//    public:
//     using Compiled = MyFilter;  // what `compile` makes: calls to it are direct
//     static Result<std::unique_ptr<plugin::FilterLanguage>> open(plugin::Host, ByteView config);
//     Result<std::unique_ptr<plugin::Filter>> compile(ByteView source, const rz_filter_budget&)
//         const override;
//   };
//   RHIZOME_PLUGIN({RZ_FILTER_ID, rhizome::plugin::filter_table<MyLanguage>()})
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rhizome/abi/filter.h"
#include "rhizome/plugin.hpp"

namespace rhizome::plugin {

// The caller's side of `atoms`: takes one alternative.
class FilterAtoms {
 public:
  explicit FilterAtoms(const rz_atoms_sink* table) : table_(table) {}
  Status operator()(std::span<const rz_atom> alternative) const {
    const std::int32_t code =
        table_->alternative(table_->context, alternative.data(), alternative.size());
    return code == RZ_OK ? Status() : Status(static_cast<Code>(code), "the caller wants no more");
  }

 private:
  const rz_atoms_sink* table_;
};

// One compiled filter. Immutable; every call may come from any thread.
class Filter {
 public:
  virtual ~Filter() = default;
  // Sets bit i where deltas[i] matches; counts those that failed or met the budget. The bits were
  // cleared.
  virtual Status match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
                       rz_filter_counts& counts) const = 0;
  // Calls alternative(atoms) for each; kUnsupported where no conditions can be given.
  virtual Status atoms(const FilterAtoms& /*alternative*/) const {
    return {Code::kUnsupported, "this filter has no atoms"};
  }
  virtual Status to_json_logic(std::string& json) const = 0;
};

// One open instance of the language, closed by its destructor when all of its filters are gone.
class FilterLanguage {
 public:
  virtual ~FilterLanguage() = default;
  // The budget's defaults are filled in. A Status with a position says where the source is wrong.
  virtual Result<std::unique_ptr<Filter>> compile(ByteView source,
                                                  const rz_filter_budget& budget) const = 0;
};

// A rule prepared for any JSON data (rhizome.filter.eval/1). Immutable; any thread.
class FilterRule {
 public:
  virtual ~FilterRule() = default;
  // The rule's value as JSON; with `thrown` set, what the rule threw.
  virtual Status eval(ByteView data, std::string& json, bool& thrown) const = 0;
};

namespace filter_detail {

inline rz_filter_budget with_defaults(const rz_filter_budget* given) {
  rz_filter_budget budget = given != nullptr ? *given : rz_filter_budget{};
  if (budget.steps == 0) budget.steps = RZ_FILTER_STEPS;
  if (budget.memory_bytes == 0) budget.memory_bytes = RZ_FILTER_MEMORY;
  return budget;
}
template <typename T>
[[nodiscard]] Status hand_over(Result<std::unique_ptr<T>> made, void** handle) {
  *handle = nullptr;
  if (!made.ok()) return std::move(made).status();
  *handle = made->release();
  return {};
}
template <typename T>
const T* language(void* handle) {
  return static_cast<const T*>(static_cast<const FilterLanguage*>(handle));
}
template <typename T>
const typename T::Compiled* filter(void* handle) {
  return static_cast<const typename T::Compiled*>(static_cast<const Filter*>(handle));
}
// The text that `make` appends, to the sink.
template <typename Make>
std::int32_t write(const rz_sink* sink, rz_error* error, Make&& make) {
  return guard(error, [&]() -> std::int32_t {
    std::string text;
    const Status status = make(text);
    return status.ok() ? sink->write(sink->context, rhizome::to_abi(text)) : to_abi(status, error);
  });
}

}  // namespace filter_detail

// The frozen table of T.
template <typename T>
const rz_filter* filter_table() {
  namespace d = filter_detail;
  static constexpr rz_filter kTable = {
      [](const rz_host* host, rz_bytes config, void** language, rz_error* error) {
        return guard(error,
                     [&] { return d::hand_over(T::open(Host(host), view(config)), language); });
      },
      [](void* language) { delete static_cast<FilterLanguage*>(language); },
      [](void* language, rz_bytes source, const rz_filter_budget* budget, void** filter,
         rz_error* error) {
        return guard(error, [&] {
          return d::hand_over(
              d::language<T>(language)->compile(view(source), d::with_defaults(budget)), filter);
        });
      },
      [](void* filter) { delete static_cast<Filter*>(filter); },
      [](void* filter, const rz_delta* const* deltas, std::uint64_t count, std::uint64_t* bitmap,
         rz_filter_counts* counts, rz_error* error) {
        return guard(error, [&] {
          return d::filter<T>(filter)->match({deltas, static_cast<std::size_t>(count)}, bitmap,
                                             *counts);
        });
      },
      [](void* filter, const rz_atoms_sink* sink, rz_error* error) {
        return guard(error, [&] { return d::filter<T>(filter)->atoms(FilterAtoms(sink)); });
      },
      [](void* filter, const rz_sink* sink, rz_error* error) {
        return d::write(sink, error, [&](std::string& json) {
          return d::filter<T>(filter)->to_json_logic(json);
        });
      }};
  return &kTable;
}

// rhizome.filter.eval/1 of a T with
//   Result<std::unique_ptr<plugin::FilterRule>> prepare(ByteView, const rz_filter_budget&) const;
template <typename T>
const rz_filter_eval* filter_eval_table() {
  namespace d = filter_detail;
  static constexpr rz_filter_eval kTable = {
      [](void* language, rz_bytes rule, const rz_filter_budget* budget, void** prepared,
         rz_error* error) {
        return guard(error, [&] {
          return d::hand_over(
              d::language<T>(language)->prepare(view(rule), d::with_defaults(budget)), prepared);
        });
      },
      [](void* prepared, rz_bytes data, const rz_sink* sink, std::uint32_t* thrown,
         rz_error* error) {
        *thrown = 0;
        return d::write(sink, error, [&](std::string& json) {
          bool threw = false;
          Status status = static_cast<const FilterRule*>(prepared)->eval(view(data), json, threw);
          *thrown = threw ? 1 : 0;
          return status;
        });
      },
      [](void* prepared) { delete static_cast<FilterRule*>(prepared); }};
  return &kTable;
}

}  // namespace rhizome::plugin
