// The node's API: a struct in and a struct out for each operation, on behalf of a principal. No
// socket, no JSON and no thread of its own: the control socket (host/control), the simulator and
// later bindings call it.
//
// Threads: any. Operations without a callback answer on the caller's thread and may read the store,
// so call them from a task of the executor. `write` and `get` answer through `done`, which is
// called exactly once (after `stop` perhaps never), on any thread and perhaps before the call
// returns; `query` and `subscribe` give pull streams. Nothing waits on a thread: time is the
// executor's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/principal.hpp"
#include "api/requests.hpp"
#include "api/rows.hpp"
#include "api/status.hpp"
#include "api/waits.hpp"
#include "api/write_queue.hpp"
#include "feeds/service.hpp"
#include "rhizome/use/filter.hpp"
#include "views/resolver_set.hpp"

namespace rhizome::api {

// What operations are answered from. All of it outlives the API.
struct Parts {
  Parts(Executor& by, Journal& over, Admission& door, Authoring& author, ExtentBook& book)
      : executor(by), journal(over), admission(door), authoring(author), extents(book) {}

  Executor& executor;
  Journal& journal;
  Admission& admission;
  Authoring& authoring;
  ExtentBook& extents;
  std::shared_ptr<FeedService> feeds;  // null: subscriptions are refused
  NodeCore* core = nullptr;  // null: operations on the network are refused, as in some tests
  std::map<std::string, use::FilterLanguage> filters;  // by name
  std::string default_filter;
  // In which filters travel; none: no subscriptions.
  use::FilterLanguage json_logic;
  ResolverSet resolvers;  // none: only lossless views
  // For `status` and `invite`.
  const Log* log = nullptr;
  std::string name;
  std::string data_directory;
  std::vector<std::string> advertise;

  // Those of a core; plugins and names are for the caller to fill in.
  static Parts of(NodeCore& core);
};

template <typename T>
using Done = std::function<void(Result<T>)>;

class Api {
 public:
  explicit Api(Parts parts);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  ~Api();
  // Ends what waits: from now on no `done` and no `ready` is called, but for calls under way.
  void stop();
  Executor& executor() { return parts_.executor; }

  // ---- about the node: Role::kRead
  Result<NodeStatus> status(const Principal& by) const;
  Result<std::vector<MemberStatus>> peers(const Principal& by) const;
  Result<DigestResult> digest(const Principal& by) const;
  Result<std::vector<OriginPosition>> origins(const Principal& by) const;
  Result<std::vector<feeds::SubscriptionStatus>> subscriptions(const Principal& by) const;
  Result<ExtentResult> extent(const Principal& by, const ExtentRequest& request) const;
  Result<RosterResult> roster(const Principal& by) const;
  std::string name_of(const NodeKey& key) const { return parts_.extents.name_of(key); }

  // ---- taking part: Role::kOperate
  Result<InviteResult> invite(const Principal& by, const InviteRequest& request) const;
  Status join(const Principal& by, const std::string& line) const;
  Status forget(const Principal& by, const std::string& key) const;
  Result<std::uint64_t> roster_set(const Principal& by, ByteView signed_roster) const;  // version

  // ---- writing: Role::kWrite
  // What the roster cannot give is refused before anything is written. Writes that come together
  // are committed together. Cancel ends the wait for voters, not the write.
  Waits::Cancel write(const Principal& by, WriteRequest request, Done<WriteResult> done);
  // Commits on the caller's thread.
  Result<NegateResult> negate(const Principal& by, const NegateRequest& request);

  // ---- reading: Role::kRead
  Waits::Cancel get(const Principal& by, GetRequest request, Done<GetResult> done);
  Result<std::shared_ptr<RowStream>> query(const Principal& by, QueryRequest request, Ready ready);
  Result<std::shared_ptr<RowStream>> query_at_peer(const Principal& by, PeerQueryRequest request,
                                                   Ready ready);
  Result<std::shared_ptr<RowStream>> subscribe(const Principal& by, SubscribeRequest request,
                                               Ready ready);
  Result<std::shared_ptr<RowStream>> subscribe_at_peer(const Principal& by, const std::string& peer,
                                                       SubscribeRequest request, Ready ready);

 private:
  Status require_author(const Principal& by, const char* operation) const;
  Result<NodeCore*> network(const char* operation) const;
  Result<std::optional<use::Filter>> compile(const QueryRequest& query) const;
  Result<std::string> rule_of(const QueryRequest& query) const;
  Result<NodeKey> peer_of(const std::string& name) const;
  Result<feeds::Subscribe> wanted_of(const SubscribeRequest& request, bool at_peer) const;
  Result<GetResult> view_of(const GetRequest& request, const ReadNeeds& needs,
                            TokensRead tokens) const;
  Waits::Cancel confirm(const ConfirmRequest& request, WriteResult result,
                        const Done<WriteResult>& done);

  const Parts parts_;
  const std::shared_ptr<Waits> waits_;
  const std::shared_ptr<WriteQueue> writes_;
  const std::uint64_t started_ns_;
};

}  // namespace rhizome::api
