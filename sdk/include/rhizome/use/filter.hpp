// Using a filter plugin from C++: owning handles over rhizome/abi/filter.h. For the host and the
// conformance suite; the author of a language needs rhizome/filter.hpp instead.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/filter.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/host.hpp"

namespace rhizome::use {

// The tables of a filter plugin; `pairs` and `eval` are nullptr where it lacks them.
struct FilterTables {
  const rz_filter* filter = nullptr;
  const rz_filter_pairs* pairs = nullptr;
  const rz_filter_eval* eval = nullptr;
};

// One open instance of a filter language, shared by its copies and by the filters that it compiled:
// the last of them closes it. An empty one is no language. Any thread.
class FilterLanguage {
 public:
  FilterLanguage() = default;
  // `config_json`: accepted by the manifest's schema, defaults filled in.
  static Result<FilterLanguage> open(const FilterTables& tables, InstanceHostPtr host,
                                     ByteView config_json) {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code =
        tables.filter->open(host->table(), to_abi(config_json), &handle, &error);
    RZ_TRY(opened(code, error, host.get()));
    FilterLanguage language;
    language.instance_ = std::make_shared<const Instance>(tables, std::move(host), handle);
    return language;
  }

  explicit operator bool() const { return instance_ != nullptr; }
  // The same instance.
  friend bool operator==(const FilterLanguage& a, const FilterLanguage& b) {
    return a.instance_ == b.instance_;
  }
  // REQUIRES of the rest: it is a language.
  const FilterTables& tables() const { return instance_->tables; }
  void* handle() const { return instance_->handle; }

 private:
  struct Instance {
    Instance(const FilterTables& given, InstanceHostPtr its_host, void* its_handle)
        : tables(given), host(std::move(its_host)), handle(its_handle) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() {
      host->end_timers();
      tables.filter->close(handle);
    }
    const FilterTables tables;
    const InstanceHostPtr host;
    void* const handle;
  };
  std::shared_ptr<const Instance> instance_;
};

namespace filter_detail {

// The output of write(sink, error).
template <typename Write>
Result<std::string> text(Write&& write) {
  std::string out;
  const rz_sink sink{&out, [](void* context, rz_bytes chunk) {
                       static_cast<std::string*>(context)->append(rhizome::view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  rz_error error{};
  const std::int32_t code = write(&sink, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  return out;
}

}  // namespace filter_detail

// One compiled filter. Immutable; any thread.
class Filter {
 public:
  // REQUIRES: `language` is one. 0 in the budget: the default.
  static Result<Filter> compile(const FilterLanguage& language, ByteView source,
                                const rz_filter_budget& budget = {}) {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code = language.tables().filter->compile(language.handle(), to_abi(source),
                                                                &budget, &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Filter(language, handle);
  }
  Filter(Filter&& other) noexcept
      : language_(std::move(other.language_)), handle_(std::exchange(other.handle_, nullptr)) {}
  Filter& operator=(Filter&&) = delete;
  ~Filter() {
    if (handle_ != nullptr) table().release(handle_);
  }

  // Bit i of `bitmap` (resized) is set where deltas[i] matches; `counts` are added to.
  Status match(std::span<const rz_delta* const> deltas, std::vector<std::uint64_t>& bitmap,
               rz_filter_counts& counts) const {
    bitmap.assign((deltas.size() + 63) / 64, 0);
    rz_error error;  // not zeroed: that would cost more than asking a filter about one delta
    error.position = 0;
    error.message[0] = '\0';
    return Status::from_abi(
        table().match(handle_, deltas.data(), deltas.size(), bitmap.data(), &counts, &error),
        error);
  }
  // Calls each(std::span<const rz_atom>), which returns a Status, for each alternative.
  // kUnsupported where the filter has no atoms: every delta is a candidate.
  template <typename Each>
  Status atoms(Each&& each) const {
    struct Context {
      std::remove_reference_t<Each>* each;
      Status failure;
    } context{&each, {}};
    const rz_atoms_sink sink{&context, [](void* given, const rz_atom* atoms, std::uint64_t count) {
                               auto& self = *static_cast<Context*>(given);
                               self.failure =
                                   (*self.each)(std::span(atoms, static_cast<std::size_t>(count)));
                               return static_cast<std::int32_t>(self.failure.code());
                             }};
    rz_error error{};
    const std::int32_t code = table().atoms(handle_, &sink, &error);
    if (!context.failure.ok()) return std::move(context.failure);
    return Status::from_abi(code, error);
  }
  Result<std::string> to_json_logic() const {
    return filter_detail::text([this](const rz_sink* sink, rz_error* error) {
      return table().to_json_logic(handle_, sink, error);
    });
  }
  const FilterLanguage& language() const { return language_; }
  void* handle() const { return handle_; }  // as the tables know it

 private:
  Filter(FilterLanguage language, void* handle) : language_(std::move(language)), handle_(handle) {}
  const rz_filter& table() const { return *language_.tables().filter; }
  FilterLanguage language_;
  void* handle_;
};

// A rule prepared for any JSON data (rhizome.filter.eval/1). Immutable; any thread.
class FilterRule {
 public:
  struct Value {
    std::string json;
    bool thrown = false;  // `json` is what the rule threw
  };
  // REQUIRES: the language has the table.
  static Result<FilterRule> prepare(const FilterLanguage& language, ByteView rule,
                                    const rz_filter_budget& budget = {}) {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code =
        language.tables().eval->prepare(language.handle(), to_abi(rule), &budget, &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return FilterRule(language, handle);
  }
  FilterRule(FilterRule&& other) noexcept
      : language_(std::move(other.language_)), handle_(std::exchange(other.handle_, nullptr)) {}
  FilterRule& operator=(FilterRule&&) = delete;
  ~FilterRule() {
    if (handle_ != nullptr) language_.tables().eval->release(handle_);
  }
  Result<Value> eval(ByteView data) const {
    std::uint32_t thrown = 0;
    Result<std::string> json = filter_detail::text([&](const rz_sink* sink, rz_error* error) {
      return language_.tables().eval->eval(handle_, to_abi(data), sink, &thrown, error);
    });
    if (!json.ok()) return std::move(json).status();
    return Value{std::move(*json), thrown != 0};
  }

 private:
  FilterRule(FilterLanguage language, void* handle)
      : language_(std::move(language)), handle_(handle) {}
  FilterLanguage language_;
  void* handle_;
};

}  // namespace rhizome::use
