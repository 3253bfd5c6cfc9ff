// Between the C++ values of rhizome/client/types.hpp and the structs of rhizome/client.h. For
// rhizome/client.hpp; what goes out borrows from what came in.
#pragma once

#include <span>
#include <vector>

#include "rhizome/client/types.hpp"

namespace rhizome::client::arguments {

class Drafts {
 public:
  explicit Drafts(std::span<const Draft> drafts) {
    roles_.reserve(drafts.size());
    for (const Draft& draft : drafts) {
      std::vector<rz_role>& roles = roles_.emplace_back();
      for (const Pointer& pointer : draft.pointers)
        roles.push_back({rhizome::to_abi(pointer.role), pointer.target.to_abi()});
      drafts_.push_back({roles.data(), roles.size(), draft.timestamp});
    }
  }
  const rz_draft* data() const { return drafts_.data(); }
  std::uint64_t size() const { return drafts_.size(); }

 private:
  std::vector<std::vector<rz_role>> roles_;
  std::vector<rz_draft> drafts_;
};

class Reads {
 public:
  explicit Reads(const Read& read) : read_(read) {
    for (const std::string& token : read.tokens) tokens_.push_back(rhizome::to_abi(token));
  }
  rz_read abi() const {
    return {rhizome::to_abi(read_.min_confirm), tokens_.data(), tokens_.size(), read_.deadline_ms};
  }

 private:
  const Read& read_;
  std::vector<rz_bytes> tokens_;
};

inline rz_confirm of(const Confirm& confirm) {
  return {rhizome::to_abi(confirm.need), confirm.deadline_ms};
}

inline rz_query of(const Query& query, const Reads& reads) {
  return {sizeof(rz_query),
          query.extent ? 1u : 0u,
          rhizome::to_abi(query.filter),
          rhizome::to_abi(query.language),
          rhizome::to_abi(query.entity),
          rhizome::to_abi(query.context),
          rhizome::to_abi(query.author),
          query.after,
          query.limit,
          reads.abi()};
}

inline rz_subscription of(const SubscribeTo& wanted, const Reads& reads) {
  return {sizeof(rz_subscription),
          wanted.from_now ? 1u : 0u,
          of(wanted.query, reads),
          rhizome::to_abi(wanted.resume),
          rhizome::to_abi(wanted.peer),
          rhizome::to_abi(wanted.policy),
          wanted.queue_limit};
}

inline Property from(const rz_property_event& event) {
  return {std::string(view(event.name)), Value::from(event.value), event.values,
          texts(event.decided_by, event.decided_by_count), event.replication};
}

inline Extent from(const rz_extent_event& event) {
  return {event.held,
          event.voters,
          event.roster,
          std::string(view(event.state)),
          texts(event.holders, event.holder_count),
          texts(event.missing, event.missing_count)};
}

inline Written from(const rz_written_event& event) {
  Written written;
  written.read = event.read;
  written.added = event.added;
  written.known = event.known;
  written.refused = event.refused;
  written.ids = texts(event.ids, event.id_count);
  for (std::uint64_t i = 0; i < event.problem_count; ++i)
    written.problems.push_back(
        {event.problems[i].line, std::string(view(event.problems[i].message))});
  written.token = view(event.token);
  written.manifest = view(event.manifest);
  written.effective = event.effective != 0;
  written.confirmed = event.confirmed != 0;
  written.state = view(event.state);
  written.held = event.held;
  written.voters = event.voters;
  written.roster = event.roster;
  written.holders = texts(event.holders, event.holder_count);
  written.missing = texts(event.missing, event.missing_count);
  return written;
}

}  // namespace rhizome::client::arguments
