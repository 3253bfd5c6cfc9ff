// One function an operation of the control surface; see docs/control.md. Private to host/control.
#pragma once

#include "control/control.hpp"
#include "framing.hpp"

namespace rhizome {

struct RequestContext {
  ControlServices& services;
  CommitSignal& signal;
  const std::atomic<bool>& stopping;
  int socket;
};

// Answers one request; false where the client is gone.
bool answer_request(RequestContext& context, const control::Message& request);

}  // namespace rhizome
