// The values that rhizome/client.hpp takes and gives, owning their memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client {

// A pointer's target, or what a resolver made of several (rz_value in rhizome/client.h).
struct Value {
  std::uint32_t kind = RZ_VALUE_NONE;  // RZ_TARGET_* or RZ_VALUE_*
  double number = 0;
  std::string text, context;

  static Value string(std::string text) { return {RZ_TARGET_STRING, 0, std::move(text), {}}; }
  static Value of(double number) { return {RZ_TARGET_NUMBER, number, {}, {}}; }
  static Value of(bool truth) { return {RZ_TARGET_BOOLEAN, truth ? 1.0 : 0.0, {}, {}}; }
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

// How many voters hold something; `known` where the node said so.
using Replication = rz_replication;

struct Delta {
  std::uint64_t seq = 0;
  std::string id, author;  // id in hex
  double timestamp = 0;
  std::vector<Pointer> pointers;
  std::string property;  // of a lossless get
  std::string json;      // the whole row
  Replication replication{};

  static Delta from(const rz_delta_event& event) {
    Delta delta{event.seq,
                std::string(view(event.id)),
                std::string(view(event.author)),
                event.timestamp,
                {},
                std::string(view(event.property)),
                std::string(view(event.json)),
                event.replication};
    for (std::uint64_t i = 0; i < event.pointer_count; ++i)
      delta.pointers.push_back(
          {std::string(view(event.pointers[i].role)), Value::from(event.pointers[i].target)});
    return delta;
  }
};

inline std::vector<std::string> texts(const rz_bytes* first, std::uint64_t count) {
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < count; ++i) out.emplace_back(view(first[i]));
  return out;
}

struct Property {
  std::string name;
  Value value;
  std::uint64_t values = 0;             // different ones that the deltas claim
  std::vector<std::string> decided_by;  // ids of the deltas that decided it
  Replication replication{};
};

struct Entity {
  std::string id;
  std::vector<Property> properties;  // in byte order of their names

  // Null where the entity has no such property.
  const Property* find(ByteView name) const {
    for (const Property& property : properties)
      if (property.name == name) return &property;
    return nullptr;
  }
};

struct Written {
  struct Problem {
    std::uint64_t line = 0;
    std::string message;
  };
  std::uint64_t read = 0, added = 0, known = 0, refused = 0;
  std::vector<std::string> ids;  // hex, one for each draft; empty where it was refused
  std::vector<Problem> problems;
  std::string token;      // for readers elsewhere: they have seen this write (Read::tokens)
  std::string manifest;   // of a transaction or import; empty: none was made
  bool effective = true;  // of a negation: whether it counts
  bool confirmed = false;
  std::string state;  // confirmed, unconfirmed, lost, invalidated; empty where nothing was asked
  std::uint64_t held = 0, voters = 0, roster = 0;
  std::vector<std::string> holders, missing;
};

struct Extent {
  std::uint64_t held = 0, voters = 0, roster = 0;
  std::string state;
  std::vector<std::string> holders, missing;
};

using Summary = rz_summary_event;

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
