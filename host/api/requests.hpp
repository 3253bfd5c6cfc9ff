// What each operation takes and gives. Plain values without JSON, any thread; docs/control.md says
// what the members mean, under the same names.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "api/reading.hpp"
#include "authoring/authoring.hpp"
#include "feeds/messages.hpp"
#include "views/entity.hpp"

namespace rhizome::api {

// ---- writing
struct ConfirmRequest {
  std::string need;  // "local", a number of voters, "majority", "all", or names with commas
  std::uint64_t deadline_ms = 10'000;  // at most kMaxDeadlineMs
};
struct WriteRequest {
  std::vector<Draft> drafts;  // each owns its texts
  WriteOptions options;
  std::optional<ConfirmRequest> confirm;
};
enum class ConfirmState : std::uint8_t { kConfirmed, kUnconfirmed, kLost, kInvalidated };
const char* confirm_state_name(ConfirmState state);
// Which nodes hold something, by name; ascending.
struct HolderNames {
  std::vector<std::string> holders, missing;  // voters
  std::vector<std::string> non_voters;        // that hold it too
};
struct Confirmation {
  std::string requested;
  ConfirmState state = ConfirmState::kUnconfirmed;
  std::uint64_t held = 0, voters = 0, roster = 0;  // roster: the version that was counted by
  std::uint64_t at_ms = 0;                         // wall clock
  double durability = 0;
  HolderNames names;
  std::string problem;  // why it could not be looked at; empty: it was
};
struct WriteResult {
  Written written;
  std::optional<Confirmation> confirmation;
  bool canceled = false;  // the wait was; the write stands
};

struct NegateRequest {
  std::string delta;  // id in hex
  std::optional<std::string> reason;
};
struct NegateResult {
  Written written;
  bool target_held = false;
  bool effective = false;     // the target is held and by this author: the negation takes it back
  std::string target_author;  // where it is held
};

// ---- reading
struct GetRequest {
  std::string entity;
  bool lossless = false;
  std::string resolver;          // empty: the node's default (`views` of its config)
  std::string resolver_options;  // a JSON object; empty: none, or the config's for the default
  ReadOptions read;
};
struct GetResult {
  std::variant<EntityView, LosslessView> view;
  TokensRead tokens;
  bool canceled = false;  // the wait for the tokens was
};

struct QueryRequest {
  std::optional<std::string> filter;  // a rule's source
  std::string language;               // of the filter; empty: the node's default
  std::optional<std::string> entity, context, author;
  Seq after = 0;  // only behind this position
  std::uint64_t limit = UINT64_MAX;
  bool annotate = false;  // an annotation with each row
  ReadOptions read;
};
struct SubscribeRequest {
  QueryRequest query;
  bool from_now = false;  // nothing that is held already
  std::string resume;     // a token of an earlier batch; empty: from `query.after`
  feeds::Policy policy = feeds::Policy::kBlock;
  std::uint64_t queue_limit = 1024;  // events that may wait before the policy acts
};
// At a peer, by its name or its key in text. Its journal, its positions: `after`, `annotate` and
// `read` are refused.
struct PeerQueryRequest {
  std::string peer;
  QueryRequest query;
  std::string resume;
};

// ---- which nodes hold what
struct ExtentRequest {
  std::string delta;  // id in hex
  std::string token;  // or what a write gave
};
struct ExtentResult {
  struct OriginNumber {
    Label label;
    std::string name;
  };
  struct Source {
    NodeKey key{};
    std::string name;
    std::optional<double> confidence;  // that it expressed
  };
  Extent extent;
  HolderNames names;
  double durability = 0;
  // Of a delta.
  std::optional<double> belief;
  std::vector<OriginNumber> origin_numbers;
  std::optional<Source> source;
  // Of a token.
  std::optional<TokenState> token_state;
};

struct DigestResult {
  Hash256 digest{};
  std::uint64_t deltas = 0;
  Seq last = 0;
};
struct RosterResult {
  std::shared_ptr<const Roster> roster;
  NodeKey self{};
  std::optional<NodeKey> authority;
};

// ---- taking part
struct InviteRequest {
  std::string address;  // empty: where this node can be dialled
  std::uint64_t seconds = 24 * 3600;
};
struct InviteResult {
  std::string line;
  std::uint64_t seconds = 0;
};

}  // namespace rhizome::api
