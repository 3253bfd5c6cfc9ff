// What an atom of a filter means (rhizome/abi/filter.h), in C++: whether a delta satisfies it, and
// its text for people. For hosts, conformance suites and the tests of a language. Pure, any thread.
#pragma once

#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

#include "rhizome/abi/filter.h"
#include "rhizome/bytes.hpp"
#include "rhizome/delta/flat.hpp"

namespace rhizome::use {

// The decimal number that a text spells, blanks around it allowed; a text of blanks alone is 0.
inline std::optional<double> spelled_number(ByteView text) {
  constexpr ByteView kBlank = " \t\n\r\v\f";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == ByteView::npos) return 0.0;
  text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
  const bool plus = text[0] == '+';
  if (plus) text.remove_prefix(1);
  // from_chars also reads "inf" and "nan", which are no decimal numbers.
  const std::size_t digit = !text.empty() && text[0] == '-' && !plus ? 1 : 0;
  if (text.size() <= digit || (text[digit] != '.' && (text[digit] < '0' || text[digit] > '9')))
    return std::nullopt;
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

namespace atoms_detail {

inline bool ordered(std::uint32_t comparison, double value, double constant) {
  switch (comparison) {
    case RZ_COMPARE_EQ:
      return value == constant;
    case RZ_COMPARE_LT:
      return value < constant;
    case RZ_COMPARE_LE:
      return value <= constant;
    case RZ_COMPARE_GT:
      return value > constant;
    case RZ_COMPARE_GE:
      return value >= constant;
    default:
      return true;  // an unknown comparison says nothing
  }
}
inline bool is_text(const rz_atom& atom, ByteView value) {
  for (std::uint64_t i = 0; i < atom.constant_count; ++i)
    if (atom.constants[i].kind == RZ_TARGET_STRING && view(atom.constants[i].text) == value)
      return true;
  return false;
}
inline bool is_number(const rz_atom& atom, double value) {
  for (std::uint64_t i = 0; i < atom.constant_count; ++i)
    if (atom.constants[i].kind == RZ_TARGET_NUMBER &&
        ordered(atom.comparison, value, atom.constants[i].number))
      return true;
  return false;
}
inline bool is_target(const rz_atom& atom, const PointerView& pointer) {
  const bool equal = atom.comparison == RZ_COMPARE_EQ;
  std::optional<double> number;
  if (pointer.kind() == RZ_TARGET_STRING) {
    if (equal && is_text(atom, pointer.target())) return true;
    if (atom.typing != RZ_TYPING_STRICT) number = spelled_number(pointer.target());
  } else if (pointer.kind() == RZ_TARGET_BOOLEAN) {
    for (std::uint64_t i = 0; equal && i < atom.constant_count; ++i)
      if (atom.constants[i].kind == RZ_TARGET_BOOLEAN &&
          (atom.constants[i].number != 0) == pointer.boolean())
        return true;
    if (atom.typing != RZ_TYPING_STRICT) number = pointer.number();
  } else if (pointer.kind() == RZ_TARGET_NUMBER) {
    number = pointer.number();
  }
  return number && is_number(atom, *number);
}
inline bool is_of(const rz_atom& atom, const PointerView& pointer) {
  const bool names = pointer.is_entity() || pointer.is_delta();
  switch (atom.path) {
    case RZ_ATOM_ROLE:
      return is_text(atom, pointer.role());
    case RZ_ATOM_ENTITY:
      return pointer.is_entity() && is_text(atom, pointer.target());
    case RZ_ATOM_REFERENCE:
      return pointer.is_delta() && is_text(atom, pointer.target());
    case RZ_ATOM_CONTEXT:
      return names && !pointer.context().empty() && is_text(atom, pointer.context());
    default:
      return pointer.role() == view(atom.role) && is_target(atom, pointer);
  }
}
inline void append_constant(const rz_constant& constant, std::string& text) {
  if (constant.kind == RZ_TARGET_STRING) {
    text.append("\"").append(view(constant.text)).append("\"");
  } else if (constant.kind == RZ_TARGET_BOOLEAN) {
    text.append(constant.number != 0 ? "true" : "false");
  } else {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, constant.number);
    text.append(digits, end.ptr);
  }
}

}  // namespace atoms_detail

// An atom of a path that this header does not know is satisfied by every delta.
inline bool satisfies(const DeltaView& delta, const rz_atom& atom) {
  namespace d = atoms_detail;
  if (atom.path == RZ_ATOM_ID) return d::is_text(atom, to_hex(delta.id()));
  if (atom.path == RZ_ATOM_AUTHOR) return d::is_text(atom, delta.author());
  if (atom.path == RZ_ATOM_TIMESTAMP) return d::is_number(atom, delta.timestamp());
  if (atom.path == 0 || atom.path > RZ_ATOM_VALUE) return true;
  for (std::size_t i = 0; i < delta.size(); ++i)
    if (d::is_of(atom, delta[i])) return true;
  return false;
}

// `entity == "de"`, `value:year >= 1990`, `author in ["a", "b"]`; a strict comparison with a number
// is `===`.
inline std::string to_text(const rz_atom& atom) {
  static constexpr const char* kPaths[] = {"?",      "id",      "author",    "timestamp", "role",
                                           "entity", "context", "reference", "value"};
  static constexpr const char* kComparisons[] = {"?", "==", "<", "<=", ">", ">="};
  std::string text = atom.path <= RZ_ATOM_VALUE ? kPaths[atom.path] : "?";
  if (atom.path == RZ_ATOM_VALUE) text.append(":").append(view(atom.role));
  const bool list = atom.comparison == RZ_COMPARE_EQ && atom.constant_count != 1;
  const bool strict = atom.path == RZ_ATOM_VALUE && atom.comparison == RZ_COMPARE_EQ &&
                      atom.typing == RZ_TYPING_STRICT && !list &&
                      atom.constants[0].kind == RZ_TARGET_NUMBER;
  const char* comparison = atom.comparison <= RZ_COMPARE_GE ? kComparisons[atom.comparison] : "?";
  text.append(" ").append(list ? "in" : strict ? "===" : comparison).append(list ? " [" : " ");
  for (std::uint64_t i = 0; i < atom.constant_count; ++i) {
    if (i != 0) text.append(", ");
    atoms_detail::append_constant(atom.constants[i], text);
  }
  return text.append(list ? "]" : "");
}

// `a and b`; "anything" where there is no atom.
inline std::string to_text(std::span<const rz_atom> alternative) {
  std::string text;
  for (const rz_atom& atom : alternative)
    text.append(text.empty() ? "" : " and ").append(to_text(atom));
  return text.empty() ? "anything" : text;
}

}  // namespace rhizome::use
