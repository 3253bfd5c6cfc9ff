// Requests of docs/control.md from the typed arguments of rhizome/client.h. Pure functions;
// kInvalid for text that is no UTF-8 and for kinds that no delta has.
#pragma once

#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client_core {

struct Wanted {
  std::string header;             // JSON
  std::string blob;               // lines
  std::uint64_t deadline_ms = 0;  // how long the node may wait before it answers, by the request
};

Result<Wanted> write_request(const rz_write& write);
Result<Wanted> import_request(ByteView lines, const rz_confirm* confirm);
Result<Wanted> negate_request(ByteView delta, ByteView reason);
Result<Wanted> get_request(const rz_get& get);
Result<Wanted> query_request(const rz_query& query);
// With `resume` in place of the subscription's own beginning, where it is not empty.
Result<Wanted> subscribe_request(const rz_subscription& subscription, ByteView resume);
Result<Wanted> extent_request(ByteView delta_or_token);

}  // namespace rhizome::client_core
