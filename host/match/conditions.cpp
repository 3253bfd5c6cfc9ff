// From atoms to tokens and ranges; see conditions.hpp. The typing of an atom is not looked at: a
// strict atom is read as a coerced one, for keys only propose.
#include "match/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rhizome/use/atoms.hpp"

namespace rhizome::matching {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kShown = 120;  // bytes of an atom in a text for people

std::optional<Path> path_of(std::uint32_t path) {
  switch (path) {
    case RZ_ATOM_ID:
      return Path::kId;
    case RZ_ATOM_AUTHOR:
      return Path::kAuthor;
    case RZ_ATOM_TIMESTAMP:
      return Path::kTimestamp;
    case RZ_ATOM_ROLE:
      return Path::kRole;
    case RZ_ATOM_ENTITY:
      return Path::kEntity;
    case RZ_ATOM_CONTEXT:
      return Path::kContext;
    case RZ_ATOM_REFERENCE:
      return Path::kReference;
    case RZ_ATOM_VALUE:
      return Path::kValue;
    default:
      return std::nullopt;
  }
}

// False for a comparison or a constant that the index does not know.
bool read_range(const rz_atom& atom, Condition& condition) {
  const std::span constants(atom.constants, static_cast<std::size_t>(atom.constant_count));
  if (constants.empty()) return false;
  double least = kInfinity, most = -kInfinity;
  for (const rz_constant& constant : constants) {
    if (constant.kind != RZ_TARGET_NUMBER || std::isnan(constant.number)) return false;
    least = std::min(least, constant.number);
    most = std::max(most, constant.number);
  }
  condition.is_range = true;
  condition.low = -kInfinity;
  condition.high = kInfinity;
  switch (atom.comparison) {
    case RZ_COMPARE_EQ:
      condition.low = least;
      condition.high = most;
      return true;
    case RZ_COMPARE_LT:
      condition.high = std::nextafter(most, -kInfinity);
      return true;
    case RZ_COMPARE_LE:
      condition.high = most;
      return true;
    case RZ_COMPARE_GT:
      condition.low = std::nextafter(least, kInfinity);
      return true;
    case RZ_COMPARE_GE:
      condition.low = least;
      return true;
    default:
      return false;
  }
}

// A delta has one timestamp: all that is said of it is one range. Of a role's values it may have
// several, and each condition may hold for another one.
void join_times(Conjunction& conjunction) {
  const auto is_time = [](const Condition& condition) {
    return condition.path == Path::kTimestamp;
  };
  const auto first = std::find_if(conjunction.begin(), conjunction.end(), is_time);
  if (first == conjunction.end()) return;
  for (auto next = std::next(first); next != conjunction.end(); ++next) {
    if (!is_time(*next)) continue;
    first->low = std::max(first->low, next->low);
    first->high = std::min(first->high, next->high);
    if (!next->text.empty()) first->text += " and " + next->text;
  }
  conjunction.erase(std::remove_if(std::next(first), conjunction.end(), is_time),
                    conjunction.end());
}

}  // namespace

Status AtomsReader::weigh(std::span<const rz_atom> alternative) {
  bytes_ += sizeof(Conjunction);
  for (const rz_atom& atom : alternative) {
    bytes_ += sizeof(rz_atom) + atom.role.size;
    for (std::uint64_t i = 0; i < atom.constant_count && bytes_ <= max_bytes_; ++i)
      bytes_ += sizeof(rz_constant) + atom.constants[i].text.size;
    if (bytes_ > max_bytes_)
      return {Code::kLimit, "the filter's conditions take more than the limit of " +
                                std::to_string(max_bytes_) + " bytes"};
  }
  return {};
}

Status AtomsReader::take(std::span<const rz_atom> alternative) {
  RZ_TRY(weigh(alternative));
  Conjunction conjunction;
  for (const rz_atom& atom : alternative) {
    Condition condition;
    if (!read(atom, condition)) continue;
    if (texts_ == Texts::kWanted) {
      condition.text = use::to_text(atom);
      if (condition.text.size() > kShown) condition.text.resize(kShown), condition.text += "...";
    }
    conjunction.push_back(std::move(condition));
  }
  join_times(conjunction);
  if (conjunction.empty()) alternatives_.anything = true;
  alternatives_.any_of.push_back(std::move(conjunction));
  return {};
}

// Whether the index can use the atom; what it cannot use only admits more.
bool AtomsReader::read(const rz_atom& atom, Condition& condition) const {
  const std::optional<Path> path = path_of(atom.path);
  if (!path) return false;
  if (atom.typing != RZ_TYPING_STRICT && atom.typing != RZ_TYPING_COERCED) return false;
  condition.path = *path;
  if (*path == Path::kValue) condition.role = hasher_.text(Path::kRole, view(atom.role));
  if (*path == Path::kTimestamp) return read_range(atom, condition);
  if (atom.comparison != RZ_COMPARE_EQ) return *path == Path::kValue && read_range(atom, condition);
  return read_tokens(atom, condition);
}

// A constant that no delta can have at the path gives no token.
bool AtomsReader::read_tokens(const rz_atom& atom, Condition& condition) const {
  std::vector<TokenHash>& tokens = condition.tokens;
  for (std::uint64_t i = 0; i < atom.constant_count; ++i) {
    const rz_constant& constant = atom.constants[i];
    const ByteView text = view(constant.text);
    if (constant.kind != RZ_TARGET_STRING) {
      if (constant.kind != RZ_TARGET_NUMBER && constant.kind != RZ_TARGET_BOOLEAN) return false;
      if (condition.path != Path::kValue) continue;
      tokens.push_back(constant.kind == RZ_TARGET_NUMBER
                           ? hasher_.value(condition.role, constant.number)
                           : hasher_.value(condition.role, constant.number != 0));
    } else if (condition.path == Path::kValue) {
      tokens.push_back(hasher_.value(condition.role, text));
    } else if (condition.path == Path::kId) {
      std::string raw;
      if (from_hex(text, &raw)) tokens.push_back(hasher_.text(Path::kId, raw));
    } else {
      tokens.push_back(hasher_.text(condition.path, text));
    }
  }
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return true;
}

Result<Alternatives> read_atoms(const use::Filter& filter, const Hasher& hasher,
                                std::size_t max_bytes, Texts texts) {
  AtomsReader reader(hasher, max_bytes, texts);
  const Status given =
      filter.atoms([&](std::span<const rz_atom> alternative) { return reader.take(alternative); });
  if (given.code() == Code::kUnsupported) {
    Alternatives anything;
    anything.anything = true;
    return anything;
  }
  if (!given.ok()) return given;
  return std::move(reader.alternatives());
}

}  // namespace rhizome::matching
