// Waiting for voters and for tokens, and how extents are told. Private to host/control; on a
// connection's thread, which may wait for its own client's sake.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/request.hpp"
#include "extent/snapshot.hpp"

namespace rhizome {

// How long a request may wait, and what for.
struct Wait {
  std::uint64_t deadline_ms = 10'000;
  static constexpr std::uint64_t kMaxMs = 3'600'000;
};
// The field `deadline_ms`; kInvalid above an hour.
Result<Wait> wait_of(const Request& request);

// Calls `look` at once and whenever the journal or an extent changed, until it answers true, the
// deadline passes or the client cancels. kClosed where the client left. True where `look` was
// satisfied.
Result<bool> wait_until(Request& request, const Wait& wait,
                        const std::function<Result<bool>()>& look);

// {"held","voters"}
Request::Json extent_json(const Extent& extent);
// {"durability","belief"}
Request::Json confidence_json(const Confidence& confidence);
// {"holders":[name],"missing":[name],"others":[name]}: who holds it, which voters do not.
void add_names(const Extent& extent, const Roster& roster, const ExtentBook& book,
               Request::Json& out);
const char* state_name(LabelState state);

// Many deltas as few questions: runs of numbers that stand in nobody else's too, and the others one
// by one.
class WrittenLabels {
 public:
  Status add(const Journal& journal, Seq seq);
  bool empty() const { return runs_.empty() && others_.empty(); }
  // Who holds all of them. REQUIRES: not empty.
  Extent extent(ExtentSnapshot& snapshot) const;

 private:
  struct Run {
    EpochKey key;
    std::uint64_t first, last;
  };
  std::vector<Run> runs_;
  std::vector<std::vector<Label>> others_;
};

// Waits for what was written to reach `need`, and says what it reached: the member `confirm` of a
// write's answer.
Result<Request::Json> confirm(Request& request, const std::string& need, const Wait& wait,
                              const WrittenLabels& written);

}  // namespace rhizome
