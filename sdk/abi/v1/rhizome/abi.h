/* rhizome/abi.h: what crosses between a Rhizome host and a plugin, in C11.
 *
 * A plugin is a shared object with ONE exported symbol, `rhizome_plugin`. Everything else is
 * reached through it by interface id. An id names a frozen table: new behaviour is a new id
 * ("rhizome.store/2"), never a changed table. Only fixed-width integers, doubles, pointer + length
 * and opaque pointers cross. Nobody frees the other side's memory: inputs are borrowed for the
 * call, outputs go to a sink of the caller's. The rules and their reasons: docs/plugin-abi.md.
 *
 * Every function pointer carries a thread tag:
 *   [any]     from any thread, at the same time as any other call
 *   [main]    one call at a time, by whichever thread owns the plugin's life (load, open, close)
 *   [writer]  one call at a time, never at the same time as another [writer] call on this object
 *   [owner]   one call at a time for this object (a cursor, a compiled filter being built)
 *   [io]      the plugin calls it from a thread of its own; one call at a time for each object
 */
#ifndef RHIZOME_ABI_H_
#define RHIZOME_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major version of everything under rhizome/abi/. A host refuses any other. */
#define RZ_ABI_MAJOR 1u

/* Status codes: what every fallible function returns. Frozen for an ABI major. */
#define RZ_OK 0
#define RZ_INVALID 1      /* the argument or input is wrong; trying again cannot help */
#define RZ_NOT_FOUND 2    /* the thing asked for does not exist */
#define RZ_END 3          /* the end of an iteration; not an error */
#define RZ_WOULD_BLOCK 4  /* a bounded queue is full: try again when told (back-pressure) */
#define RZ_BUSY 5         /* somebody else holds it (a locked store, a used address) */
#define RZ_LIMIT 6        /* over a size, count, step, time or memory limit */
#define RZ_DENIED 7       /* policy or authentication refuses it */
#define RZ_CORRUPT 8      /* stored or received data does not check out */
#define RZ_IO 9           /* the operating system said no; may pass */
#define RZ_NO_SPACE 10    /* no room to write; the object is read-only until it is opened again */
#define RZ_READ_ONLY 11   /* an earlier write failed; reads go on */
#define RZ_CLOSED 12      /* the object or peer is closed or gone */
#define RZ_DEADLINE 13    /* not done in the time given */
#define RZ_UNSUPPORTED 14 /* this plugin or version does not do that */
#define RZ_INTERNAL \
  15 /* a fault of the called side (an exception was caught, an invariant broke) */

/* Bytes owned by somebody else. `data` may be NULL only where size is 0. */
typedef struct rz_bytes {
  const void* data;
  uint64_t size;
} rz_bytes;

/* Where a failing call says why. Owned by the caller, may be NULL. `message` is UTF-8, NUL-ended,
 * and names what, where, expected, found and how to fix it. Frozen for an ABI major. */
typedef struct rz_error {
  int32_t code;
  uint32_t reserved;
  char message[504];
} rz_error;

/* Where a call puts output. `write` may be called several times; chunks are borrowed for the call.
 * A result other than RZ_OK stops the producer, which returns it. */
typedef struct rz_sink {
  void* context;
  int32_t (*write)(void* context, rz_bytes chunk); /* [owner] */
} rz_sink;

/* What the host offers. Borrowed until `stop` returns. */
typedef struct rz_host {
  void* context;
  /* The table of a host interface (rhizome/abi/host.h), or NULL where this host lacks it. [any] */
  const void* (*get_interface)(void* context, const char* id);
} rz_host;

/* The one exported symbol: `const rz_plugin rhizome_plugin`. */
typedef struct rz_plugin {
  uint32_t abi_major; /* RZ_ABI_MAJOR of the headers that it was built with */
  uint32_t reserved;
  /* Called once, before anything else. Makes no thread, opens nothing. [main] */
  int32_t (*init)(const rz_host* host, rz_error* error);
  /* The frozen table of an interface id, or NULL where the plugin lacks it. [any] */
  const void* (*get_interface)(const char* id);
} rz_plugin;

#define RZ_PLUGIN_SYMBOL "rhizome_plugin"

/* The ELF note that describes a plugin without running it: section, owner, type, largest size.
 * The descriptor is JSON (UTF-8): {"id","version","abi","kind","interfaces":[...],
 * "capabilities":[...],"config":{JSON Schema}}. */
#define RZ_NOTE_SECTION ".note.rhizome"
#define RZ_NOTE_OWNER "Rhizome"
#define RZ_NOTE_TYPE 1u
#define RZ_NOTE_MAX_SIZE 65536u

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_H_ */
