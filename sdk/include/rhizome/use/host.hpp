// The host of one plugin instance, as its user owns it. For hosts and conformance suites; the
// author of a plugin sees rhizome::plugin::Host instead.
#pragma once

#include <memory>

#include "rhizome/abi/host.h"
#include "rhizome/status.hpp"

namespace rhizome::use {

// One for each open instance; it outlives the instance. The handles of rhizome/use (Store,
// Transport, ...) keep a reference, call begin_timers() behind an `open`, and end_timers() before
// they close their instance or where `open` failed.
class InstanceHost {
 public:
  virtual ~InstanceHost() = default;
  // What the instance's `open` is given; the same pointer each time.
  virtual const rz_host* table() = 0;
  // The instance is open: timers that its `open` started may run. Those of an `open` that fails
  // end.
  virtual void begin_timers() noexcept {}
  // From now on timers of the instance are refused; those that have not begun never run; returns
  // when those that have begun have ended (but not for one that is calling this).
  virtual void end_timers() noexcept = 0;
};

// A host that offers no service: for plugins that need none, and for tests that check that one
// works without.
class BareHost final : public InstanceHost {
 public:
  const rz_host* table() override { return &table_; }
  void end_timers() noexcept override {}

 private:
  rz_host table_{nullptr, [](void*, const char*) -> const void* { return nullptr; }};
};

using InstanceHostPtr = std::shared_ptr<InstanceHost>;

// What every `open` of a table ends with: RZ_OK and its instance's timers begin, or the failure.
inline Status opened(std::int32_t code, const rz_error& error, InstanceHost* host) {
  if (host != nullptr) {
    if (code == RZ_OK)
      host->begin_timers();
    else
      host->end_timers();
  }
  return Status::from_abi(code, error);
}

}  // namespace rhizome::use
