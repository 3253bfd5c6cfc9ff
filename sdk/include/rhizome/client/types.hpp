// The values that rhizome/client.hpp takes, owning their memory.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client {

// A pointer's target, or what a resolver made of several (rz_value in rhizome/client.h).
struct Value {
  std::uint32_t kind = RZ_VALUE_NULL;  // RZ_TARGET_* or RZ_VALUE_*
  double number = 0;
  std::string text, context;

  // By the type of what is given: a text, a truth value, or a number (integers up to 2^53 exactly).
  // A pointer or a character does not compile: it would become a number or true in silence.
  static Value of(std::string_view text) { return {RZ_TARGET_STRING, 0, std::string(text), {}}; }
  static Value of(std::nullptr_t) = delete;
  static Value of(std::same_as<bool> auto truth) {
    return {RZ_TARGET_BOOLEAN, truth ? 1.0 : 0.0, {}, {}};
  }
  template <typename Number>
  requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool> &&
           !std::is_same_v<Number, char>) static Value of(Number number) {
    return {RZ_TARGET_NUMBER, static_cast<double>(number), {}, {}};
  }
  static Value entity(std::string id, std::string context = {}) {
    return {RZ_TARGET_ENTITY, 0, std::move(id), std::move(context)};
  }
  static Value delta(std::string id_hex, std::string context = {}) {
    return {RZ_TARGET_DELTA, 0, std::move(id_hex), std::move(context)};
  }
  static Value from(const rz_value& value) {
    return {value.kind, value.number, std::string(view(value.text)),
            std::string(view(value.context))};
  }
  // Borrows from this.
  rz_value to_abi() const {
    return {kind, 0, number, rhizome::to_abi(text), rhizome::to_abi(context)};
  }
};

struct Pointer {
  std::string role;
  Value target;
};

// A delta to be written. Two pointers make a property: the role `subject` with the entity, whose
// context is the property's name, and the role `value` with its value.
struct Draft {
  std::vector<Pointer> pointers;
  double timestamp = 0;  // ms since the Unix epoch; 0: the node's clock
};
inline Draft property_draft(std::string entity, std::string property, Value value) {
  return {{{"subject", Value::entity(std::move(entity), std::move(property))},
           {"value", std::move(value)}},
          0};
}

// Which resolver makes the values of a view; empty: the node's default.
struct Resolver {
  std::string name = {};
  std::string options = {};  // a JSON object; empty: none, or the node's own for its default
};

// What a reader asks of what it reads.
struct Read {
  std::string min_confirm;          // "local", a number, "majority", "all", or names
  std::vector<std::string> tokens;  // of writes that the answer must have seen
  std::uint64_t deadline_ms = 0;
};

struct Query {
  std::string filter, language, entity, context, author;
  std::uint64_t after = 0, limit = 0;  // 0: from the beginning, without a limit
  bool extent = false;
  Read read;
};

struct SubscribeTo {
  Query query;
  bool from_now = false;
  std::string resume, peer, policy;
  std::uint64_t queue_limit = 0;
};

struct Confirm {
  std::string need;  // as Read::min_confirm; empty: does not wait
  std::uint64_t deadline_ms = 0;
};

}  // namespace rhizome::client
