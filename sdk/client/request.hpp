// Requests of docs/control.md from the typed arguments of rhizome/client.h. Pure functions;
// kInvalid for text that is no UTF-8 and for kinds that no delta has, kUnsupported for members of a
// later version of the structs.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client_core {

struct Wanted {
  std::string header;             // JSON
  std::string blob;               // lines
  std::uint64_t deadline_ms = 0;  // how long the node may wait before it answers, by the request
  std::uint64_t limit = 0;        // of a subscription: deltas after which it ends; 0: never
};

Result<Wanted> write_request(const rz_write* write);
Result<Wanted> import_request(const rz_import* import);
Result<Wanted> negate_request(const rz_negate* negate);
// `get` is the checked struct.
Result<Wanted> get_request(const rz_get& get);
Result<Wanted> query_request(const rz_query* query);
Result<Wanted> extent_request(const rz_extent* extent);

// What a subscription asks, kept for the time when it must be asked again.
class KeptSubscription {
 public:
  static Result<std::shared_ptr<const KeptSubscription>> of(const rz_subscription* given);
  // Behind the token `resume`, in front of which `given` deltas were pulled; from the
  // subscription's own beginning where it is empty.
  Result<Wanted> request(ByteView resume, std::uint64_t given) const;
  std::uint64_t limit() const { return limit_; }  // 0: none

 private:
  KeptSubscription() = default;
  nlohmann::json request_;  // as at first
  std::uint64_t deadline_ms_ = 0, limit_ = 0;
};

}  // namespace rhizome::client_core
