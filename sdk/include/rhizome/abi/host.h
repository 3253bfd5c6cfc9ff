/* Host services that a plugin may ask for through rz_host.get_interface.
 *
 * A plugin that logs, waits, reads a clock or draws a number does it through these, so that a test
 * can hold time and chance still and an operator reads one log. */
#ifndef RHIZOME_ABI_HOST_H_
#define RHIZOME_ABI_HOST_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_HOST_LOG_ID "rhizome.host.log/1"
#define RZ_LOG_DEBUG 0u
#define RZ_LOG_INFO 1u
#define RZ_LOG_WARN 2u
#define RZ_LOG_ERROR 3u

typedef struct rz_host_log {
  void* context;
  /* One line, UTF-8, without a newline; borrowed. Never log a key. [any] */
  void (*write)(void* context, uint32_t level, rz_bytes line);
} rz_host_log;

#define RZ_HOST_CLOCK_ID "rhizome.host.clock/1"

typedef struct rz_host_clock {
  void* context;
  uint64_t (*monotonic_ns)(void* context); /* never goes back; virtual in a simulation. [any] */
  uint64_t (*wall_ms)(void* context);      /* milliseconds since the Unix epoch. [any] */
} rz_host_clock;

#define RZ_HOST_RANDOM_ID "rhizome.host.random/1"

typedef struct rz_host_random {
  void* context;
  uint64_t (*next)(void* context); /* not for keys: seeded in a simulation. [any] */
} rz_host_random;

#define RZ_HOST_TIMER_ID "rhizome.host.timer/1"

typedef struct rz_host_timer {
  void* context;
  /* Runs `task(argument)` once on a host thread, `delay_ns` from now or later. [any] */
  void (*post_after)(void* context, uint64_t delay_ns, void (*task)(void* argument),
                     void* argument);
} rz_host_timer;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_HOST_H_ */
