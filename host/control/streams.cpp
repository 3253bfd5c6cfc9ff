// What goes on: subscriptions on this node's journal or at a peer, and queries at a peer. Each runs
// on its connection's thread; a client that does not read holds up its own feed alone.
#include <poll.h>

#include <algorithm>
#include <memory>

#include "control/reader.hpp"
#include "control/request.hpp"
#include "control/signal.hpp"

namespace rhizome::operations {

namespace {

using Json = Request::Json;
using feeds::Cursor;
using feeds::Feed;
using feeds::FeedBatch;
using feeds::Start;
using feeds::Subscribe;

// What the request's fields ask for together, as JSON-Logic: the form in which filters travel.
Result<std::string> rule_of(const Request& request) {
  Json all = Json::array();
  const auto filter = filter_of(request);
  if (!filter.ok()) return filter.status();
  if (*filter) {
    const Result<std::string> rule = (*filter)->to_json_logic();
    if (!rule.ok()) return rule.status();
    all.push_back(Json::parse(*rule, nullptr, false));
  }
  const auto entity = request.text("entity"), context = request.text("context");
  if (entity && context)
    all.push_back({{"@entity", Json::array({*entity, *context})}});
  else if (entity)
    all.push_back({{"@entity", *entity}});
  else if (context)
    all.push_back({{"@context", *context}});
  if (const auto author = request.text("author"))
    all.push_back({{"===", Json::array({{{"var", "author"}}, *author})}});
  const std::string rule = all.empty()       ? "true"
                           : all.size() == 1 ? all[0].dump()
                                             : Json{{"and", all}}.dump();
  // Other nodes need not know the shorthands.
  const auto language = request.services().filters.find("jsonlogic");
  if (language == request.services().filters.end())
    return Status(Code::kUnsupported, request.op() +
                                          ": filters travel as JSON-Logic; add "
                                          "`jsonlogic` under `filters` in the config");
  const Result<use::Filter> whole = use::Filter::compile(language->second, rule);
  if (!whole.ok()) return whole.status();
  return whole->to_json_logic();
}

Result<std::optional<NodeKey>> peer_of(const Request& request) {
  const auto name = request.text("peer");
  if (!name) return std::optional<NodeKey>();
  const auto& find = request.services().peer_key;
  const std::optional<NodeKey> key = find ? find(*name) : std::nullopt;
  if (key) return std::optional<NodeKey>(key);
  return Status(Code::kNotFound, request.op() + ".peer: this node knows no peer '" +
                                     name->substr(0, 80) + "'; see `rhizome peers`");
}

// Where to begin: `resume` a token, `from` "now" or a position of this node, `after` one.
Status set_start(const Request& request, bool at_peer, Subscribe& wanted) {
  const auto from = request.header().find("from");
  std::uint64_t after = request.number("after").value_or(0);
  if (const auto token = request.text("resume")) {
    if (from != request.header().end() || after != 0)
      return {Code::kInvalid, request.op() + ".resume: leave out `from` and `after`"};
    Result<Cursor> cursor = feeds::from_token(*token);
    if (!cursor.ok()) return cursor.status();
    wanted.start = Start::kCursor;
    wanted.cursor = std::move(*cursor);
    return {};
  }
  if (from != request.header().end()) {
    if (*from == "now") {
      wanted.start = Start::kNow;
      return {};
    }
    if (!from->is_number_unsigned())
      return {Code::kInvalid, "subscribe.from: expected \"now\" or a position"};
    after = std::max(from->get<Seq>(), Seq{1}) - 1;
  }
  if (after == 0) return {};
  if (at_peer)
    return {Code::kInvalid,
            request.op() + ": positions are this node's; at a peer resume by a token"};
  const Seq last = request.services().journal.last();
  wanted.start = Start::kCursor;
  wanted.cursor = request.services().feeds->publisher().cursor_at({std::min(after, last) + 1, 0});
  return {};
}

Status set_policy(const Request& request, Subscribe& wanted) {
  if (const auto name = request.text("policy")) {
    const auto policy = feeds::policy_of(*name);
    if (!policy)
      return {Code::kInvalid,
              "subscribe.policy: expected block, drop_oldest, drop_newest or error"};
    wanted.policy = *policy;
  }
  if (const auto room = request.number("room")) wanted.room = *room;
  return {};
}

// One feed on its way to one client. `reader`, of a feed of this node's own: a row that is not
// confirmed as it asked holds back those behind it until it is, or never can be.
class Stream {
 public:
  Stream(Request& request, std::shared_ptr<Feed> feed, std::uint64_t limit,
         Reader* reader = nullptr)
      : request_(request),
        feed_(std::move(feed)),
        limit_(limit),
        reader_(reader),
        rows_(request, true) {}
  ~Stream() { feed_->close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Status run(const std::optional<NodeKey>& peer);

 private:
  // Rows of `batch_` from `next_` on; false where one of them is held back.
  Result<bool> send_rows();
  Status end_batch();
  Status follow_pauses();
  Status wait(const CommitSignal::Waiter& news, const CommitSignal::Waiter& extents);
  Status finish() const;
  bool is_over() const {
    return request_.canceled() || request_.context().stopping || limit_ == 0 || ended_.has_value();
  }

  Request& request_;
  const std::shared_ptr<Feed> feed_;
  std::uint64_t limit_, matched_ = 0;
  Reader* const reader_;
  std::optional<FeedBatch> batch_;  // on its way
  std::size_t next_ = 0;            // its first row that is not sent
  Seq last_ = 0;
  std::string token_;
  bool paused_ = false, told_ = false;
  std::optional<Status> ended_;
  Rows rows_;
};

Status Stream::run(const std::optional<NodeKey>& peer) {
  const auto signal = std::make_shared<CommitSignal>();
  Result<CommitSignal::Waiter> waiter = signal->waiter();
  if (!waiter.ok()) return waiter.status();
  Result<CommitSignal::Waiter> extents = request_.context().signal.waiter();
  if (!extents.ok()) return extents.status();
  feed_->on_news([signal] { signal->notify(); });
  request_.may_pause();
  RZ_TRY(request_.services().feeds->open(feed_, peer));
  while (!is_over()) {
    RZ_TRY(follow_pauses());
    if (!paused_ && !batch_) {
      batch_ = feed_->take();
      next_ = 0;
    }
    Result<bool> sent = false;
    if (!paused_ && batch_) {
      extents->clear();  // before the look: a change behind it wakes
      sent = send_rows();
    }
    if (!sent.ok()) return sent.status();
    RZ_TRY(*sent ? end_batch() : wait(*waiter, *extents));
  }
  return finish();
}

Result<bool> Stream::send_rows() {
  const bool filters = reader_ != nullptr && reader_->filters();
  const bool beside = reader_ != nullptr && request_.flag("extent");
  if (reader_ != nullptr) reader_->look_again();
  for (; next_ < batch_->deltas.size() && limit_ != 0; ++next_) {
    const Seq seq = batch_->seqs[next_];
    const Result<Reader::Word> word = filters ? reader_->word_on(seq) : Reader::Word::kYes;
    if (!word.ok()) return word.status();
    if (*word == Reader::Word::kNotYet) {
      RZ_TRY(rows_.flush());
      return false;
    }
    if (*word == Reader::Word::kNever) continue;
    Result<std::string> members = beside ? reader_->members(seq) : std::string();
    if (!members.ok()) return members.status();
    RZ_TRY(rows_.add(seq, batch_->deltas[next_], *members));
    last_ = seq;
    ++matched_;
    if (limit_ != UINT64_MAX) --limit_;
  }
  return true;
}

Status Stream::end_batch() {
  const FeedBatch batch = std::move(*batch_);
  batch_.reset();
  // Cut short by its limit it has no token: one would stand behind rows that were not sent.
  const bool whole = next_ == batch.deltas.size();
  token_ = whole ? feeds::to_token(batch.cursor) : std::string();
  if (whole) last_ = std::max(last_, batch.cursor.next.seq - 1);
  Json header{{"more", true}, {"after", batch.cursor.next.seq - 1}, {"live", batch.live}};
  if (whole) header["resume"] = token_;
  if (batch.refused != 0) header["refused"] = batch.refused;
  if (batch.by_labels) header["by_labels"] = true;
  for (const feeds::Batch::Dropped& dropped : batch.dropped)
    header["dropped"].push_back(
        {{"count", dropped.count}, {"from", dropped.from.seq}, {"to", dropped.to.seq}});
  if (reader_ != nullptr && !told_) header.update(reader_->told());
  told_ = true;
  ended_ = batch.ended;
  return rows_.flush(std::move(header));
}

// The client hears that its pause holds: nothing comes behind that word until it resumes.
Status Stream::follow_pauses() {
  if (request_.paused() == paused_) return {};
  paused_ = request_.paused();
  feed_->pause(paused_);
  return request_.reply({{"more", true}, {"paused", paused_}});
}

// Until there is something to take, an extent that may let a row go, or word from the client; the
// server's stop shuts the socket down.
Status Stream::wait(const CommitSignal::Waiter& news, const CommitSignal::Waiter& extents) {
  pollfd states[] = {{request_.context().socket, POLLIN | POLLRDHUP, 0},
                     {news.descriptor(), POLLIN, 0},
                     {extents.descriptor(), POLLIN, 0}};
  (void)::poll(states, batch_ ? 3 : 2, -1);
  news.clear();
  return request_.hear();
}

Status Stream::finish() const {
  Json answer{{"matched", matched_}, {"last", last_}, {"canceled", request_.canceled()}};
  if (!token_.empty()) answer["resume"] = token_;
  if (ended_ && ended_->code() != Code::kEnd)
    answer["error"] = {{"code", code_name(ended_->code())}, {"message", ended_->message()}};
  return request_.reply(std::move(answer));
}

std::vector<Field> with(std::vector<Field> fields, const std::vector<Field>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Status check_feeds(const Request& request) {
  if (request.services().feeds != nullptr) return {};
  return {Code::kUnsupported, request.op() + ": this node keeps no subscriptions"};
}

}  // namespace

Status subscribe(Request& request) {
  RZ_TRY(request.check(with(query_fields(), {{"from", FieldKind::kAny},
                                             {"resume", FieldKind::kText},
                                             {"policy", FieldKind::kText},
                                             {"room", FieldKind::kNumber},
                                             {"peer", FieldKind::kText}})));
  RZ_TRY(check_feeds(request));
  const auto peer = peer_of(request);
  if (!peer.ok()) return peer.status();
  Subscribe wanted;
  Result<std::string> rule = rule_of(request);
  if (!rule.ok()) return rule.status();
  wanted.rule = std::move(*rule);
  RZ_TRY(set_start(request, peer->has_value(), wanted));
  RZ_TRY(set_policy(request, wanted));
  const std::uint64_t limit = request.number("limit").value_or(UINT64_MAX);
  auto feed = std::make_shared<Feed>(std::move(wanted));
  if (*peer) {
    // What this node knows of extents is of its own positions.
    for (const Field& field : with(kReaderFields, {{"extent", FieldKind::kFlag}}))
      if (request.header().contains(field.name))
        return {Code::kInvalid, std::string("subscribe.") + field.name + ": not of a peer's feed"};
    return Stream(request, std::move(feed), limit).run(*peer);
  }
  Result<Reader> reader = Reader::make(request);
  if (!reader.ok()) return reader.status();
  return Stream(request, std::move(feed), limit, &*reader).run(*peer);
}

// What a peer holds: one pass over its journal, matched there.
Status query_at_peer(Request& request) {
  RZ_TRY(request.check(
      with(kQueryFields, {{"resume", FieldKind::kText}, {"peer", FieldKind::kText}})));
  RZ_TRY(check_feeds(request));
  const auto peer = peer_of(request);
  if (!peer.ok()) return peer.status();
  Subscribe wanted;
  Result<std::string> rule = rule_of(request);
  if (!rule.ok()) return rule.status();
  wanted.rule = std::move(*rule);
  RZ_TRY(set_start(request, true, wanted));
  auto feed = std::make_shared<Feed>(std::move(wanted));
  const std::uint64_t limit = request.number("limit").value_or(UINT64_MAX);
  feed->query_limit = limit == UINT64_MAX ? 0 : limit;
  Stream stream(request, std::move(feed), UINT64_MAX);
  return stream.run(*peer);
}

// The subscriptions that this node serves, and what its index thinks of their filters.
Status subscriptions(Request& request) {
  RZ_TRY(request.check({}));
  RZ_TRY(check_feeds(request));
  constexpr const char* kPolicies[] = {"block", "drop_oldest", "drop_newest", "error"};
  Json list = Json::array();
  for (const feeds::SubscriptionStatus& entry :
       request.services().feeds->publisher().subscriptions())
    list.push_back({{"session", entry.session},
                    {"number", entry.number},
                    {"rule", entry.rule},
                    {"keys", entry.keys},
                    {"scanned_because", entry.scanned_because},
                    {"estimated", entry.estimated},
                    {"observed", entry.observed},
                    {"asked", entry.asked},
                    {"hits", entry.hits},
                    {"sharing", entry.sharing},
                    {"delivered", entry.delivered},
                    {"waiting", entry.waiting},
                    {"dropped", entry.dropped},
                    {"behind", entry.behind},
                    {"live", entry.live},
                    {"policy", kPolicies[static_cast<std::size_t>(entry.policy)]}});
  return request.reply(Json::object(), list.dump());
}

}  // namespace rhizome::operations
