// The tables that stand before the log and the executor.
#include "node/host_services.hpp"

#include <string_view>

#include "rhizome/bytes.hpp"

namespace rhizome {

namespace {

Executor& executor(void* context) { return *static_cast<Executor*>(context); }

}  // namespace

HostServices::HostServices(Log& log, Executor& given)
    : log_{&log,
           [](void* context, std::uint32_t level, rz_bytes line) {
             const auto known =
                 level <= RZ_LOG_ERROR ? static_cast<LogLevel>(level) : LogLevel::kError;
             static_cast<Log*>(context)->write(known, "plugin",
                                               {{"message", std::string(view(line))}});
           }},
      clock_{&given, [](void* c) { return executor(c).monotonic_ns(); },
             [](void* c) { return executor(c).wall_ms(); }},
      random_{&given, [](void* c) { return executor(c).random(); }},
      timer_{&given,
             [](void* c, std::uint64_t delay_ns, void (*task)(void*), void* argument) {
               executor(c).post_after(delay_ns, [task, argument] { task(argument); });
             }},
      host_{this, [](void* context, const char* id) -> const void* {
              const auto& self = *static_cast<HostServices*>(context);
              const std::string_view name(id);
              if (name == RZ_HOST_LOG_ID) return &self.log_;
              if (name == RZ_HOST_CLOCK_ID) return &self.clock_;
              if (name == RZ_HOST_RANDOM_ID) return &self.random_;
              if (name == RZ_HOST_TIMER_ID) return &self.timer_;
              return nullptr;
            }} {}

}  // namespace rhizome
