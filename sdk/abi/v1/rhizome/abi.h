/* rhizome/abi.h: what crosses between a Rhizome host and a plugin, in C11.
 *
 * A plugin is a shared object with one exported symbol, `rhizome_plugin`. Everything else is
 * reached through it by interface id. An id names a frozen table: new behaviour is a new id
 * ("rhizome.store/2"), never a changed table. Only fixed-width integers, doubles, pointer + length
 * and opaque pointers cross. Neither side frees the other side's memory: inputs are borrowed for
 * the call, outputs go to a sink of the caller's. The rules and their reasons: docs/plugin-abi.md.
 *
 * Instances. A library has no state that the host knows of. Every kind is used through instances:
 * `open(host, config, ..., &instance)` makes one and `close(instance)` ends it. Several instances
 * of one library may be open at once, in one process, each with a host of its own (two nodes in one
 * process are the usual case: a simulator, a test). `host` and everything reached through it is
 * borrowed until `close` returns. The host is the instance's: its log lines, timers and metrics
 * are attributed to that instance, so an instance passes on the host that its own `open` was given.
 *
 * Every function pointer carries two tags. Which threads may call it:
 *   [any]     any thread, at the same time as any other call
 *   [main]    one call at a time, by the thread that owns the instance's life (open, close)
 *   [writer]  one call at a time, never at the same time as another [writer] call on this object
 *   [owner]   one call at a time for this object (a cursor, a compiled filter being released)
 *   [io]      the plugin calls it from a thread of its own; one call at a time for each instance
 * And whether it may wait:
 *   [quick]   returns without waiting for a disk, a network, another thread's work or a lock that
 *             is held across one of them; the host calls it from threads that must go on
 *   [blocks]  may wait; the host calls it only from threads that may
 */
#ifndef RHIZOME_ABI_H_
#define RHIZOME_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major version of everything under rhizome/abi/. A host refuses any other. */
#define RZ_ABI_MAJOR 1u

/* Status codes: what every fallible function returns. Frozen for an ABI major; a host or plugin
 * that meets a code it does not know treats it as RZ_INTERNAL. */
#define RZ_OK 0
#define RZ_INVALID 1      /* the argument or input is wrong; trying again cannot help */
#define RZ_NOT_FOUND 2    /* no such thing */
#define RZ_END 3          /* the end of an iteration; not an error */
#define RZ_WOULD_BLOCK 4  /* a bounded queue is full; an event says when it has room again */
#define RZ_BUSY 5         /* in use by another holder: a locked store, a used address */
#define RZ_LIMIT 6        /* over a size, count, step or memory limit */
#define RZ_DENIED 7       /* refused by policy or authentication */
#define RZ_CORRUPT 8      /* stored or received data does not check out */
#define RZ_IO 9           /* the operating system reported an error; may pass */
#define RZ_NO_SPACE 10    /* no space to write */
#define RZ_READ_ONLY 11   /* an earlier write failed; reads go on, writes are refused */
#define RZ_CLOSED 12      /* the object, connection or peer is closed */
#define RZ_DEADLINE 13    /* not done in the time given */
#define RZ_UNSUPPORTED 14 /* this plugin, version or kind of object does not do that */
#define RZ_INTERNAL 15    /* a fault of the called side: an exception, a broken invariant */
#define RZ_AWAY 16        /* a remote part cannot be reached now; an event says when it is back */
#define RZ_CANCELED 17    /* ended because its caller asked for that */

/* Bytes owned by the other side. `data` may be NULL only where size is 0. */
typedef struct rz_bytes {
  const void* data;
  uint64_t size;
} rz_bytes;

/* Where a failing call says why. Owned by the caller, may be NULL. The result of the call alone
 * says whether and how it failed; this says why, to a person. */
typedef struct rz_error {
  /* 1 + the offset in bytes of the place in the input that the failure is about (a filter's source,
   * a config); 0 where there is none. */
  uint64_t position;
  /* UTF-8, NUL-ended; names what, where, expected, found and how to fix it. The caller reads at
   * most 504 bytes, whether a NUL is among them or not. */
  char message[504];
} rz_error;

/* Where a call puts one output. `write` may be called several times: the chunks, in order, are the
 * output. A result other than RZ_OK stops the producer, which returns it. */
typedef struct rz_sink {
  void* context;
  int32_t (*write)(void* context, rz_bytes chunk); /* [owner] [quick] */
} rz_sink;

/* Where a call puts a list: one call of `item` for each element. A result other than RZ_OK stops
 * the producer, which returns it. */
typedef struct rz_list_sink {
  void* context;
  int32_t (*item)(void* context, rz_bytes item); /* [owner] [quick] */
} rz_list_sink;

/* What the host offers to one instance. */
typedef struct rz_host {
  void* context;
  /* The table of a host interface (rhizome/abi/host.h), or NULL where this host lacks it. The
   * table lives as long as the host. [any] [quick] */
  const void* (*get_interface)(void* context, const char* id);
} rz_host;

/* The one exported symbol: `const rz_plugin rhizome_plugin`. It is data: the host reads abi_major
 * before it runs any function of the plugin. There is no init function: two hosts in one process
 * (a node, and a program that embeds another) may load the same library, so "called once" could
 * not be promised; what a library must set up once it sets up in the first `open`. */
typedef struct rz_plugin {
  uint32_t abi_major; /* RZ_ABI_MAJOR of the headers that it was built with */
  uint32_t reserved;  /* 0 */
  /* The frozen table of an interface id, or NULL where the plugin lacks it. The same pointer at
   * each call, valid as long as the library is loaded. [any] [quick] */
  const void* (*get_interface)(const char* id);
} rz_plugin;

#define RZ_PLUGIN_SYMBOL "rhizome_plugin"

/* The ELF note that describes a plugin without running it: section, owner, type, largest size.
 * The descriptor is JSON (UTF-8): {"id","version","abi","kind","interfaces":[...],
 * "capabilities":[...],"config":{JSON Schema}}. The kinds and the capabilities of each kind are
 * listed in the kind's header, with what the host does with each; others are refused. */
#define RZ_NOTE_SECTION ".note.rhizome"
#define RZ_NOTE_OWNER "Rhizome"
#define RZ_NOTE_TYPE 1u
#define RZ_NOTE_MAX_SIZE 65536u

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_H_ */
