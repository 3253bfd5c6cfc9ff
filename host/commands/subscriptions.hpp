// The subscriptions that a running node serves, and how its index finds their filters. Single
// thread.
#pragma once

#include "commands/command.hpp"

namespace rhizome::commands {

int explain_subscriptions(const NodeOptions& node);

}  // namespace rhizome::commands
