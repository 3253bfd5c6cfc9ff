/* Host services that an instance may ask for through rz_host.get_interface.
 *
 * A plugin that logs, waits, reads a clock or draws a number does it through these, so that a test
 * can hold time and chance still and an operator reads one log. The tables belong to the instance
 * whose host they were asked from: log lines carry its name, and its timers end with it. They are
 * valid until the instance's `close` returns. A plugin asks for a table once, in `open`, and does
 * without where the answer is NULL. */
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
  /* One line, UTF-8, without a newline; borrowed. The host adds time, level and the instance's
   * name, and drops lines where its queue is full rather than wait. Never log a key.
   * [any] [quick] */
  void (*write)(void* context, uint32_t level, rz_bytes line);
} rz_host_log;

#define RZ_HOST_CLOCK_ID "rhizome.host.clock/1"

typedef struct rz_host_clock {
  void* context;
  /* Nanoseconds since some fixed moment; never goes back; virtual in a simulation. [any] [quick] */
  uint64_t (*monotonic_ns)(void* context);
  /* Milliseconds since the Unix epoch; may jump. [any] [quick] */
  uint64_t (*wall_ms)(void* context);
} rz_host_clock;

#define RZ_HOST_RANDOM_ID "rhizome.host.random/1"

typedef struct rz_host_random {
  void* context;
  /* 64 random bits. Not for keys: drawn from a seed in a simulation. [any] [quick] */
  uint64_t (*next)(void* context);
} rz_host_random;

#define RZ_HOST_TIMER_ID "rhizome.host.timer/1"
#define RZ_TIMERS_MAX 4096u

typedef struct rz_host_timer {
  void* context;
  /* Runs `task(argument)` once on a thread of the host, `delay_ns` from now or later; *id (may be
   * NULL) names it and is never 0. Delay 0 hands work to another thread. RZ_LIMIT over
   * RZ_TIMERS_MAX pending timers of the instance; RZ_CLOSED once the host has begun to close the
   * instance.
   * A task may start and cancel timers and may wait for a disk or an engine, not for another task:
   * it holds one of the host's few threads meanwhile. Tasks of one instance may run beside each
   * other and beside any call of the instance.
   * Timers that `open` starts run once it has returned RZ_OK, and never where it fails. Timers end
   * with their instance: before the host calls `close`, it drops those that have not begun and
   * waits for those that have. [any] [quick] */
  int32_t (*start)(void* context, uint64_t delay_ns, void (*task)(void* argument), void* argument,
                   uint64_t* id);
  /* RZ_OK: the timer will not run. RZ_NOT_FOUND: it has run, runs now, or never was. Does not wait.
   * [any] [quick] */
  int32_t (*cancel)(void* context, uint64_t id);
} rz_host_timer;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_HOST_H_ */
