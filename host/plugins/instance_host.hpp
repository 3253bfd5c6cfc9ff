// What a node offers to one instance of a plugin: a log under the instance's name, clock, chance,
// and timers that end with the instance. Made by the assembly of a node, one per `open`; any
// thread. The log and the executor outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "rhizome/use/host.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"

namespace rhizome {

class InstanceHost final : public use::InstanceHost {
 public:
  // `instance` names it in log lines: "store leveldb".
  InstanceHost(std::string instance, Log& log, Executor& executor);
  ~InstanceHost() override;
  InstanceHost(const InstanceHost&) = delete;
  InstanceHost& operator=(const InstanceHost&) = delete;

  const rz_host* table() override { return &host_; }
  void begin_timers() noexcept override;
  void end_timers() noexcept override;

  std::size_t pending_timers() const;

 private:
  struct Timers;
  static const void* interface(void* context, const char* id);

  const std::string instance_;
  Log& log_;
  // Shared with the executor's tasks, which may come after the instance's end.
  const std::shared_ptr<Timers> timers_;
  rz_host_log log_table_;
  rz_host_clock clock_;
  rz_host_random random_;
  rz_host_timer timer_;
  rz_host host_;
};

}  // namespace rhizome
