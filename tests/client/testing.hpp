// For the tests of librhizome-client: a node's control socket and a client of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <vector>

#include "control/testing.hpp"
#include "rhizome/client.hpp"

namespace rhizome {

namespace c = client;

struct ClientTest : testing::Test {
  c::Client open() const { return std::move(*c::Client::open(served.path)); }
  void stop_node() { served.server.reset(); }
  void start_node() { served.server = std::move(*served.start()); }
  testing_support::Served served;
};

inline bool readable(int descriptor, int milliseconds) {
  pollfd state{descriptor, POLLIN, 0};
  return ::poll(&state, 1, milliseconds) == 1;
}

// Pulls until `count` deltas have come; their values, and the kinds of the other events.
struct Pulled {
  std::vector<double> values;
  std::vector<std::uint32_t> kinds;
};
inline Pulled pull(c::Call& call, std::size_t count) {
  Pulled pulled;
  while (pulled.values.size() < count) {
    const auto event = call.next(10'000);
    if (!event.ok() || *event == nullptr) {
      ADD_FAILURE() << event.status().to_string();
      break;
    }
    if ((*event)->kind == RZ_EVENT_DELTA)
      pulled.values.push_back((*event)->delta->pointers[1].target.number);
    else
      pulled.kinds.push_back((*event)->kind);
  }
  return pulled;
}

}  // namespace rhizome
