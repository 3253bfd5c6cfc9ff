// What plugins may ask of the host: log, clock, random, timers. Lives as long as the process's
// plugins are used; any thread.
#pragma once

#include "rhizome/abi/host.h"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"

namespace rhizome {

class HostServices {
 public:
  HostServices(Log& log, Executor& executor);
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;
  const rz_host* host() const { return &host_; }

 private:
  rz_host_log log_;
  rz_host_clock clock_;
  rz_host_random random_;
  rz_host_timer timer_;
  rz_host host_;
};

}  // namespace rhizome
