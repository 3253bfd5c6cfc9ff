// A call in C++: one operation of a client, pulled. rhizome/client.h says what an event is, and
// what becomes of a call whose connection is lost. One thread at a time.
#pragma once

#include <memory>

#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client {

// One operation under way.
class Call {
 public:
  // The next event, borrowed until the next call of this; nullptr at the end of the call.
  // kWouldBlock where none came within `timeout_ms`.
  Result<const rz_event*> next(std::uint64_t timeout_ms = RZ_WAIT_FOREVER) {
    rz_error error{};
    event_->struct_size = sizeof *event_;
    const std::int32_t code = api_->next(call_.get(), timeout_ms, event_.get(), &error);
    if (code == RZ_END) return static_cast<const rz_event*>(nullptr);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return static_cast<const rz_event*>(event_.get());
  }
  // Readable when `next` can go on. Poll it after kWouldBlock.
  int fd() const { return api_->fd(call_.get()); }
  Status pause() { return tell(api_->pause); }
  Status resume() { return tell(api_->resume); }
  Status cancel() { return tell(api_->cancel); }

 private:
  friend class Client;
  Call(const rz_client_api* api, rz_call* call)
      : api_(api), call_(call, api->end), event_(std::make_unique<rz_event>()) {}
  Status tell(std::int32_t (*function)(rz_call*, rz_error*)) {
    rz_error error{};
    return Status::from_abi(function(call_.get(), &error), error);
  }
  const rz_client_api* api_;
  std::unique_ptr<rz_call, void (*)(rz_call*)> call_;
  std::unique_ptr<rz_event> event_;
};

}  // namespace rhizome::client
