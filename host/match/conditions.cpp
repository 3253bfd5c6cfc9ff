// Reading atoms; see conditions.hpp. The one place that has their JSON.
#include "match/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace rhizome::matching {

namespace {

using nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kShown = 120;  // bytes of a constant in a text for people

std::optional<Path> path_of(const std::string& name, std::string& role) {
  constexpr ByteView kValue = "value:";
  if (name.starts_with(kValue)) {
    role = name.substr(kValue.size());
    return Path::kValue;
  }
  if (name == "id") return Path::kId;
  if (name == "author") return Path::kAuthor;
  if (name == "timestamp") return Path::kTimestamp;
  if (name == "role") return Path::kRole;
  if (name == "entity") return Path::kEntity;
  if (name == "context") return Path::kContext;
  return std::nullopt;
}

// False: no delta has it.
bool add_token(const json& constant, const Hasher& hasher, Condition& condition) {
  if (condition.path == Path::kValue) {
    if (constant.is_boolean())
      condition.tokens.push_back(hasher.value(condition.role, constant.get<bool>()));
    else if (constant.is_number())
      condition.tokens.push_back(hasher.value(condition.role, constant.get<double>()));
    else if (constant.is_string())
      condition.tokens.push_back(
          hasher.value(condition.role, ByteView(constant.get_ref<const std::string&>())));
    else
      return constant.is_null();
    return true;
  }
  if (!constant.is_string()) return false;
  const auto& text = constant.get_ref<const std::string&>();
  std::string raw;
  if (condition.path == Path::kId && !from_hex(text, &raw)) return false;
  condition.tokens.push_back(
      hasher.text(condition.path, condition.path == Path::kId ? ByteView(raw) : ByteView(text)));
  return true;
}

bool set_range(const std::string& comparison, double with, Condition& condition) {
  condition.is_range = true;
  condition.low = -kInfinity;
  condition.high = kInfinity;
  if (comparison == "==") {
    condition.low = condition.high = with;
  } else if (comparison == "<") {
    condition.high = std::nextafter(with, -kInfinity);
  } else if (comparison == "<=") {
    condition.high = with;
  } else if (comparison == ">") {
    condition.low = std::nextafter(with, kInfinity);
  } else if (comparison == ">=") {
    condition.low = with;
  } else {
    return false;
  }
  return true;
}

// Whether the index can use the condition; what it cannot use only admits more.
bool read_condition(const json& atom, const Hasher& hasher, Condition& condition) {
  const auto& name = atom[0].get_ref<const std::string&>();
  const auto& comparison = atom[1].get_ref<const std::string&>();
  const json& constant = atom[2];
  std::string role;
  const std::optional<Path> path = path_of(name, role);
  if (!path) return false;
  condition.path = *path;
  if (*path == Path::kValue) condition.role = hasher.text(Path::kRole, role);
  std::string shown = constant.dump(-1, ' ', false, json::error_handler_t::replace);
  if (shown.size() > kShown) shown.resize(kShown), shown += "...";
  condition.text = name + ' ' + comparison + ' ' + shown;
  if (comparison == "in") {
    if (!constant.is_array()) return false;
    for (const json& item : constant)
      if (!add_token(item, hasher, condition) && *path == Path::kTimestamp) return false;
    std::sort(condition.tokens.begin(), condition.tokens.end());
    condition.tokens.erase(std::unique(condition.tokens.begin(), condition.tokens.end()),
                           condition.tokens.end());
    return true;
  }
  if (*path == Path::kTimestamp || comparison != "==")
    return constant.is_number() && (*path == Path::kTimestamp || *path == Path::kValue) &&
           set_range(comparison, constant.get<double>(), condition);
  return add_token(constant, hasher, condition);
}

bool is_atom(const json& atom) {
  return atom.is_array() && atom.size() == 3 && atom[0].is_string() && atom[1].is_string();
}

// A delta has one timestamp: all that is said of it is one range. Of a role's values it may have
// several, and each condition may hold for another one.
void join_times(Conjunction& conjunction) {
  Condition* first = nullptr;
  for (Condition& condition : conjunction) {
    if (condition.path != Path::kTimestamp || !condition.is_range) continue;
    if (first == nullptr) {
      first = &condition;
      continue;
    }
    first->low = std::max(first->low, condition.low);
    first->high = std::min(first->high, condition.high);
    first->text += " and " + condition.text;
    condition.text.clear();
  }
  std::erase_if(conjunction, [](const Condition& condition) { return condition.text.empty(); });
}

// nlohmann::json keeps its own stack, yet what is deeper than atoms can be is none.
bool too_deep(const std::string& text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_text) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        in_text = false;
      continue;
    }
    if (text[i] == '"') in_text = true;
    if (text[i] == '[' && ++depth > 4) return true;
    if (text[i] == ']') --depth;
    if (text[i] == '{') return true;
  }
  return false;
}

}  // namespace

Result<Alternatives> read_atoms(const std::string& text, const Hasher& hasher,
                                std::size_t max_bytes) {
  const Status none(Code::kInvalid, "the filter plugin's atoms are none (rhizome/abi/filter.h)");
  if (text.size() > max_bytes)
    return Status(Code::kLimit, "the filter's conditions take " + std::to_string(text.size()) +
                                    " bytes; the limit is " + std::to_string(max_bytes));
  if (too_deep(text)) return none;
  const json parsed = json::parse(text, nullptr, false);
  Alternatives alternatives;
  if (parsed.is_null()) {
    alternatives.anything = true;
    return alternatives;
  }
  if (!parsed.is_array()) return none;
  for (const json& conditions : parsed) {
    if (!conditions.is_array()) return none;
    Conjunction conjunction;
    for (const json& atom : conditions) {
      if (!is_atom(atom)) return none;
      Condition condition;
      if (read_condition(atom, hasher, condition)) conjunction.push_back(std::move(condition));
    }
    join_times(conjunction);
    if (conjunction.empty()) alternatives.anything = true;
    alternatives.any_of.push_back(std::move(conjunction));
  }
  return alternatives;
}

}  // namespace rhizome::matching
