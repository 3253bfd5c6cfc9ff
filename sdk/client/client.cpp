// The C table over clients and calls. Nothing throws across it.
#include "rhizome/client.h"

#include <algorithm>
#include <cstring>

#include "call.hpp"
#include "rhizome/plugin.hpp"
#include "structs.hpp"

struct rz_client {
  rhizome::client_core::Options options;
  std::shared_ptr<rhizome::client_core::IdleConnections> idle =
      std::make_shared<rhizome::client_core::IdleConnections>();
};

struct rz_call {
  rhizome::client_core::Call call;
};

namespace rhizome::client_core {

namespace {

using plugin::guard;

Status begin(rz_client* client, Result<Wanted> wanted, std::unique_ptr<Answers> answers,
             Behaviour behaviour, rz_call** call) {
  *call = nullptr;
  if (!wanted.ok()) return std::move(wanted).status();
  *call = new rz_call{{client->options, client->idle, std::move(*wanted), std::move(answers),
                       std::move(behaviour)}};
  return {};
}

std::int32_t open(const rz_client_options* given, rz_client** client, rz_error* error) {
  return guard(error, [&]() -> Status {
    *client = nullptr;
    rz_client_options options;
    RZ_TRY(take_struct(given, options));
    if (options.socket_path.size == 0)
      return {Code::kInvalid,
              "socket_path: expected the path of a node's control socket, found none"};
    auto made = std::make_unique<rz_client>();
    made->options.socket_path = view(options.socket_path);
    const auto set = [](std::uint64_t wanted, std::uint64_t& value) {
      if (wanted != 0) value = wanted;
    };
    set(options.connect_timeout_ms, made->options.connect_timeout_ms);
    set(options.answer_timeout_ms, made->options.answer_timeout_ms);
    set(options.reconnect_ms, made->options.reconnect_ms);
    *client = made.release();
    return {};
  });
}

std::int32_t write(rz_client* client, const rz_write* write, rz_call** call, rz_error* error) {
  return guard(error,
               [&] { return begin(client, write_request(write), written_answers(), {}, call); });
}

std::int32_t import_lines(rz_client* client, const rz_import* import, rz_call** call,
                          rz_error* error) {
  return guard(error,
               [&] { return begin(client, import_request(import), written_answers(), {}, call); });
}

std::int32_t negate(rz_client* client, const rz_negate* negate, rz_call** call, rz_error* error) {
  return guard(error,
               [&] { return begin(client, negate_request(negate), written_answers(), {}, call); });
}

std::int32_t get(rz_client* client, const rz_get* given, rz_call** call, rz_error* error) {
  return guard(error, [&]() -> Status {
    *call = nullptr;
    rz_get get;
    RZ_TRY(take_struct(given, get));
    const bool lossless = (get.flags & RZ_GET_LOSSLESS) != 0;
    return begin(client, get_request(get), view_answers(lossless), {}, call);
  });
}

std::int32_t query(rz_client* client, const rz_query* query, rz_call** call, rz_error* error) {
  return guard(error, [&] {
    Behaviour behaviour;
    behaviour.patience = Patience::kNever;
    behaviour.is_stream = true;
    return begin(client, query_request(query), row_answers(false), std::move(behaviour), call);
  });
}

std::int32_t subscribe(rz_client* client, const rz_subscription* given, rz_call** call,
                       rz_error* error) {
  return guard(error, [&]() -> Status {
    *call = nullptr;
    auto kept = KeptSubscription::of(given);
    if (!kept.ok()) return std::move(kept).status();
    Result<Wanted> wanted = (*kept)->request({}, 0);
    std::unique_ptr<RowAnswers> rows = row_answers(true);
    Behaviour behaviour;
    behaviour.patience = Patience::kFirst;
    behaviour.is_stream = true;
    behaviour.is_reusable = false;
    behaviour.rows = rows.get();
    behaviour.subscription = std::move(*kept);
    return begin(client, std::move(wanted), std::move(rows), std::move(behaviour), call);
  });
}

std::int32_t extent(rz_client* client, const rz_extent* extent, rz_call** call, rz_error* error) {
  return guard(error,
               [&] { return begin(client, extent_request(extent), extent_answers(), {}, call); });
}

std::int32_t request(rz_client* client, const rz_request* given, rz_call** call, rz_error* error) {
  return guard(error, [&]() -> Status {
    *call = nullptr;
    rz_request request;
    RZ_TRY(take_struct(given, request));
    Behaviour behaviour;
    behaviour.patience = request.answer_timeout_ms != 0 ? Patience::kEach : Patience::kNever;
    behaviour.answer_timeout_ms = request.answer_timeout_ms;
    behaviour.is_stream = true;
    behaviour.is_reusable = false;
    return begin(client, Wanted{std::string(view(request.header)), std::string(view(request.blob))},
                 raw_answers(), std::move(behaviour), call);
  });
}

// The event is the caller's memory, of the caller's size.
std::int32_t next(rz_call* call, std::uint64_t timeout_ms, rz_event* event, rz_error* error) {
  return guard(error, [&]() -> Status {
    const std::uint32_t size = event->struct_size;
    RZ_TRY(check_size(size, kShape<rz_event>));
    rz_event found{};
    Status status = call->call.next(timeout_ms, found);
    found.struct_size = size;
    std::memset(event, 0, size);
    std::memcpy(event, &found, std::min<std::size_t>(size, sizeof found));
    return status;
  });
}

constexpr rz_client_api kApi = {
    RZ_CLIENT_API,
    sizeof(rz_client_api),
    open,
    [](rz_client* client) { delete client; },
    write,
    import_lines,
    negate,
    get,
    query,
    subscribe,
    extent,
    request,
    next,
    [](rz_call* call) -> std::int32_t { return call->call.descriptor(); },
    [](rz_call* call, rz_error* error) {
      return guard(error, [&] { return call->call.pause(true); });
    },
    [](rz_call* call, rz_error* error) {
      return guard(error, [&] { return call->call.pause(false); });
    },
    [](rz_call* call, rz_error* error) {
      return guard(error, [&] { return call->call.cancel(); });
    },
    [](rz_call* call) { delete call; }};

}  // namespace

}  // namespace rhizome::client_core

extern "C" const rz_client_api* rhizome_client_api(uint32_t version) {
  return version == RZ_CLIENT_API ? &rhizome::client_core::kApi : nullptr;
}
