// Using a filter plugin from C++: owning handles over rhizome/abi/filter.h. For the host.
#pragma once

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/filter.h"
#include "rhizome/bytes.hpp"
#include "rhizome/delta/flat.hpp"
#include "rhizome/status.hpp"

namespace rhizome::use {

// A plugin's filter language: its table, and the one that asks many filters at once where it has
// it.
struct FilterLanguage {
  const rz_filter* table = nullptr;
  const rz_filter_many* many = nullptr;

  FilterLanguage() = default;
  FilterLanguage(const rz_filter* filter,  // NOLINT(google-explicit-constructor): most have no more
                 const rz_filter_many* asks_many = nullptr)
      : table(filter), many(asks_many) {}
};

// One compiled filter. Immutable; any thread.
class Filter {
 public:
  static Result<Filter> compile(const FilterLanguage& language, ByteView source,
                                const rz_filter_budget& budget = {}) {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code = language.table->compile(to_abi(source), &budget, &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Filter(language, handle);
  }
  Filter(Filter&& other) noexcept
      : language_(other.language_), handle_(std::exchange(other.handle_, nullptr)) {}
  Filter& operator=(Filter&&) = delete;
  ~Filter() {
    if (handle_ != nullptr) language_.table->release(handle_);
  }

  // Bit i of `bitmap` (resized) is set where deltas[i] matches; errors counts rules that failed.
  Status match(std::span<const rz_delta* const> deltas, std::vector<std::uint64_t>& bitmap,
               std::uint64_t& errors) const {
    bitmap.assign((deltas.size() + 63) / 64, 0);
    rz_error error;  // not zeroed: that would cost more than asking a filter about one delta
    error.message[0] = '\0';
    return Status::from_abi(language_.table->match(handle_, deltas.data(), deltas.size(),
                                                   bitmap.data(), &errors, &error),
                            error);
  }
  const FilterLanguage& language() const { return language_; }
  void* handle() const { return handle_; }  // as the table knows it
  Result<std::string> atoms() const { return text(language_.table->atoms); }
  Result<std::string> to_json_logic() const { return text(language_.table->to_json_logic); }

 private:
  Filter(const FilterLanguage& language, void* handle) : language_(language), handle_(handle) {}
  Result<std::string> text(int32_t (*write)(void*, const rz_sink*, rz_error*)) const {
    std::string out;
    const rz_sink sink{&out, [](void* context, rz_bytes chunk) {
                         static_cast<std::string*>(context)->append(rhizome::view(chunk));
                         return std::int32_t{RZ_OK};
                       }};
    rz_error error{};
    const std::int32_t code = write(handle_, &sink, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return out;
  }
  FilterLanguage language_;
  void* handle_;
};

// The decimal number that a text counts as in a condition of `atoms` on a value.
inline std::optional<double> spelled_number(ByteView text) {
  constexpr ByteView kBlank = " \t\n\r\v\f";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == ByteView::npos) return 0.0;
  text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
  if (text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] > '9') return std::nullopt;  // also what from_chars takes for "inf"
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// A rule on any JSON data (rhizome.filter.eval/1).
inline Result<std::string> evaluate(const rz_filter_eval* table, ByteView rule, ByteView data,
                                    const rz_filter_budget& budget = {}) {
  std::string out;
  const rz_sink sink{&out, [](void* context, rz_bytes chunk) {
                       static_cast<std::string*>(context)->append(rhizome::view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  rz_error error{};
  const std::int32_t code = table->eval(to_abi(rule), to_abi(data), &budget, &sink, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  return out;
}

}  // namespace rhizome::use
