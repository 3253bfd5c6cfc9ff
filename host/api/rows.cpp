// Queries of this node's journal as row streams.
#include "api/rows.hpp"

#include <mutex>

#include "api/api.hpp"
#include "api/token_wait.hpp"
#include "views/query.hpp"

namespace rhizome::api {

namespace {

class QueryStream final : public RowStream {
 public:
  QueryStream(const Parts& parts, QueryRequest request, std::optional<use::Filter> filter,
              ReadNeeds needs, std::shared_ptr<TokenWait> tokens)
      : parts_(parts),
        annotate_(request.annotate),
        filter_(std::move(filter)),
        needs_(std::move(needs)),
        tokens_(std::move(tokens)),
        cursor_(parts.journal, query_of(request, filter_, parts.journal.last())) {}
  ~QueryStream() override { tokens_->cancel(); }

  std::optional<RowBatch> next() override {
    if (ended_ || !prepare()) return std::nullopt;
    RowBatch batch;
    if (canceled_ || !failed_.ok()) return end(std::move(batch));
    const auto run = std::make_shared<QueryCursor::Run>();
    const Result<bool> more = cursor_.next(*run);
    if (more.ok() && !*more) return end(std::move(batch));
    batch.deltas = std::shared_ptr<const DeltaBatch>(run, &run->deltas);
    failed_ = more.ok() ? add_rows(*run, batch) : more.status();
    if (!failed_.ok()) batch.rows.clear();
    return batch;
  }
  void pause(bool) override {}
  void cancel() override {
    canceled_ = true;
    tokens_->cancel();
  }

 private:
  static DeltaQuery query_of(const QueryRequest& request, const std::optional<use::Filter>& filter,
                             Seq last) {
    DeltaQuery query;
    query.entity = request.entity;
    query.context = request.context;
    query.author = request.author;
    // Beyond any position: behind the last one, and not a number that wraps to the first.
    query.after = std::min(request.after, last);
    query.limit = request.limit;
    query.filter = filter ? &*filter : nullptr;
    return query;
  }

  // False while the tokens are waited for.
  bool prepare() {
    if (reader_) return true;
    const auto tokens = tokens_->result();
    if (!tokens) return false;
    if (!tokens->ok()) failed_ = tokens->status();
    reader_.emplace(parts_.extents, needs_, tokens->ok() ? **tokens : TokensRead{});
    return true;
  }

  // What is not confirmed as the reader asked is left out, and counts toward the limit.
  Status add_rows(const QueryCursor::Run& run, RowBatch& batch) {
    for (const std::size_t index : run.rows) {
      const Seq seq = run.seqs[index];
      const Result<bool> counts = reader_->counts(seq);
      if (!counts.ok()) return counts.status();
      if (!*counts) {
        ++left_out_;
        continue;
      }
      Row row{seq, run.deltas[index], std::nullopt};
      if (annotate_) {
        Result<Annotation> annotation = reader_->annotate({&seq, 1});
        if (!annotation.ok()) return annotation.status();
        row.annotation = *annotation;
      }
      batch.rows.push_back(row);
    }
    return {};
  }

  RowBatch end(RowBatch batch) {
    ended_ = true;
    const QueryEnd& found = cursor_.end();
    RowsEnd& end = batch.end.emplace();
    end.status = failed_;
    end.canceled = canceled_;
    end.matched = found.matched - left_out_;
    end.examined = found.examined;
    end.errors = found.errors;
    end.has_more = found.more || canceled_;
    end.last = found.last;
    if (!needs_.tokens.empty()) batch.tokens = reader_->tokens();
    return batch;
  }

  const Parts& parts_;
  const bool annotate_;
  const std::optional<use::Filter> filter_;
  const ReadNeeds needs_;
  const std::shared_ptr<TokenWait> tokens_;
  QueryCursor cursor_;
  std::optional<Reader> reader_;
  Status failed_;
  std::uint64_t left_out_ = 0;
  bool canceled_ = false, ended_ = false;
};

}  // namespace

Result<std::optional<use::Filter>> Api::compile(const QueryRequest& query) const {
  if (!query.filter) return std::optional<use::Filter>();
  const std::string& language = query.language.empty() ? parts_.default_filter : query.language;
  const auto found = parts_.filters.find(language);
  if (found == parts_.filters.end()) {
    std::string known;
    for (const auto& [name, table] : parts_.filters) known += (known.empty() ? "" : ", ") + name;
    return Status(Code::kNotFound, "filter language '" + language.substr(0, 80) +
                                       "' is not loaded; loaded: " +
                                       (known.empty() ? "none; add one under `filters`" : known));
  }
  Result<use::Filter> filter = use::Filter::compile(found->second, *query.filter);
  if (!filter.ok()) return filter.status();
  return std::optional<use::Filter>(std::move(*filter));
}

Result<std::shared_ptr<RowStream>> Api::query(const Principal& by, QueryRequest request,
                                              Ready ready) {
  RZ_TRY(require(by, Role::kRead, "query"));
  Result<std::optional<use::Filter>> filter = compile(request);
  if (!filter.ok()) return filter.status();
  Result<ReadNeeds> needs = check(request.read, parts_.extents);
  if (!needs.ok()) return needs.status();
  auto tokens = TokenWait::begin(*waits_, parts_.extents, *needs, std::move(ready));
  return std::shared_ptr<RowStream>(std::make_shared<QueryStream>(
      parts_, std::move(request), std::move(*filter), std::move(*needs), std::move(tokens)));
}

}  // namespace rhizome::api
