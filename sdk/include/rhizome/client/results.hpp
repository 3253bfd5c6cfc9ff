// The values that rhizome/client.hpp gives, owning their memory; each is made from an event of
// rhizome/client/events.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rhizome/client/types.hpp"

namespace rhizome::client {

inline std::vector<std::string> texts(const rz_bytes* first, std::uint64_t count) {
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < count; ++i) out.emplace_back(view(first[i]));
  return out;
}

// How many voters hold something, and how far that is to be relied on; `known` where the node said.
struct Replication {
  bool known = false, provisional = false;
  std::uint64_t held = 0, voters = 0;
  double durability = 0, belief = 0;

  static Replication from(const rz_replication* said) {
    if (said == nullptr) return {};
    return {true, said->provisional != 0, said->held, said->voters, said->durability, said->belief};
  }
};

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
                Replication::from(event.replication)};
    for (std::uint64_t i = 0; i < event.pointer_count; ++i) {
      const rz_role& pointer = *RZ_AT(rz_role, event.pointers, event.pointer_stride, i);
      delta.pointers.push_back({std::string(view(pointer.role)), Value::from(pointer.target)});
    }
    return delta;
  }
};

struct Property {
  std::string name;
  Value value;
  std::uint64_t values = 0;             // different ones that the deltas claim
  std::vector<std::string> decided_by;  // ids of the deltas that decided it
  Replication replication{};
};

// What became of the tokens of a read.
struct Tokens {
  struct Entry {
    std::string token, state;  // held, pending, lost or invalidated
  };
  bool provisional = false;  // one of them is not held: the answer has not seen that write
  std::vector<Entry> entries;

  static Tokens from(const rz_tokens_event& event) {
    Tokens tokens{event.provisional != 0, {}};
    for (std::uint64_t i = 0; i < event.count; ++i) {
      const rz_token_state& entry = *RZ_AT(rz_token_state, event.tokens, event.stride, i);
      tokens.entries.push_back({std::string(view(entry.token)), std::string(view(entry.state))});
    }
    return tokens;
  }
};

struct Entity {
  std::string id;
  std::vector<Property> properties;  // in byte order of their names
  Tokens tokens;

  // Null where the entity has no such property.
  const Property* find(ByteView name) const {
    for (const Property& property : properties)
      if (property.name == name) return &property;
    return nullptr;
  }
};

// Who holds a delta or a write.
struct Extent {
  bool confirmed = false;  // of a write: as many as were asked for hold it
  std::uint64_t held = 0, voters = 0, roster = 0;
  std::string state;        // known, lost, invalidated; of a write: confirmed, unconfirmed, ...
  std::string token_state;  // of a token: held, pending, lost, invalidated
  std::string problem;      // why a confirmation could not be looked at
  std::vector<std::string> holders, missing;

  static Extent from(const rz_extent_event& event) {
    return {event.confirmed != 0,
            event.held,
            event.voters,
            event.roster,
            std::string(view(event.state)),
            std::string(view(event.token_state)),
            std::string(view(event.problem)),
            texts(event.holders, event.holder_count),
            texts(event.missing, event.missing_count)};
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
  std::string token;     // for readers elsewhere: they have seen this write (Read::tokens)
  std::string manifest;  // of a transaction or import; empty: none was made
  // Of a negation: whether the node holds the delta, and whether the negation takes it back.
  bool target_held = false, effective = false;
  std::optional<Extent> confirmation;  // where one was asked for
};

struct Summary {
  std::uint64_t matched = 0, examined = 0;
  std::uint64_t errors = 0;  // deltas on which the filter failed: no matches
  std::uint64_t last = 0;    // `after` of the next page
  bool has_more = false;     // the limit or a cancel ended it
  bool canceled = false;
  Tokens tokens;
};

// Of a request of docs/control.md.
struct Reply {
  std::string header, blob;
};

}  // namespace rhizome::client
