// The local door: claims become deltas of this node's author and are admitted and numbered. Also
// takes deltas that are whole already, as they are. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "admission/admission.hpp"
#include "journal/journal.hpp"
#include "runtime/executor.hpp"

namespace rhizome {

// Where a write stands in this node's numbers: what a reader waits for elsewhere.
struct Token {
  NodeKey origin{};
  std::uint64_t epoch = 0, n = 0;
  Hash256 head{};
  std::string to_string() const;  // "ed25519:<hex>/<epoch>/<n>/<head, first 16 digits>"
};

struct LineResult {
  Verdict verdict = Verdict::kRefused;
  DeltaId id;
  Seq seq = 0;
  std::string problem;  // why it was refused
};

struct Written {
  std::vector<LineResult> lines;  // one a line given
  std::size_t added = 0, known = 0, refused = 0;
  std::optional<DeltaId> manifest;
  std::optional<Token> token;  // of the last number given
};

class Authoring {
 public:
  Authoring(Journal& journal, Admission& admission, const SigningKey& author,
            const SigningKey& node, Executor& executor)
      : journal_(journal),
        admission_(admission),
        author_(author),
        node_(node),
        executor_(executor) {}

  // Each line is claims without an author (authored here) or a whole delta {"id"?,"claims","sig"?}
  // or claims with an author (kept as they are). With `manifest`, what is authored here goes
  // unsigned under one signed manifest, which is numbered before its members. A bad line stops
  // nothing.
  Result<Written> write(const std::vector<ByteView>& lines, bool manifest,
                        use::Durability durability = use::Durability::kSynced);

  const std::string& author() const { return author_.author(); }

 private:
  struct Draft;
  Status draft_line(ByteView line, bool sign, std::size_t index, Draft& draft);
  double next_time();
  Status add_manifests(Draft& draft);

  Journal& journal_;
  Admission& admission_;
  const SigningKey& author_;
  const SigningKey& node_;
  Executor& executor_;
  std::mutex clock_mutex_;
  double last_time_ = -1;  // guarded by clock_mutex_; -1: not read from the journal yet
};

}  // namespace rhizome
