// Subscriptions on this node's journal or at a peer, and queries at a peer, as row streams.
#include <algorithm>
#include <atomic>

#include "api/api.hpp"
#include "api/token_wait.hpp"
#include "json/bounded.hpp"

namespace rhizome::api {

namespace {

using feeds::Feed;
using feeds::FeedBatch;
using nlohmann::json;

// One subscription on its way to one consumer. With `needs`: of this node's own journal; a row that
// is not confirmed as it asks holds back those behind it until it is confirmed or never can be.
class SubscriptionStream final : public RowStream,
                                 public std::enable_shared_from_this<SubscriptionStream> {
 public:
  struct Plan {
    std::shared_ptr<Feed> feed;
    std::optional<NodeKey> peer;
    std::uint64_t limit = UINT64_MAX;
    bool annotate = false;
    std::optional<ReadNeeds> needs;
  };
  SubscriptionStream(const Parts& parts, std::shared_ptr<Waits> waits, Plan plan, Ready ready)
      : parts_(parts),
        waits_(std::move(waits)),
        plan_(std::move(plan)),
        ready_(std::make_shared<Ready>(std::move(ready))),
        left_(plan_.limit) {}
  ~SubscriptionStream() override {
    if (tokens_ != nullptr) tokens_->cancel();
    plan_.feed->close();
  }
  SubscriptionStream(const SubscriptionStream&) = delete;
  SubscriptionStream& operator=(const SubscriptionStream&) = delete;

  void begin() {
    plan_.feed->on_news([ready = ready_] { (*ready)(); });
    if (!plan_.needs) {
      open();
      return;
    }
    tokens_ =
        TokenWait::begin(*waits_, parts_.extents, *plan_.needs, [ready = ready_] { (*ready)(); });
    prepare();
  }

  std::optional<RowBatch> next() override {
    if (over_) return std::nullopt;
    if (canceled_ || left_ == 0 || ended_ || !prepare()) {
      if (!canceled_ && left_ != 0 && !ended_) return std::nullopt;
      return finish();
    }
    if (ended_) return finish();
    if (paused_) return std::nullopt;
    if (!batch_ && !take()) return std::nullopt;
    RowBatch out;
    out.deltas = deltas_;
    const Result<bool> whole = add_rows(out);
    if (!whole.ok()) {
      ended_ = whole.status();
      return finish();
    }
    if (*whole) end_batch(out);
    if (!*whole && out.rows.empty()) return std::nullopt;
    return out;
  }
  void pause(bool paused) override {
    paused_ = paused;
    plan_.feed->pause(paused);
  }
  void cancel() override {
    canceled_ = true;
    if (tokens_ != nullptr) tokens_->cancel();
  }

 private:
  // Opens the feed once the tokens are known; false until then.
  bool prepare() {
    if (opened_) return true;
    const auto tokens = tokens_->result();
    if (!tokens) return false;
    if (!tokens->ok()) {
      opened_ = true;
      ended_ = tokens->status();
      return true;
    }
    reader_.emplace(parts_.extents, *plan_.needs, **tokens);
    open();
    return true;
  }
  void open() {
    opened_ = true;
    if (const Status opened = parts_.feeds->open(plan_.feed, plan_.peer); !opened.ok())
      ended_ = opened;
  }

  bool take() {
    batch_ = plan_.feed->take();
    if (!batch_) return false;
    deltas_ = std::make_shared<const DeltaBatch>(std::move(batch_->deltas));
    next_ = 0;
    return true;
  }

  // Rows of the batch from `next_` on; false where one of them is held back.
  Result<bool> add_rows(RowBatch& out) {
    if (reader_) {
      if (reader_->filters()) listen();  // before the look: a change from here on makes it ready
      reader_->renew();
    }
    for (; next_ < deltas_->size() && left_ != 0; ++next_) {
      Row row{batch_->seqs[next_], (*deltas_)[next_], std::nullopt};
      if (reader_) {
        const auto eligible = reader_->eligibility(row.seq);
        if (!eligible.ok()) return eligible.status();
        if (*eligible == Reader::Eligibility::kNotYet) return false;
        if (*eligible == Reader::Eligibility::kNever) continue;
      }
      if (plan_.annotate) {
        Result<Annotation> annotation = reader_->annotate({&row.seq, 1});
        if (!annotation.ok()) return annotation.status();
        row.annotation = *annotation;
      }
      last_ = row.seq;
      ++matched_;
      if (left_ != UINT64_MAX) --left_;
      out.rows.push_back(row);
    }
    return true;
  }

  void listen() {
    if (listening_->exchange(true)) return;
    waits_->after_change([listening = listening_, ready = ready_] {
      *listening = false;
      (*ready)();
    });
  }

  void end_batch(RowBatch& out) {
    const FeedBatch batch = std::move(*batch_);
    batch_.reset();
    // Cut short by its limit it has no token: one would stand behind rows that were not given.
    const bool whole = next_ == deltas_->size();
    token_ = whole ? feeds::to_token(batch.cursor) : std::string();
    if (whole) last_ = std::max(last_, batch.cursor.next.seq - 1);
    RowPosition& position = out.position.emplace();
    position.after = whole ? batch.cursor.next.seq - 1 : last_;
    position.live = batch.live && whole;
    position.resume = token_;
    position.refused = batch.refused;
    position.by_origin_numbers = batch.by_labels;
    position.dropped = batch.dropped;
    if (reader_ && !reader_->tokens().tokens.empty() && !std::exchange(tokens_given_, true))
      out.tokens = reader_->tokens();
    ended_ = batch.ended;
  }

  RowBatch finish() {
    over_ = true;
    plan_.feed->close();
    RowBatch batch;
    RowsEnd& end = batch.end.emplace();
    if (ended_ && ended_->code() != Code::kEnd && !canceled_) end.status = *ended_;
    end.canceled = canceled_;
    end.matched = matched_;
    end.last = last_;
    end.resume = token_;
    return batch;
  }

  const Parts& parts_;
  const std::shared_ptr<Waits> waits_;
  const Plan plan_;
  const std::shared_ptr<Ready> ready_;
  std::shared_ptr<TokenWait> tokens_;
  std::optional<Reader> reader_;
  const std::shared_ptr<std::atomic<bool>> listening_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<FeedBatch> batch_;  // on its way; its deltas are in `deltas_`
  std::shared_ptr<const DeltaBatch> deltas_;
  std::size_t next_ = 0;  // the first row of it that was not given
  std::uint64_t left_, matched_ = 0;
  Seq last_ = 0;
  std::string token_;
  bool opened_ = false, paused_ = false, canceled_ = false, over_ = false, tokens_given_ = false;
  std::optional<Status> ended_;
};

Status check_feeds(const Parts& parts, const char* operation) {
  if (parts.feeds != nullptr) return {};
  return {Code::kUnsupported, std::string(operation) + ": this node keeps no subscriptions"};
}

// What this node knows of extents is of its own positions.
Status refuse_reading(const QueryRequest& query, const char* operation) {
  if (query.annotate || query.read.min_confirm || !query.read.tokens.empty())
    return {Code::kInvalid, std::string(operation) +
                                ": extent, min_confirm and tokens are of this node's journal, not "
                                "of a peer's"};
  return {};
}

}  // namespace

// What the conditions ask for together, as JSON-Logic: the form in which filters travel.
Result<std::string> Api::rule_of(const QueryRequest& query) const {
  json all = json::array();
  const auto filter = compile(query);
  if (!filter.ok()) return filter.status();
  if (*filter) {
    const Result<std::string> rule = (*filter)->to_json_logic();
    if (!rule.ok()) return rule.status();
    Result<json> parsed = parse_json(*rule);  // the language's plugin wrote it
    if (!parsed.ok()) return std::move(parsed).status().with_context("the filter as JSON-Logic");
    all.push_back(std::move(*parsed));
  }
  if (query.entity && query.context)
    all.push_back({{"@entity", json::array({*query.entity, *query.context})}});
  else if (query.entity)
    all.push_back({{"@entity", *query.entity}});
  else if (query.context)
    all.push_back({{"@context", *query.context}});
  if (query.author) all.push_back({{"===", json::array({json{{"var", "author"}}, *query.author})}});
  const std::string rule = all.empty()       ? "true"
                           : all.size() == 1 ? all[0].dump()
                                             : json{{"and", all}}.dump();
  // Other nodes need not know the shorthands.
  if (!parts_.json_logic)
    return Status(Code::kUnsupported,
                  "filters travel as JSON-Logic, and no filter language here has the capability "
                  "`json-logic`; add `jsonlogic` under `filters` in the config");
  const Result<use::Filter> whole = use::Filter::compile(parts_.json_logic, rule);
  if (!whole.ok()) return whole.status();
  return whole->to_json_logic();
}

Result<NodeKey> Api::peer_of(const std::string& name) const {
  if (parts_.core != nullptr)
    for (const MemberStatus& member : parts_.core->fabric().members())
      if (member.name == name) return member.key;
  if (const auto key = author_key(name)) return *key;
  return Status(Code::kNotFound,
                "this node knows no peer '" + name.substr(0, 80) + "'; see `rhizome peers`");
}

Result<feeds::Subscribe> Api::wanted_of(const SubscribeRequest& request, bool at_peer) const {
  Result<std::string> rule = rule_of(request.query);
  if (!rule.ok()) return rule.status();
  feeds::Subscribe wanted;
  wanted.rule = std::move(*rule);
  wanted.policy = request.policy;
  wanted.room = request.queue_limit;
  const Seq after = request.query.after;
  if (!request.resume.empty()) {
    if (request.from_now || after != 0)
      return Status(Code::kInvalid, "resume: leave out `from` and `after`");
    Result<feeds::Cursor> cursor = feeds::from_token(request.resume);
    if (!cursor.ok()) return cursor.status();
    wanted.start = feeds::Start::kCursor;
    wanted.cursor = std::move(*cursor);
  } else if (request.from_now) {
    wanted.start = feeds::Start::kNow;
  } else if (after != 0) {
    if (at_peer)
      return Status(Code::kInvalid, "positions are this node's; at a peer resume by a token");
    wanted.start = feeds::Start::kCursor;
    wanted.cursor =
        parts_.feeds->publisher().cursor_at({std::min(after, parts_.journal.last()) + 1, 0});
  }
  return wanted;
}

Result<std::shared_ptr<RowStream>> Api::subscribe(const Principal& by, SubscribeRequest request,
                                                  Ready ready) {
  RZ_TRY(require(by, Role::kRead, "subscribe"));
  RZ_TRY(check_feeds(parts_, "subscribe"));
  Result<feeds::Subscribe> wanted = wanted_of(request, false);
  if (!wanted.ok()) return wanted.status();
  Result<ReadNeeds> needs = check(request.query.read, parts_.extents);
  if (!needs.ok()) return needs.status();
  auto stream = std::make_shared<SubscriptionStream>(
      parts_, waits_,
      SubscriptionStream::Plan{std::make_shared<Feed>(std::move(*wanted)), std::nullopt,
                               request.query.limit, request.query.annotate, std::move(*needs)},
      std::move(ready));
  stream->begin();
  return std::shared_ptr<RowStream>(std::move(stream));
}

Result<std::shared_ptr<RowStream>> Api::subscribe_at_peer(const Principal& by,
                                                          const std::string& peer,
                                                          SubscribeRequest request, Ready ready) {
  RZ_TRY(require(by, Role::kRead, "subscribe"));
  RZ_TRY(check_feeds(parts_, "subscribe"));
  RZ_TRY(refuse_reading(request.query, "subscribe"));
  const Result<NodeKey> key = peer_of(peer);
  if (!key.ok()) return key.status();
  Result<feeds::Subscribe> wanted = wanted_of(request, true);
  if (!wanted.ok()) return wanted.status();
  auto stream = std::make_shared<SubscriptionStream>(
      parts_, waits_,
      SubscriptionStream::Plan{std::make_shared<Feed>(std::move(*wanted)), *key,
                               request.query.limit, false, std::nullopt},
      std::move(ready));
  stream->begin();
  return std::shared_ptr<RowStream>(std::move(stream));
}

// One pass over what the peer holds, matched there.
Result<std::shared_ptr<RowStream>> Api::query_at_peer(const Principal& by, PeerQueryRequest request,
                                                      Ready ready) {
  RZ_TRY(require(by, Role::kRead, "query"));
  RZ_TRY(check_feeds(parts_, "query"));
  RZ_TRY(refuse_reading(request.query, "query"));
  const Result<NodeKey> key = peer_of(request.peer);
  if (!key.ok()) return key.status();
  const std::uint64_t limit = request.query.limit;
  SubscribeRequest once;
  once.query = std::move(request.query);
  once.resume = std::move(request.resume);
  Result<feeds::Subscribe> wanted = wanted_of(once, true);
  if (!wanted.ok()) return wanted.status();
  auto feed = std::make_shared<Feed>(std::move(*wanted));
  feed->query_limit = limit == UINT64_MAX ? 0 : limit;
  auto stream = std::make_shared<SubscriptionStream>(
      parts_, waits_,
      SubscriptionStream::Plan{std::move(feed), *key, UINT64_MAX, false, std::nullopt},
      std::move(ready));
  stream->begin();
  return std::shared_ptr<RowStream>(std::move(stream));
}

Result<std::vector<feeds::SubscriptionStatus>> Api::subscriptions(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "subscriptions"));
  RZ_TRY(check_feeds(parts_, "subscriptions"));
  return parts_.feeds->publisher().subscriptions();
}

}  // namespace rhizome::api
