// A filter language that misbehaves in one way, named by its config; "none": it conforms, so that
// what the suite finds is the fault's. `ROLE >= NUMBER`: a pointer with the role has a target that
// counts as a number (as JSON-Logic counts) and is at least the number; `not ` in front, up to 20
// times, turns the answer around. For tests alone.
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "rhizome/config.h"
#include "rhizome/delta/flat.hpp"
#include "rhizome/filter_pairs.hpp"
#include "rhizome/use/atoms.hpp"

namespace {

using namespace rhizome;  // NOLINT(google-build-using-namespace): one file, for tests alone

// Of the first config of this process: the suite opens instances with others too.
std::string fault;     // NOLINT: filters have no other place to look
bool is_open = false;  // NOLINT
int compiled = 0;      // NOLINT
bool is(const char* name) { return fault == name; }

// The pointer, found by the structs of the headers that this was built with.
const rz_pointer* by_sizeof(const rz_delta* delta, std::uint32_t index) {
  const auto* const pointer = reinterpret_cast<const rz_pointer*>(delta + 1) + index;
  const auto inside = [&](std::uint64_t offset, std::uint64_t size) {
    return offset + size <= delta->block_size;
  };
  return inside(pointer->role_offset, pointer->role_size) &&
                 inside(pointer->target_offset, pointer->target_size)
             ? pointer
             : nullptr;
}

std::optional<double> number_of(const PointerView& pointer) {
  if (pointer.kind() == RZ_TARGET_STRING) return use::spelled_number(pointer.target());
  if (pointer.kind() == RZ_TARGET_NUMBER || pointer.kind() == RZ_TARGET_BOOLEAN)
    return pointer.number();
  return std::nullopt;
}

class AtLeast final : public plugin::Filter {
 public:
  AtLeast(std::size_t nots, std::string role, double number, ByteView source,
          const rz_filter_budget& budget)
      : nots_(nots),
        role_(std::move(role)),
        number_(number),
        source_(source),
        kept_(source),
        steps_(budget.steps),
        serial_(++compiled) {}

  // Nothing: the budget ended it.
  std::optional<bool> holds(const rz_delta* delta, std::uint64_t& steps) const {
    const std::optional<bool> found = finds(delta, steps);
    return found ? std::optional(*found != (nots_ % 2 == 1)) : found;
  }
  std::optional<bool> finds(const rz_delta* delta, std::uint64_t& steps) const {
    steps = 1;
    if (is("threads") && std::this_thread::get_id() != maker_) return false;
    if (is("kept_source") && kept_ != source_) return false;
    if (is("clock") && std::chrono::steady_clock::now().time_since_epoch().count() == 0)
      return false;
    for (std::uint32_t i = 0; i < delta->pointer_count; ++i) {
      if (++steps > steps_ && !is("free")) return std::nullopt;
      const rz_pointer* const p =
          is("fixed_stride") ? by_sizeof(delta, i) : rz_delta_pointer(delta, i);
      if (p == nullptr) continue;
      const PointerView pointer(delta, p);
      if (pointer.role() != role_) continue;
      if (const auto number = number_of(pointer); number && *number >= number_) return true;
    }
    return false;
  }
  Status match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
               rz_filter_counts& counts) const override {
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      std::uint64_t steps = 0;
      const auto held = holds(deltas[i], steps);
      if (!held && is("budget_limit")) return {Code::kLimit, "over the budget"};
      if (!held && !is("budget_matches")) ++counts.stopped;
      const std::size_t word = is("one_word") ? 0 : i / 64;
      if (held.value_or(is("budget_matches"))) bitmap[word] |= std::uint64_t{1} << i % 64;
    }
    return {};
  }
  Status atoms(const plugin::FilterAtoms& alternative) const override {
    if (nots_ != 0) return {Code::kUnsupported, "no conditions on what is not there"};
    const rz_constant constant{RZ_TARGET_NUMBER, 0, number_, {nullptr, 0}};
    const rz_atom atom{RZ_ATOM_VALUE,
                       is("atoms_greater") ? RZ_COMPARE_GT : RZ_COMPARE_GE,
                       is("atoms_strict") ? RZ_TYPING_STRICT : RZ_TYPING_COERCED,
                       0,
                       to_abi(role_),
                       &constant,
                       1};
    if (!is("atoms_sink")) return alternative({&atom, 1});
    (void)alternative({&atom, 1});
    (void)alternative({&atom, 1});
    return {};
  }
  Status to_json_logic(std::string& json) const override {
    if (is("travels_true")) {
      json = "true";
      return {};
    }
    const std::string compared = R"({">=":[{"var":"target"},)" + std::to_string(number_) + "]}";
    json = R"({"some":[{"var":"pointers"},{"and":[{"===":[{"var":"role"},")" + role_ +
           R"("]},{"try":[)" + compared + ",false]}";
    if (is("travels_numbered")) json += ',' + std::to_string(serial_);
    json += "]}]}";
    for (std::size_t i = 0; i < nots_; ++i) json = R"({"!":)" + json + "}";
    if (is("travels_many") && nots_ == 0 && source_.size() < 100)  // but not of composed sources
      json = R"({"if":[)" + json + ",true,false,[" + ones() + "]]}";
    return {};
  }

 private:
  static std::string ones() {
    std::string text = "1";
    for (int i = 1; i < 17'000; ++i) text += ",1";
    return text;
  }

  const std::size_t nots_;
  const std::string role_;
  const double number_;
  const std::string source_;
  const ByteView kept_;  // borrowed for `compile` alone
  const std::uint64_t steps_;
  const int serial_;
  const std::thread::id maker_ = std::this_thread::get_id();
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Language final : public plugin::FilterLanguage {
 public:
  using Compiled = AtLeast;

  static Result<std::unique_ptr<plugin::FilterLanguage>> open(plugin::Host, ByteView config) {
    rz_bytes value{};
    if (rz_config_get(to_abi(config), "fault", &value) != RZ_OK || value.size < 2)
      return Status(Code::kInvalid, "fault: expected a text");
    static const std::string first(view(value).substr(1, value.size - 2));
    fault = first;
    if (is("one_instance") && is_open) return Status(Code::kBusy, "one is open");
    is_open = true;
    return std::unique_ptr<plugin::FilterLanguage>(new Language);
  }
  ~Language() override { is_open = false; }

  Result<std::unique_ptr<plugin::Filter>> compile(ByteView source,
                                                  const rz_filter_budget& budget) const override {
    while (is("loops")) std::this_thread::yield();
    if (is("crashes")) *static_cast<volatile char*>(nullptr) = 0;
    std::size_t nots = 0;
    const auto made = [&](std::string role, double number) {
      return std::unique_ptr<plugin::Filter>(
          std::make_unique<AtLeast>(nots, std::move(role), number, source, budget));
    };
    if (source.size() > RZ_FILTER_MAX_SOURCE) {
      if (is("large")) return made("year", 1);
      return Status(Code::kLimit, "more than 65,536 bytes");
    }
    std::size_t at = 0;
    const auto blanks = [&] {
      while (at < source.size() && source[at] == ' ') ++at;
    };
    blanks();
    for (; source.substr(at, 4) == "not "; ++nots) at += 4;
    if (nots > 20 && !is("deep")) return Status(Code::kLimit, "more than 20 times `not`");
    const std::size_t first = at;
    while (at < source.size() && is_letter(source[at])) ++at;
    const std::string role(source.substr(first, at - first));
    blanks();
    if (role.empty() || source.substr(at, 2) != ">=") return wrong(source, at);
    at += 2;
    blanks();
    const std::size_t end = source.find_first_not_of("0123456789.", at);
    const auto number = use::spelled_number(source.substr(at, end - at));
    if (!number || end == at || at == source.size()) return wrong(source, at);
    at = end == ByteView::npos ? source.size() : end;
    blanks();
    return at == source.size() ? Result(made(role, *number)) : wrong(source, at);
  }
  Status match_pairs(const plugin::FilterPairs& pairs) const {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      std::uint64_t steps = 0;
      const auto& filter = static_cast<const AtLeast&>(*pairs.filter(is("pairs") ? 0 : i));
      const auto held = filter.holds(pairs.delta(i), steps);
      pairs.answer(i, static_cast<std::uint32_t>(steps) | (!held   ? RZ_PAIR_STOPPED
                                                           : *held ? RZ_PAIR_MATCHES
                                                                   : 0));
    }
    return {};
  }

 private:
  static Result<std::unique_ptr<plugin::Filter>> wrong(ByteView source, std::size_t at) {
    if (is("no_reason") && source.size() < 3) return Status(Code::kInvalid, "");
    if (is("wild_position") && source.size() > 64 && source.size() < 1000) at += 1000;
    return Status(Code::kInvalid, "expected ROLE >= NUMBER", at + 1);
  }
};

// As the SDK's, but for a compile that takes a missing error block for a good source.
const rz_filter* table() {
  static const rz_filter made = [] {
    rz_filter table = *plugin::filter_table<Language>();
    table.compile = [](void* language, rz_bytes source, const rz_filter_budget* budget,
                       void** filter, rz_error* error) {
      if (is("null_error") && error == nullptr) return std::int32_t{RZ_OK};
      return plugin::filter_table<Language>()->compile(language, source, budget, filter, error);
    };
    table.to_json_logic = [](void* filter, const rz_sink* sink, rz_error* error) {
      const std::int32_t code =
          plugin::filter_table<Language>()->to_json_logic(filter, sink, error);
      return is("travels_sink") ? RZ_OK : code;
    };
    return table;
  }();
  return &made;
}

}  // namespace

RHIZOME_PLUGIN({RZ_FILTER_ID, table()},
               {RZ_FILTER_PAIRS_ID, rhizome::plugin::filter_pairs_table<Language>()})
