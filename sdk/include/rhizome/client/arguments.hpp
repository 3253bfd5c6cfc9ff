// Between the C++ values of rhizome/client/types.hpp and the structs of rhizome/client.h. For
// rhizome/client.hpp; what goes out borrows from what came in.
#pragma once

#include <span>
#include <vector>

#include "rhizome/client/results.hpp"

namespace rhizome::client::arguments {

class Drafts {
 public:
  explicit Drafts(std::span<const Draft> drafts) {
    roles_.reserve(drafts.size());
    for (const Draft& draft : drafts) {
      std::vector<rz_role>& roles = roles_.emplace_back();
      for (const Pointer& pointer : draft.pointers)
        roles.push_back({rhizome::to_abi(pointer.role), pointer.target.to_abi()});
      drafts_.push_back({roles.data(), roles.size(), sizeof(rz_role), draft.timestamp});
    }
  }
  const rz_draft* data() const { return drafts_.data(); }
  std::uint64_t size() const { return drafts_.size(); }

 private:
  std::vector<std::vector<rz_role>> roles_;
  std::vector<rz_draft> drafts_;
};

inline rz_confirm of(const Confirm& confirm) {
  return {sizeof(rz_confirm), 0, rhizome::to_abi(confirm.need), confirm.deadline_ms};
}

class Reads {
 public:
  explicit Reads(const Read& read) {
    for (const std::string& token : read.tokens) tokens_.push_back(rhizome::to_abi(token));
    abi_ = {sizeof abi_,     0, rhizome::to_abi(read.min_confirm), tokens_.data(), tokens_.size(),
            read.deadline_ms};
  }
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;
  const rz_read* abi() const { return &abi_; }

 private:
  std::vector<rz_bytes> tokens_;
  rz_read abi_;
};

inline rz_query of(const Query& query, const Reads& reads) {
  return {sizeof(rz_query),
          query.extent ? RZ_QUERY_EXTENT : 0u,
          rhizome::to_abi(query.filter),
          rhizome::to_abi(query.language),
          rhizome::to_abi(query.entity),
          rhizome::to_abi(query.context),
          rhizome::to_abi(query.author),
          query.after,
          query.limit,
          reads.abi()};
}

inline rz_subscription of(const SubscribeTo& wanted, const rz_query& query) {
  return {sizeof(rz_subscription),
          wanted.from_now ? RZ_SUBSCRIBE_FROM_NOW : 0u,
          &query,
          rhizome::to_abi(wanted.resume),
          rhizome::to_abi(wanted.peer),
          rhizome::to_abi(wanted.policy),
          wanted.queue_limit};
}

inline Property from(const rz_property_event& event) {
  return {std::string(view(event.name)), Value::from(event.value), event.values,
          texts(event.decided_by, event.decided_by_count), Replication::from(event.replication)};
}

inline void add(const rz_summary_event& event, Summary& summary) {
  summary.matched = event.matched;
  summary.examined = event.examined;
  summary.errors = event.errors;
  summary.last = event.last;
  summary.has_more = event.has_more != 0;
  summary.canceled = event.canceled != 0;
}

inline Written from(const rz_written_event& event) {
  Written written;
  written.read = event.read;
  written.added = event.added;
  written.known = event.known;
  written.refused = event.refused;
  written.ids = texts(event.ids, event.id_count);
  for (std::uint64_t i = 0; i < event.problem_count; ++i) {
    const rz_write_problem& problem =
        *RZ_AT(rz_write_problem, event.problems, event.problem_stride, i);
    written.problems.push_back({problem.line, std::string(view(problem.message))});
  }
  written.token = view(event.token);
  written.manifest = view(event.manifest);
  written.target_held = event.target_held != 0;
  written.effective = event.effective != 0;
  if (event.confirmation != nullptr) written.confirmation = Extent::from(*event.confirmation);
  return written;
}

}  // namespace rhizome::client::arguments
