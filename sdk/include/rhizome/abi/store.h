/* rhizome.store/1: an ordered key-value store.
 *
 * A store knows nothing of deltas: the journal (host/journal) lays them over keys that sort
 * bytewise, so every store gets the same indexes and a new store is little work. Two things are
 * asked of it beyond order: a batch is applied as a whole or not at all, also across a crash; and a
 * batch written with RZ_STORE_SYNCED is on stable storage when `write` returns RZ_OK. A store that
 * cannot promise the second says so in its manifest ("volatile").
 *
 * A store's state. A store is READY until it reports something else (rhizome.host.store/1):
 *   READY      reads and writes work
 *   READ_ONLY  a write failed (no space, an I/O error, no file descriptor): reads go on, `write`
 *              answers RZ_READ_ONLY
 *   AWAY       a remote store cannot be reached: `write` answers RZ_AWAY, reads may
 * A store that leaves READY answers the failing call with the cause and reports the new state
 * before that call returns. It reports READY when writes work again. It finds that out by itself,
 * for example by a small test write from a timer of the host; the host does not restart it. A store
 * that cannot recover stays READ_ONLY until it is closed. After a failed `write` a store that
 * reported nothing is taken to be READ_ONLY.
 *
 * Failed writes. RZ_INVALID, RZ_LIMIT and RZ_READ_ONLY promise that nothing of the batch was
 * applied, and the first two leave the state as it is. After every other failure neither side knows
 * whether the batch was applied: the sync may have failed behind the data, or the connection may
 * have ended behind the request. The host then writes nothing until the store is READY again, and
 * asks `rhizome.store.resolve/1` what became of this batch, which it names by its marker. Only when
 * that is answered does it write again. So a store that returns to READY must first make sure that
 * the batch cannot be applied later, by a request that is still under way. A store that never
 * returns to READY, or whose failed batches are never applied, does not need that table.
 *
 * A store that went on after a failed write could acknowledge batches behind a hole in its log,
 * which the next start does not find. That is why a store is READ_ONLY first and READY only after
 * it has made sure of what it holds.
 *
 * Reads. A read that begins after `write` returned RZ_OK sees that batch. A cursor sees the state
 * at `cursor_open` for as long as it is open, whatever is written and however the state changes. */
#ifndef RHIZOME_ABI_STORE_H_
#define RHIZOME_ABI_STORE_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_STORE_ID "rhizome.store/1"

/* Capabilities of kind "store":
 *   "local"     the data lies in the directory of `open`, which one instance at a time has open.
 *               `rhizome repair` works with these alone; the conformance suite checks RZ_BUSY,
 *               durability under SIGKILL, failed writes and damaged files.
 *   "remote"    the data lies elsewhere; may be AWAY; offers rhizome.store.resolve/1
 *   "volatile"  nothing survives `close`: the journal begins anew with every start, and the suite
 *               leaves out what is about durability. For tests and caches.
 *   "salvage"   the config has a boolean key "salvage", false by default. With true, `open` opens
 *               damaged data too and shows what can be read of it. `rhizome repair` sets it.
 * A store has exactly one of the first three. */
#define RZ_STORE_CAPABILITY_LOCAL "local"
#define RZ_STORE_CAPABILITY_REMOTE "remote"
#define RZ_STORE_CAPABILITY_VOLATILE "volatile"
#define RZ_STORE_CAPABILITY_SALVAGE "salvage"

#define RZ_STORE_KEY_MAX_SIZE 1024u
#define RZ_STORE_VALUE_MAX_SIZE 16777216u /* 16 MiB */
/* A store takes batches of at least this many bytes of keys and values; above it may answer
 * RZ_LIMIT. The journal groups small batches up to 4 MiB. */
#define RZ_STORE_BATCH_SIZE 67108864u /* 64 MiB */
/* A store keeps at least this many cursors open at once; above it may answer RZ_LIMIT. */
#define RZ_STORE_CURSORS 64u

#define RZ_STORE_PUT 1u    /* adds the key or replaces its value */
#define RZ_STORE_DELETE 2u /* a key that is not there is no error */

typedef struct rz_store_op {
  uint32_t kind;     /* RZ_STORE_PUT or RZ_STORE_DELETE; another one is RZ_INVALID */
  uint32_t reserved; /* 0 */
  rz_bytes key;      /* 1 to RZ_STORE_KEY_MAX_SIZE bytes; another size is RZ_INVALID */
  rz_bytes value;    /* at most RZ_STORE_VALUE_MAX_SIZE bytes, or RZ_LIMIT; empty for a delete */
} rz_store_op;

#define RZ_STORE_BUFFERED 0u /* survives the end of the process; a power cut may lose it */
#define RZ_STORE_SYNCED 1u   /* on stable storage when `write` returns, and all batches before it */

#define RZ_STORE_MARKER_SIZE 16u

/* What is applied together. Borrowed for the call. */
typedef struct rz_store_batch {
  const rz_store_op* ops; /* applied in their order: the last op of a key counts */
  uint64_t count;         /* at least 1; 0 is RZ_INVALID */
  uint32_t durability;    /* RZ_STORE_BUFFERED or RZ_STORE_SYNCED */
  uint32_t reserved;      /* 0 */
  /* Names this batch: no other batch of any host ever had it. A remote store keeps the last one
   * beside the data, in the same transaction; that is how `resolve` can answer. */
  uint8_t marker[RZ_STORE_MARKER_SIZE];
} rz_store_batch;

typedef struct rz_store_entry {
  rz_bytes key;
  rz_bytes value;
} rz_store_entry;

/* Where `get` puts the values that it finds. */
typedef struct rz_store_found {
  void* context;
  /* The value of keys[index], borrowed for the call. A result other than RZ_OK ends the `get`,
   * which returns it. Does not call the store. [owner] [quick] */
  int32_t (*value)(void* context, uint64_t index, rz_bytes value);
} rz_store_found;

/* Host service: the state of the store that was opened with this host. A host that does not follow
 * states answers NULL; the store then behaves as if it had one that ignores all reports. */
#define RZ_HOST_STORE_ID "rhizome.host.store/1"

#define RZ_STORE_READY 1u
#define RZ_STORE_READ_ONLY 2u
#define RZ_STORE_AWAY 3u

typedef struct rz_host_store {
  void* context;
  /* The state is RZ_STORE_* from now on, because of `cause` (UTF-8, for people, borrowed; empty for
   * READY). May be called from within any call of the store, `open` included, and from a thread or
   * timer of the store's own; not after `close` returned. The host calls the store from another
   * thread of its own, never from within this call. [any] [quick] */
  void (*state)(void* context, uint32_t state, rz_bytes cause);
} rz_host_store;

typedef struct rz_store {
  /* Opens the store, or makes a new one. `config` is JSON that the manifest's schema accepted.
   * `directory` is an absolute path; it exists and is this store's alone. A remote store may keep
   * small files there. RZ_BUSY where another instance or process has the data open; RZ_CORRUPT
   * where what is there cannot be read, never for an error of the operating system; RZ_AWAY,
   * RZ_NO_SPACE, RZ_IO. A store that can only read what it opened reports READ_ONLY and answers
   * RZ_OK. [main] [blocks] */
  int32_t (*open)(const rz_host* host, rz_bytes config, rz_bytes directory, void** store,
                  rz_error* error);

  /* Closes. No cursor is open any more and no other call runs. Batches written as BUFFERED survive.
   * [main] [blocks] */
  void (*close)(void* store);

  /* Applies a batch: all of it or nothing. See "Failed writes" above for what a failure says.
   * RZ_INVALID, RZ_LIMIT, RZ_READ_ONLY, RZ_NO_SPACE, RZ_IO, RZ_AWAY; any other code counts as
   * RZ_IO. [writer] [blocks] */
  int32_t (*write)(void* store, const rz_store_batch* batch, rz_error* error);

  /* Calls `found` for each key that exists, in the order of the keys given. A key that is missing,
   * or that no store could hold, is no error. Each value is the newest at some moment of the call;
   * two keys may be seen at two moments, between which a batch was applied. RZ_CORRUPT where stored
   * data does not check out, never a wrong value where the store checks; RZ_IO, RZ_AWAY. [any]
   * [blocks] */
  int32_t (*get)(void* store, const rz_bytes* keys, uint64_t count, const rz_store_found* found,
                 rz_error* error);

  /* A cursor over the keys lower <= key < upper in bytewise order, or with reverse = 1 in
   * descending order. An empty `upper` means to the end; where upper <= lower there is nothing. The
   * bounds are borrowed for the call. Codes as `get`, and RZ_LIMIT above RZ_STORE_CURSORS. [any]
   * [blocks] */
  int32_t (*cursor_open)(void* store, rz_bytes lower, rz_bytes upper, uint32_t reverse,
                         void** cursor, rz_error* error);

  /* The next entries, at least 1 and at most `capacity` (at least 1); *count says how many. A store
   * may give fewer than asked for. They are borrowed until the next call for this cursor. RZ_END
   * with *count = 0 at the end, and again when asked again. After a failure the cursor is good for
   * `cursor_close` only. [owner] [blocks] */
  int32_t (*cursor_next)(void* cursor, rz_store_entry* entries, uint64_t capacity, uint64_t* count,
                         rz_error* error);

  /* Ends the cursor, at its end or before. [owner] [blocks] */
  void (*cursor_close)(void* cursor);
} rz_store;

/* Optional: what became of a batch whose `write` failed. */
#define RZ_STORE_RESOLVE_ID "rhizome.store.resolve/1"

typedef struct rz_store_resolve {
  /* *applied = 1 where the batch of this marker is applied, 0 where it is not and never will be. A
   * store may answer 1 for a batch that would change nothing. Asked only in state READY, only about
   * the last batch of this instance whose `write` left that open, and before another one is
   * applied; writes that were refused in between do not count. RZ_AWAY, RZ_IO where it cannot be
   * known yet: the store leaves READY again, and the host asks again after the next READY.
   * [writer] [blocks] */
  int32_t (*resolve)(void* store, const uint8_t marker[RZ_STORE_MARKER_SIZE], uint32_t* applied,
                     rz_error* error);
} rz_store_resolve;

/* Optional: figures and housekeeping. A node does without; benchmarks and tools ask for it. */
#define RZ_STORE_MAINTAIN_ID "rhizome.store.maintain/1"

typedef struct rz_store_maintain {
  /* About how many bytes of storage the keys lower <= key < upper take; bounds as `cursor_open`.
   * [any] [blocks] */
  int32_t (*approximate_size)(void* store, rz_bytes lower, rz_bytes upper, uint64_t* bytes,
                              rz_error* error);

  /* Gives back the storage that deletes and replaced values still take; reads and writes go on
   * beside it. [any] [blocks] */
  int32_t (*compact)(void* store, rz_bytes lower, rz_bytes upper, rz_error* error);
} rz_store_maintain;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_STORE_H_ */
