// What a connection does with a request; see docs/control.md. Private to host/control.
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

// Answers one request; false where the connection is over.
bool answer_request(RequestContext& context, const control::Message& request);
// Tells a client whose message cannot be read.
void answer_error(int socket, const Status& status);

}  // namespace rhizome
