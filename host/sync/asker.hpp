// The asking half of reconciliation: one session at a time, down the rungs (digest, sketch under
// the shared key, sketch under a key of its own, ranges), then the bodies. On the fabric's strand;
// reading, decoding and admission on the work strand, never both at once for one session.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "sync/context.hpp"
#include "sync/index_ranges.hpp"
#include "sync/messages.hpp"

namespace rhizome::sync {

struct ShortIdHash {
  std::size_t operator()(const ShortId& id) const {
    std::size_t h;
    std::memcpy(&h, id.data(), sizeof h);
    return h;
  }
};
using ShortIds = std::unordered_set<ShortId, ShortIdHash>;

class Asker : public std::enable_shared_from_this<Asker> {
 public:
  explicit Asker(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  void greeted(const LinkedPeer& peer);
  void gone(const LinkKey& link);
  void heartbeat();
  void committed(Seq first, Seq last, std::span<const Statement> statements);
  void in_sync(const LinkKey& link, bool was_asked);
  void offered(const LinkKey& link, std::vector<ShortId> ids);

 private:
  // Where the next session with a peer begins: a rung whose result was wrong is not tried again.
  enum class Rung : std::uint8_t { kSketch, kKeyed, kRanges };
  struct Peer {
    std::uint64_t due_ns = 0;
    unsigned fruitless = 0;  // sessions in a row that brought nothing
    Rung rung = Rung::kSketch;
    std::vector<ShortId> offered;  // it says that we lack these
  };
  enum class End : std::uint8_t { kInSync, kSettled, kHidden, kBroken, kFailed };
  struct Session {
    LinkKey link{};
    NodeKey key{};
    Rung rung = Rung::kSketch;
    std::shared_ptr<const Shareable> ours;
    std::unique_ptr<SketchDifference> difference;
    std::int64_t sizes = 0;  // theirs - ours
    std::shared_ptr<const Sketch> keyed;
    Salt salt{};
    std::unique_ptr<IndexRanges> items;
    std::unique_ptr<negentropy::Session> ranges;
    bool whole = false;  // the rung found all that differs
    std::size_t bytes = 0;
    std::vector<ShortId> have;  // they lack these
    ShortIds need;              // still wanted from them
    bool needed_any = false, had_any = false;
    bool by_offer = false;  // it is about what the peer offered, nothing was compared
    std::size_t delivered = 0, fetched = 0, admitting = 0;
    bool ended = false, failed = false;  // of the request under way
  };
  using Held = std::shared_ptr<Session>;

  bool is_current(const Held& session) const { return session_ == session && !context_->stopped; }
  void start(const LinkKey& link, Peer& peer);
  // Runs `work` on the work strand, then `then` on the fabric's with what it gave.
  void off_strand(const Held& session, std::function<Status()> work,
                  std::function<void(const Status&)> then);
  enum class Answers : std::uint8_t { kOne, kSome };
  void ask(const Held& session, const Request& request, Answers answers,
           std::function<void(const Reply& reply, bool last)> handler);

  void compare(const Held& session);
  void on_cells(const Held& session, ByteView cells);
  void next_cells(const Held& session);
  void ask_keyed(const Held& session, double estimate);
  void on_keyed_cells(const Held& session, ByteView cells, bool last);
  void ask_ranges(const Held& session);
  void send_ranges(const Held& session, const std::string& message);
  void on_ranges(const Held& session, const RangesReply& reply);
  void take_difference(const Held& session);
  Status sort_out(Session& session);  // what of it is news, on the work strand
  void offer(const Held& session);
  void want(const Held& session);
  void on_bodies(const Held& session, const std::shared_ptr<std::string>& bytes,
                 const Bodies& bodies);
  Status admit(Session& session, const Bodies& bodies);
  void after_want(const Held& session);
  void finish(const Held& session, End end);
  void conclude(const Held& session, End end);

  const std::shared_ptr<Context> context_;
  std::map<LinkKey, Peer> peers_;
  Held session_;
  std::uint64_t committed_ns_ = 0;
  // Ids whose deltas policy refused: not asked for again until it may have changed. The work
  // strand's.
  ShortIds refused_;
  std::uint64_t refused_since_ns_ = 0;
};

}  // namespace rhizome::sync
