/* rhizome.store/1: an ordered key-value store.
 *
 * A store knows nothing of deltas: the journal (host/journal) lays the ontology over keys that sort
 * bytewise, so every store gets the same indexes and a new one is an afternoon's work. Two things
 * are asked of it beyond order: a batch is all or nothing, also after a crash, and a batch written
 * with RZ_STORE_SYNCED is on stable storage when `write` returns, or the store says in its
 * capabilities that it is not durable ("volatile"). */
#ifndef RHIZOME_ABI_STORE_H_
#define RHIZOME_ABI_STORE_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_STORE_ID "rhizome.store/1"

#define RZ_STORE_PUT 1u
#define RZ_STORE_DELETE 2u

#define RZ_STORE_BUFFERED 0u /* may be lost by a power cut, not by a crash of the process */
#define RZ_STORE_SYNCED 1u   /* on stable storage before the call returns */

typedef struct rz_store_op {
  uint32_t kind; /* RZ_STORE_PUT or RZ_STORE_DELETE */
  uint32_t reserved;
  rz_bytes key;   /* 1 to 1,024 bytes */
  rz_bytes value; /* empty for a delete; up to 16 MiB */
} rz_store_op;

typedef struct rz_store_entry {
  rz_bytes key;
  rz_bytes value;
} rz_store_entry;

/* One call's found value. `index` is the key's place in the call. Borrowed for the call. */
typedef struct rz_store_found {
  void* context;
  int32_t (*value)(void* context, uint64_t index, rz_bytes value); /* [owner] */
} rz_store_found;

typedef struct rz_store {
  /* Opens or makes the store in `directory` (absolute path; it exists and is this store's alone).
   * `config` is JSON that the manifest's schema accepted. RZ_BUSY where another handle or process
   * has it open; RZ_CORRUPT, RZ_NO_SPACE, RZ_IO. [main] */
  int32_t (*open)(rz_bytes directory, rz_bytes config, void** store, rz_error* error);

  /* Closes. No cursor or snapshot is open any more and no other call runs. [main] */
  void (*close)(void* store);

  /* Applies the ops in order, all or none. After RZ_NO_SPACE or RZ_IO every further write answers
   * RZ_READ_ONLY and reads go on. [writer] */
  int32_t (*write)(void* store, const rz_store_op* ops, uint64_t count, uint32_t durability,
                   rz_error* error);

  /* Calls `found` for each key that exists, in the order of the keys given; a missing key is no
   * error. `snapshot` may be NULL: the newest state. [any] */
  int32_t (*get)(void* store, void* snapshot, const rz_bytes* keys, uint64_t count,
                 const rz_store_found* found, rz_error* error);

  /* A view that later writes do not change. [any] */
  int32_t (*snapshot_open)(void* store, void** snapshot, rz_error* error);
  void (*snapshot_close)(void* store, void* snapshot); /* [any] */

  /* A cursor over keys with lower <= key < upper (an empty upper: to the end), in ascending order
   * or, with reverse = 1, descending. `snapshot` may be NULL: the state at this call. [any] */
  int32_t (*cursor_open)(void* store, void* snapshot, rz_bytes lower, rz_bytes upper,
                         uint32_t reverse, void** cursor, rz_error* error);
  /* The next entries, at most `capacity`; *count = how many. They are borrowed until the next call
   * on this cursor. RZ_END with *count = 0 at the end. A store may give fewer than asked for.
   * [owner] */
  int32_t (*cursor_next)(void* cursor, rz_store_entry* entries, uint64_t capacity, uint64_t* count,
                         rz_error* error);
  void (*cursor_close)(void* cursor); /* [owner] */

  /* About how many bytes of storage the keys lower <= key < upper take. [any] */
  int32_t (*approximate_size)(void* store, rz_bytes lower, rz_bytes upper, uint64_t* bytes,
                              rz_error* error);

  /* Gives back what deletes and rewrites left; reads and writes go on meanwhile. [any] */
  int32_t (*compact)(void* store, rz_bytes lower, rz_bytes upper, rz_error* error);
} rz_store;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_STORE_H_ */
