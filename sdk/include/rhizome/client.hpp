// librhizome-client in C++: an application's way to a running node, header-only over the C table of
// rhizome/client.h, which documents the behaviour: time-outs, lost connections, what an event is.
//
//   using namespace rhizome::client;
//   auto client = Client::open("node/control.sock");
//   auto written = client->write_value("movie:matrix", "title", Value::of("The Matrix"));
//   auto movie = client->get("movie:matrix");
//
// The functions of Client wait for the node. A Call does not: it is pulled, and `fd` is for poll.
// A Client may be used by any threads at once, a Call by one at a time. A Call ends before its
// Client does.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "rhizome/client/arguments.hpp"
#include "rhizome/client/call.hpp"
#include "rhizome/client/results.hpp"
#include "rhizome/client/types.hpp"

namespace rhizome::client {

class Client {
 public:
  struct Options {
    std::uint64_t connect_timeout_ms = 0, answer_timeout_ms = 0, reconnect_ms = 0;  // 0: defaults
  };
  // Connects to nothing yet: kNotFound comes from the first operation where no node listens.
  static Result<Client> open(const std::string& socket_path, const Options& options) {
    const rz_client_api* api = rhizome_client_api(RZ_CLIENT_API);
    if (api == nullptr)
      return Status(Code::kUnsupported, "librhizome-client lacks this API version");
    const rz_client_options given{sizeof given,
                                  0,
                                  rhizome::to_abi(socket_path),
                                  options.connect_timeout_ms,
                                  options.answer_timeout_ms,
                                  options.reconnect_ms};
    rz_client* client = nullptr;
    rz_error error{};
    const std::int32_t code = api->open(&given, &client, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Client(api, client);
  }
  static Result<Client> open(const std::string& socket_path) { return open(socket_path, {}); }

  // ---- writing; durable on the node's disk when it returns, and held by so many voters as asked
  // Drafts that the node refuses are in the answer, not a Status. `flags`: RZ_WRITE_*.
  Result<Written> write(std::span<const Draft> drafts, std::uint32_t flags = 0,
                        const Confirm& confirm = {}) {
    const arguments::Drafts abi(drafts);
    const rz_confirm waits = arguments::of(confirm);
    return written(begin(api_->write, rz_write{sizeof(rz_write), flags, abi.data(), abi.size(),
                                               sizeof(rz_draft), &waits}));
  }
  // One property of an entity; wins over what stands there.
  Result<Written> write_value(std::string entity, std::string property, Value value,
                              const Confirm& confirm = {}) {
    const Draft draft = property_draft(std::move(entity), std::move(property), std::move(value));
    return write({&draft, 1}, RZ_WRITE_REPLACE, confirm);
  }
  Result<Written> import_lines(ByteView lines, const Confirm& confirm = {}) {
    const rz_confirm waits = arguments::of(confirm);
    return written(
        begin(api_->import_lines, rz_import{sizeof(rz_import), 0, rhizome::to_abi(lines), &waits}));
  }
  // The answer's `effective` is false where the delta is another author's, and where it is not
  // held (`target_held`): then it shows when it comes.
  Result<Written> negate(ByteView delta_id_hex, ByteView reason = {}) {
    return written(begin(
        api_->negate,
        rz_negate{sizeof(rz_negate), 0, rhizome::to_abi(delta_id_hex), rhizome::to_abi(reason)}));
  }

  // ---- reading
  Result<Entity> get(const std::string& entity, const Resolver& resolver = {},
                     const Read& read = {}) {
    const arguments::Reads reads(read);
    const rz_get get{sizeof get,
                     0,
                     rhizome::to_abi(entity),
                     rhizome::to_abi(resolver.name),
                     rhizome::to_abi(resolver.options),
                     reads.abi()};
    Entity found{entity, {}, {}};
    RZ_TRY(each(begin(api_->get, get), [&](const rz_event& event) {
      if (event.tokens != nullptr) found.tokens = Tokens::from(*event.tokens);
      if (event.property != nullptr) found.properties.push_back(arguments::from(*event.property));
      return true;
    }));
    return found;
  }
  // Each matching delta, until `row` answers false.
  Result<Summary> query(const Query& query, const std::function<bool(const Delta&)>& row) {
    const arguments::Reads reads(query.read);
    Summary summary{};
    RZ_TRY(each(begin(api_->query, arguments::of(query, reads)), [&](const rz_event& event) {
      if (event.tokens != nullptr) summary.tokens = Tokens::from(*event.tokens);
      if (event.summary != nullptr) arguments::add(*event.summary, summary);
      return event.delta == nullptr || row(Delta::from(*event.delta));
    }));
    return summary;
  }
  // What matches, then what comes: pull its events.
  Result<Call> subscribe(const SubscribeTo& wanted) {
    const arguments::Reads reads(wanted.query.read);
    const rz_query query = arguments::of(wanted.query, reads);
    return begin(api_->subscribe, arguments::of(wanted, query));
  }
  Result<Extent> extent(ByteView delta_id_or_token) {
    Extent extent;
    const rz_extent asked{sizeof asked, 0, rhizome::to_abi(delta_id_or_token)};
    RZ_TRY(each(begin(api_->extent, asked), [&](const rz_event& event) {
      if (event.extent != nullptr) extent = Extent::from(*event.extent);
      return true;
    }));
    return extent;
  }

  // ---- any request of docs/control.md; `answer_timeout_ms` is for each answer, 0: waits for ever
  // One answer; the blobs of an answer in parts are put together.
  Result<Reply> call(ByteView header, ByteView blob = {}, std::uint64_t answer_timeout_ms = 0) {
    Reply reply;
    RZ_TRY(each(request(header, blob, answer_timeout_ms), [&](const rz_event& event) {
      reply.header = view(event.header);
      reply.blob += view(event.blob);
      return true;
    }));
    return reply;
  }
  // Many answers: each but the last goes to `answer` until it answers false, which cancels the
  // request. The last one is returned.
  Result<Reply> stream(ByteView header, const std::function<bool(const Reply&)>& answer) {
    Result<Call> call = request(header);
    if (!call.ok()) return std::move(call).status();
    Reply last;
    bool cancelled = false;
    RZ_TRY(each(*call, [&](const rz_event& event) {
      last = {std::string(view(event.header)), std::string(view(event.blob))};
      if (event.count != 0 && !cancelled && !answer(last)) {
        cancelled = true;
        (void)call->cancel();  // a lost connection is the next event's to tell
      }
      return true;
    }));
    return last;
  }
  // Many answers, pulled as they come.
  Result<Call> request(ByteView header, ByteView blob = {}, std::uint64_t answer_timeout_ms = 0) {
    return begin(api_->request, rz_request{sizeof(rz_request), 0, rhizome::to_abi(header),
                                           rhizome::to_abi(blob), answer_timeout_ms});
  }

 private:
  Client(const rz_client_api* api, rz_client* client) : api_(api), client_(client, api->close) {}

  template <typename Asked>
  Result<Call> begin(std::int32_t (*function)(rz_client*, const Asked*, rz_call**, rz_error*),
                     const Asked& asked) {
    rz_call* call = nullptr;
    rz_error error{};
    const std::int32_t code = function(client_.get(), &asked, &call, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Call(api_, call);
  }
  template <typename Take>
  static Status each(Result<Call> call, Take&& take) {
    return call.ok() ? each(*call, std::forward<Take>(take)) : std::move(call).status();
  }
  template <typename Take>
  static Status each(Call& call, Take&& take) {
    for (;;) {
      const Result<const rz_event*> event = call.next();
      if (!event.ok()) return event.status();
      if (*event == nullptr || !take(**event)) return {};
    }
  }
  static Result<Written> written(Result<Call> call) {
    Written out;
    RZ_TRY(each(std::move(call), [&](const rz_event& event) {
      if (event.written != nullptr) out = arguments::from(*event.written);
      return true;
    }));
    return out;
  }

  const rz_client_api* api_;
  std::unique_ptr<rz_client, void (*)(rz_client*)> client_;
};

}  // namespace rhizome::client
