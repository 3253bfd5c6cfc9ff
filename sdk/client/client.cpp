// The C table over clients and calls. Nothing throws across it.
#include "rhizome/client.h"

#include <cstring>
#include <exception>
#include <new>

#include "call.hpp"

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

std::int32_t fail(rz_error* error, const Status& status) noexcept {
  if (error != nullptr) {
    error->position = 0;
    const std::size_t size = std::min(status.message().size(), sizeof error->message - 1);
    std::memcpy(error->message, status.message().data(), size);
    error->message[size] = '\0';
  }
  return static_cast<std::int32_t>(status.code());
}

template <typename Body>
std::int32_t guard(rz_error* error, Body&& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? RZ_OK : fail(error, status);
  } catch (const std::bad_alloc&) {
    return RZ_LIMIT;
  } catch (const std::exception&) {
    return RZ_INTERNAL;
  }
}

template <typename Argument>
Status check_size(const Argument* argument, const char* name) {
  if (argument != nullptr && argument->struct_size >= sizeof(Argument)) return {};
  return {Code::kInvalid, std::string(name) + ": expected struct_size of at least " +
                              std::to_string(sizeof(Argument)) + ", found " +
                              std::to_string(argument != nullptr ? argument->struct_size : 0)};
}

Status begin(rz_client* client, Result<Wanted> wanted, std::unique_ptr<Answers> answers,
             Behaviour behaviour, rz_call** call) {
  if (!wanted.ok()) return std::move(wanted).status();
  *call = new rz_call{{client->options, client->idle, std::move(*wanted), std::move(answers),
                       std::move(behaviour)}};
  return {};
}

std::int32_t open(const rz_client_options* options, rz_client** client, rz_error* error) {
  return guard(error, [&]() -> Status {
    *client = nullptr;
    RZ_TRY(check_size(options, "rz_client_options"));
    if (options->socket_path.size == 0)
      return {Code::kInvalid,
              "socket_path: expected the path of a node's control socket, found none"};
    auto made = std::make_unique<rz_client>();
    made->options.socket_path = view(options->socket_path);
    const auto set = [](std::uint64_t given, std::uint64_t& value) {
      if (given != 0) value = given;
    };
    set(options->connect_timeout_ms, made->options.connect_timeout_ms);
    set(options->answer_timeout_ms, made->options.answer_timeout_ms);
    set(options->reconnect_ms, made->options.reconnect_ms);
    *client = made.release();
    return {};
  });
}

std::int32_t write(rz_client* client, const rz_write* write, rz_call** call, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_size(write, "rz_write"));
    return begin(client, write_request(*write), written_answers(), {}, call);
  });
}

std::int32_t import_lines(rz_client* client, rz_bytes lines, const rz_confirm* confirm,
                          rz_call** call, rz_error* error) {
  return guard(error, [&] {
    return begin(client, import_request(view(lines), confirm), written_answers(), {}, call);
  });
}

std::int32_t negate(rz_client* client, rz_bytes delta, rz_bytes reason, rz_call** call,
                    rz_error* error) {
  return guard(error, [&] {
    return begin(client, negate_request(view(delta), view(reason)), written_answers(), {}, call);
  });
}

std::int32_t get(rz_client* client, const rz_get* get, rz_call** call, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_size(get, "rz_get"));
    return begin(client, get_request(*get), view_answers(get->lossless != 0), {}, call);
  });
}

std::int32_t query(rz_client* client, const rz_query* query, rz_call** call, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_size(query, "rz_query"));
    Behaviour behaviour;
    behaviour.is_stream = true;
    return begin(client, query_request(*query), row_answers(false), std::move(behaviour), call);
  });
}

// What a subscription asks, kept for the time when it must be asked again.
struct KeptSubscription {
  explicit KeptSubscription(const rz_subscription& given) : asked(given) {
    for (rz_bytes* text : {&asked.query.filter, &asked.query.language, &asked.query.entity,
                           &asked.query.context, &asked.query.author, &asked.query.read.min_confirm,
                           &asked.resume, &asked.peer, &asked.policy}) {
      texts.push_back(std::make_unique<std::string>(view(*text)));
      *text = to_abi(*texts.back());
    }
    for (std::uint64_t i = 0; i < given.query.read.token_count; ++i) {
      texts.push_back(std::make_unique<std::string>(view(given.query.read.tokens[i])));
      tokens.push_back(to_abi(*texts.back()));
    }
    asked.query.read.tokens = tokens.data();
  }
  rz_subscription asked;
  std::vector<std::unique_ptr<std::string>> texts;
  std::vector<rz_bytes> tokens;
};

std::int32_t subscribe(rz_client* client, const rz_subscription* subscription, rz_call** call,
                       rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_size(subscription, "rz_subscription"));
    const auto kept = std::make_shared<KeptSubscription>(*subscription);
    std::unique_ptr<RowAnswers> rows = row_answers(true);
    Behaviour behaviour;
    behaviour.is_stream = true;
    behaviour.is_reusable = false;
    behaviour.rows = rows.get();
    behaviour.is_endless = subscription->query.limit == 0;
    behaviour.again = [kept](ByteView resume) { return subscribe_request(kept->asked, resume); };
    return begin(client, subscribe_request(kept->asked, {}), std::move(rows), std::move(behaviour),
                 call);
  });
}

std::int32_t extent(rz_client* client, rz_bytes delta_or_token, rz_call** call, rz_error* error) {
  return guard(error, [&] {
    return begin(client, extent_request(view(delta_or_token)), extent_answers(), {}, call);
  });
}

std::int32_t request(rz_client* client, rz_bytes header, rz_bytes blob, rz_call** call,
                     rz_error* error) {
  return guard(error, [&] {
    Behaviour behaviour;
    behaviour.is_stream = true;
    behaviour.is_reusable = false;
    return begin(client, Wanted{std::string(view(header)), std::string(view(blob))}, raw_answers(),
                 std::move(behaviour), call);
  });
}

std::int32_t next(rz_call* call, std::uint64_t timeout_ms, rz_event* event, rz_error* error) {
  return guard(error, [&]() -> Status {
    RZ_TRY(check_size(event, "rz_event"));
    return call->call.next(timeout_ms, *event);
  });
}

std::int32_t tell(rz_call* call, const char* header, rz_error* error) {
  return guard(error, [&] { return call->call.tell(header); });
}

constexpr rz_client_api kApi = {
    RZ_CLIENT_API,
    0,
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
    [](rz_call* call, rz_error* error) { return tell(call, R"({"op":"pause"})", error); },
    [](rz_call* call, rz_error* error) { return tell(call, R"({"op":"resume"})", error); },
    [](rz_call* call, rz_error* error) { return tell(call, R"({"op":"cancel"})", error); },
    [](rz_call* call) { delete call; }};

}  // namespace

}  // namespace rhizome::client_core

extern "C" const rz_client_api* rhizome_client_api(uint32_t version) {
  return version == RZ_CLIENT_API ? &rhizome::client_core::kApi : nullptr;
}
