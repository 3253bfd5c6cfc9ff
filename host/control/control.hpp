// The node's API over a Unix socket, as JSON: what the commands, the client library and bindings
// speak. docs/control.md specifies it.
//
// One thread waits for all connections (epoll) and moves bytes; requests run as tasks of the API's
// executor, those of one connection one at a time. A connection costs no thread.
#pragma once

#include <memory>
#include <string>

#include "rhizome/status.hpp"
#include "runtime/log.hpp"

namespace rhizome {

namespace api {
class Api;
}

struct ControlLimits {
  std::size_t connections = 4096;
  // Bytes of requests that have arrived and are not answered yet, of all connections together.
  std::size_t request_bytes = 256u << 20;
  // A request whose first byte came so long ago and whose last did not ends its connection.
  std::uint64_t request_ms = 60'000;
  // Where all connections are taken, one that asked nothing for so long makes room for a new one.
  std::uint64_t idle_ms = 60'000;
};

class ControlServer {
 public:
  // Listens on the path (mode 0600), replacing a socket on which no process listens; kBusy where
  // one does or where the path is no socket. API and log outlive the server and every task that the
  // API's executor still runs.
  static Result<std::unique_ptr<ControlServer>> start(api::Api& api, Log& log,
                                                      const std::string& socket_path,
                                                      const ControlLimits& limits = {});
  ~ControlServer();
  // Ends every connection and the thread. Tasks of requests may still run in the executor; they
  // reach no client.
  void stop();

 private:
  class Loop;
  explicit ControlServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace rhizome
