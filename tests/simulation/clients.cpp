// Asking nodes, and comparing their answers with all journals.
#include "simulation/clients.hpp"

#include <algorithm>

#include "simulation/plugins.hpp"

namespace rhizome::simulation {

namespace {

constexpr std::size_t kAuthority = 64002;  // its place among the keys
constexpr std::uint64_t kDeadlineMs = 4000;

// A draft that owns its texts.
Draft draft_of(const std::string& entity, const std::string& value) {
  Draft draft;
  draft.texts = std::make_unique<char[]>(entity.size() + value.size());
  std::copy(entity.begin(), entity.end(), draft.texts.get());
  std::copy(value.begin(), value.end(), draft.texts.get() + entity.size());
  const ByteView texts(draft.texts.get(), entity.size() + value.size());
  draft.pointers = {{"about", EntityRef{texts.substr(0, entity.size()), "said"}},
                    {"value", texts.substr(entity.size())}};
  return draft;
}

// Lets the test read a journal whose store is away.
class Revealed {
 public:
  explicit Revealed(Disk& disk) : disk_(disk) { disk_.reveal(true); }
  ~Revealed() { disk_.reveal(false); }
  Revealed(const Revealed&) = delete;
  Revealed& operator=(const Revealed&) = delete;

 private:
  Disk& disk_;
};

}  // namespace

const SigningKey& Clients::authority() {
  static const SigningKey key = key_of(kAuthority);
  return key;
}

void Clients::share_roster() {
  Roster roster;
  roster.fabric = wire::fabric_id("default");
  roster.version = 1;
  for (std::size_t i = 0; i < std::min(network_.size(), kMaxVoters); ++i)
    roster.voters.push_back({network_.node(i).key(), "node" + std::to_string(i)});
  sign(roster, authority());
  must(network_.node(0).node_api().roster_set(api::Principal::owner(), encode(roster)));
  promised_.resize(network_.size());
  away_.resize(network_.size());
  before_wipe_.resize(network_.size());
}

void Clients::write(std::size_t node, const std::string& entity, const std::string& value,
                    const std::string& need) {
  api::WriteRequest request;
  request.drafts.push_back(draft_of(entity, value));
  if (!need.empty()) request.confirm = {need, kDeadlineMs};
  (void)network_.node(node).node_api().write(
      api::Principal::owner(), std::move(request),
      [this, node, entity](const Result<api::WriteResult>& result) {
        if (!result.ok()) return;  // its disk failed, or the roster cannot give it
        ledger_.acknowledged(result->written.results[0].id);
        if (result->confirmation) check(node, *result);
        if (result->written.token)
          tokens_.push_back(
              {result->written.token->to_string(), entity, result->written.results[0].id});
      });
}

// Each holder that is named has it, and will have it when it starts again.
void Clients::check(std::size_t node, const api::WriteResult& result) {
  const api::Confirmation& confirmation = *result.confirmation;
  if (confirmation.state != api::ConfirmState::kConfirmed) {
    ++counts_.unconfirmed;
    return;
  }
  ++counts_.confirmed;
  const DeltaId& id = result.written.results[0].id;
  for (const std::string& name : confirmation.names.holders) {
    const std::size_t holder = node_named(name);
    if (!held(holder, id))
      return fail("node " + std::to_string(node) + " calls the delta " + id.hex() +
                  " held by node " + std::to_string(holder) + ", which never held it");
    if (!before_wipe_[holder].contains(id)) promised_[holder].insert(id);
  }
}

void Clients::read_with_token(std::size_t node, std::size_t which) {
  if (tokens_.empty()) return;
  const Token& token = tokens_[which % tokens_.size()];
  api::QueryRequest request;
  request.entity = token.entity;
  request.read.tokens = {token.token};
  request.read.deadline_ms = kDeadlineMs;
  Read read;
  read.token = token;
  begin(node, std::move(request), std::move(read));
}

void Clients::read_confirmed(std::size_t node, const std::string& need) {
  const Result<api::RosterResult> roster =
      network_.node(node).node_api().roster(api::Principal::owner());
  const Result<Need> parsed = parse_need(need, *must(Result<api::RosterResult>(roster)).roster);
  if (!parsed.ok()) return;
  api::QueryRequest request;
  request.read.min_confirm = need;
  Read read;
  read.need = parsed->count;
  begin(node, std::move(request), std::move(read));
}

void Clients::begin(std::size_t node, api::QueryRequest request, Read read) {
  read.node = node;
  reads_.push_back(std::move(read));
  Read* const kept = &reads_.back();
  // Taken from in a task of its own: `ready` may come before `query` returns.
  const auto ready = [this, kept, executor = &network_.node(node).executor()] {
    executor->post([this, kept] { drain(kept); });
  };
  auto stream =
      network_.node(node).node_api().query(api::Principal::owner(), std::move(request), ready);
  if (!stream.ok()) return reads_.pop_back();
  kept->stream = std::move(*stream);
  drain(kept);
}

// `read` may be over already: a later wake-up of it finds it no more.
void Clients::drain(Read* read) {
  const auto found =
      std::find_if(reads_.begin(), reads_.end(), [&](const Read& other) { return &other == read; });
  if (found == reads_.end() || found->stream == nullptr) return;
  while (const std::optional<api::RowBatch> batch = read->stream->next()) {
    for (const api::Row& row : batch->rows) read->ids.insert(DeltaId::from_raw(row.delta.id()));
    if (!batch->end) continue;
    if (batch->end->status.ok()) check(*read, *batch);
    reads_.erase(found);
    return;
  }
}

void Clients::check(const Read& read, const api::RowBatch& last) {
  const std::string who = "node " + std::to_string(read.node);
  if (read.token) {
    ++counts_.token_reads;
    const bool seen = last.tokens && last.tokens->all_held;
    counts_.provisional += seen ? 0 : 1;
    if (seen && !read.ids.contains(read.token->id))
      fail(who + " says that it holds the token " + read.token->token +
           " and its read misses the write " + read.token->id.hex());
    return;
  }
  for (const DeltaId& id : read.ids) {
    ++counts_.confirmed_rows;
    std::size_t holders = 0;
    for (std::size_t i = 0; i < network_.size(); ++i) holders += held(i, id) ? 1 : 0;
    if (holders < read.need)
      return fail(who + " calls the delta " + id.hex() + " confirmed by " +
                  std::to_string(read.need) + ", and " + std::to_string(holders) + " ever held it");
  }
}

bool Clients::held(std::size_t node, const DeltaId& id) const {
  if (before_wipe_[node].contains(id)) return true;
  if (!network_.node(node).running()) return away_[node].contains(id);
  const Revealed revealed(network_.node(node).disk());
  std::vector<Journal::Held> found;
  must(network_.node(node).journal().find({&id, 1}, found));
  return found[0].seq != 0;
}

std::size_t Clients::node_named(const std::string& name) const {
  return static_cast<std::size_t>(std::stoul(name.substr(4)));  // "node3"
}

void Clients::ends(std::size_t node) {
  if (!network_.node(node).running()) return;
  reads_.remove_if([node](const Read& read) { return read.node == node; });
  away_[node].clear();
  const Revealed revealed(network_.node(node).disk());
  const Status read = for_each_delta(network_.node(node).journal(), [&](Seq, DeltaView delta) {
    away_[node].insert(DeltaId::from_raw(delta.id()));
  });
  must(read);
}

void Clients::wiped(std::size_t node) {
  before_wipe_[node].merge(away_[node]);
  away_[node].clear();
  promised_[node].clear();
}

// Nothing has come from a peer yet: what it holds was on its disk.
void Clients::started(std::size_t node) {
  for (const DeltaId& id : promised_[node])
    if (!held(node, id))
      return fail("node " + std::to_string(node) + " lost the delta " + id.hex() +
                  ", for which a confirmation named it");
}

}  // namespace rhizome::simulation
