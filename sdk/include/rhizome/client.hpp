// librhizome-client: an application's way to a running node, over its control socket. One request
// at a time a client, and one thread; connect as many clients as needed (a node takes 64).
//
//   auto client = rhizome::Client::connect("node/control.sock");
//   client->write_value("movie:matrix", "title", "\"The Matrix\"");
//   std::string movie = *client->get("movie:matrix");
//
// docs/control.md specifies the requests and answers; `call` and `stream` reach those that have no
// function of their own here. A refusal by the node is a Status with the node's code and message.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Reply {
  std::string header;  // JSON
  std::string blob;
};

// What a reader asks of what it reads. What is left empty asks nothing.
struct ClientRead {
  // Only what so many voters hold: "local", a number, "majority", "all", or names.
  std::string min_confirm;
  // Tokens that writes gave, on this node or another: the answer has seen those writes, or says
  // after `deadline_ms` that it is provisional.
  std::vector<std::string> tokens;
  std::uint64_t deadline_ms = 10'000;
};

// Which deltas. What is left empty asks nothing.
struct ClientQuery {
  std::string filter;    // a rule's source; a delta that it is true for matches
  std::string language;  // of the filter; empty: the node's default
  std::string entity, context, author;
  std::uint64_t after = 0;  // only behind this position
  std::optional<std::uint64_t> limit;
  bool extent = false;  // "provisional", "extent" and "confidence" beside each delta
  ClientRead read;
};

// What to follow, and from where. `query.after` is a position of this node and not of a peer.
struct ClientSubscription {
  ClientQuery query;
  bool from_now = false;   // nothing that is held already
  std::string resume;      // a token of an earlier batch: on from behind it, wherever this runs
  std::string peer;        // at this peer, by its name or key; empty: at the node itself
  std::string policy;      // block (the default), drop_oldest, drop_newest, error
  std::uint64_t room = 0;  // events that may wait before the policy acts; 0: the node's default
};

struct ClientBatch {
  ByteView rows;              // JSON Lines, as `query` gives them; may be empty
  std::string resume;         // behind these rows; empty where more of the same place follows
  bool live = false;          // nothing more was held that matches
  std::uint64_t dropped = 0;  // matches that the policy dropped before these rows
  std::uint64_t refused = 0;  // deltas of the peer that did not check out
};

struct ClientQueryEnd {
  std::uint64_t matched = 0, examined = 0;
  std::uint64_t errors = 0;  // deltas for which the filter failed: they count as no match
  std::uint64_t last = 0;    // where it stopped: `after` of the next page
  bool has_more = false;
  bool provisional = false;  // a token was not held when the deadline passed
};

// What a confirmed write waits for. It is durability, not consensus.
struct ClientConfirm {
  std::string need;  // "local", a number of voters, "majority", "all", or names with commas
  std::uint64_t deadline_ms = 10'000;
};

// What was reached, whether or not it is what was asked for.
struct ClientConfirmed {
  bool confirmed = false;
  std::string state;  // "confirmed", "unconfirmed", "lost" or "void"
  std::uint64_t held = 0, voters = 0, roster = 0, at_ms = 0;
  std::vector<std::string> holders, missing;  // voters, by name
};

struct ClientWritten {
  struct Problem {
    std::uint64_t line = 0;  // from 1
    std::string message;
  };
  std::uint64_t read = 0, added = 0, known = 0, refused = 0;
  std::vector<std::string> ids;   // one a line, in hex; empty where it was refused
  std::vector<Problem> problems;  // at most 1,000 are told
  // Where the write stands in the node's numbers: what a reader elsewhere can wait for.
  std::string token;
  std::string manifest;  // id of the transaction's or import's manifest; empty: none was made
  std::optional<ClientConfirmed> confirm;  // where a confirmation was asked for
};

class Client {
 public:
  // kNotFound, with what to do about it, where no node listens on the socket.
  static Result<Client> connect(const std::string& socket_path);
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client();

  // ---- writing; durable on the node's disk when it returns
  // Claims in the JSON profile without an author, one object a line; the node's author signs. With
  // `transaction` all of them show or none. Refused lines are in the answer, not a Status.
  Result<ClientWritten> write(ByteView claims_lines, bool transaction = false,
                              const ClientConfirm& confirm = {});
  // One property of an entity. `value` is JSON: a string, number, true, false, or {"id": entity}.
  Result<ClientWritten> write_value(ByteView entity, ByteView property, ByteView json_value,
                                    const ClientConfirm& confirm = {});
  // Whole deltas as they are and claims without author, under one manifest for many.
  Result<ClientWritten> import(ByteView lines);
  // Takes a delta back. It counts where the node's author wrote the delta.
  Result<ClientWritten> negate(ByteView delta_id_hex, ByteView reason = {});

  // ---- reading: JSON texts, as docs/views.md specifies them
  // {"entity","properties":{name:{"value","kind","values","decided_by",...}}}; lossless: each
  // property's deltas. With tokens, "tokens" and "provisional" stand before "entity".
  Result<std::string> get(ByteView entity, bool lossless = false, ByteView resolver = {},
                          const ClientRead& read = {});
  // Each matching delta as one line of JSON, {"seq","id","claims","sig"?}, until `row` answers
  // false.
  Result<ClientQueryEnd> query(const ClientQuery& query,
                               const std::function<bool(ByteView line)>& row);
  // The same, then what comes, without gap or repetition, until `row` answers false (or for ever).
  // `live` is called once the node has the subscription: what is written from then on will come.
  Status subscribe(const ClientQuery& query, bool from_now,
                   const std::function<bool(ByteView line)>& row,
                   const std::function<void()>& live = {});
  // The same in batches, each with the token to resume at, until `batch` answers false. The first
  // one says that the subscription stands.
  Status follow(const ClientSubscription& subscription,
                const std::function<bool(const ClientBatch& batch)>& batch);
  // While `follow` runs, from any other thread: the node sends nothing more until it resumes.
  Status pause();
  Status resume();
  Result<std::string> status();
  Result<std::string> peers();
  // Who holds a delta (its id in hex, or a write's token):
  // {"held","voters","holders","missing",...}
  Result<std::string> extent(ByteView id_or_token);

  // ---- any request: a JSON header and bytes behind it
  // One answer; the blobs of an answer in parts are put together.
  Result<Reply> call(ByteView header, ByteView blob = {});
  // Many answers: each but the last goes to `answer` until it answers false, which cancels the
  // request. The last one is returned.
  Result<Reply> stream(ByteView header, const std::function<bool(const Reply&)>& answer);

 private:
  explicit Client(int socket) : socket_(socket) {}
  Status send(ByteView header, ByteView blob);
  Result<Reply> receive(bool& more);
  int socket_;
};

}  // namespace rhizome
