// The local door: claims become deltas of this node's author and are admitted and numbered. Also
// takes deltas that are whole already, as they are. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
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
  std::optional<DeltaId> manifest;  // the first one made
  std::optional<Token> token;       // of the last number given
};

// Who signs for what came unsigned.
enum class Cover : std::uint8_t {
  kEach,         // each of this node's author by itself; unsigned ones of others stay local
  kManifest,     // one signed manifest a run of up to 2,048: a bulk import, one signature for many
  kTransaction,  // one manifest over all of them: all show or none, and one bad line refuses all
};

struct WriteOptions {
  Cover cover = Cover::kEach;
  use::Durability durability = use::Durability::kSynced;
  // Date each delta behind what it replaces: the newest under its entities and contexts.
  bool replace = false;
};

class Authoring {
 public:
  static constexpr std::size_t kMaxLines = 60000;  // a write; leaves room for its manifests
  // Not dated behind what claims to be from further ahead than this: nobody would take it.
  static constexpr double kMaxFutureMs = 15 * 60 * 1000;

  Authoring(Journal& journal, Admission& admission, const SigningKey& author,
            const SigningKey& node, Executor& executor)
      : journal_(journal),
        admission_(admission),
        author_(author),
        node_(node),
        executor_(executor) {}

  // Each line is claims without an author (authored here: dated by the author's clock where it has
  // no timestamp, texts in NFC), or claims with an author or a whole delta {"id"?,"claims","sig"?},
  // kept as they are. Under kManifest, unsigned ones of others are vouched for, except where a
  // manifest lists them already. Manifests
  // are numbered before their members. A bad line stops nothing but its transaction. kLimit over
  // kMaxLines.
  Result<Written> write(const std::vector<ByteView>& lines, const WriteOptions& options = {});

  const std::string& author() const { return author_.author(); }

 private:
  struct Draft;
  Result<double> reserve_time(std::size_t count);
  Status draft_line(ByteView line, double time, bool replace, std::size_t index,
                    Draft& draft) const;
  Status date_behind_replaced(std::string& claims) const;
  void sign_each(Draft& draft);
  Status leave_out_covered(Draft& draft) const;
  Status add_manifests(std::size_t members_each, Draft& draft);
  Status admit(const WriteOptions& options, Draft& draft);

  Journal& journal_;
  Admission& admission_;
  const SigningKey& author_;
  const SigningKey& node_;
  Executor& executor_;
  std::mutex clock_mutex_;
  double last_time_ = -1;     // guarded by clock_mutex_; -1: not read from the journal yet
  double reserved_time_ = 0;  // guarded by clock_mutex_; what the journal's note says
};

}  // namespace rhizome
