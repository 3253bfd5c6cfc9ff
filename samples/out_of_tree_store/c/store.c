/* A whole store plugin in C11: a sorted table in memory. A write makes a new table that shares its
 * entries with the old one, so that a cursor is no more than a counted reference to its table.
 * Called by a host on the threads that rhizome/abi/store.h tags. */
#include "rhizome/abi/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
  atomic_uint references;
  uint64_t key_size, value_size;
  char bytes[]; /* key, then value */
} entry;

typedef struct table {
  atomic_uint references;
  uint64_t count;
  entry* entries[]; /* by key */
} table;

typedef struct store {
  pthread_mutex_t mutex; /* guards `newest` */
  table* newest;
} store;

typedef struct cursor {
  table* table;
  uint64_t begin, end; /* what is left */
  uint32_t reverse;
} cursor;

static int32_t fail(rz_error* error, int32_t code, const char* message) {
  if (error != NULL) snprintf(error->message, sizeof error->message, "%s", message);
  return code;
}

static void release_entry(entry* e) {
  if (atomic_fetch_sub(&e->references, 1) == 1) free(e);
}

static void release_table(table* t) {
  if (atomic_fetch_sub(&t->references, 1) != 1) return;
  for (uint64_t i = 0; i < t->count; ++i) release_entry(t->entries[i]);
  free(t);
}

static table* hold(table* t) {
  atomic_fetch_add(&t->references, 1);
  return t;
}

/* The newest table; to be released. */
static table* newest(store* s) {
  pthread_mutex_lock(&s->mutex);
  table* t = hold(s->newest);
  pthread_mutex_unlock(&s->mutex);
  return t;
}

static int compare(const entry* e, rz_bytes key) {
  const uint64_t shorter = e->key_size < key.size ? e->key_size : key.size;
  const int order = shorter == 0 ? 0 : memcmp(e->bytes, key.data, shorter);
  if (order != 0) return order;
  return e->key_size < key.size ? -1 : e->key_size > key.size;
}

/* The first place whose key is not below `key`. */
static uint64_t lower_bound(const table* t, rz_bytes key) {
  uint64_t low = 0, high = t->count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (compare(t->entries[middle], key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static int32_t open_store(const rz_host* host, rz_bytes config, rz_bytes directory, void** handle,
                          rz_error* error) {
  (void)host, (void)config, (void)directory; /* it logs nothing, and keeps nothing on disk */
  store* s = malloc(sizeof *s);
  table* empty = calloc(1, sizeof *empty);
  if (s == NULL || empty == NULL) {
    free(s);
    free(empty);
    return fail(error, RZ_LIMIT, "open: out of memory");
  }
  atomic_init(&empty->references, 1);
  pthread_mutex_init(&s->mutex, NULL);
  s->newest = empty;
  *handle = s;
  return RZ_OK;
}

static void close_store(void* handle) {
  store* s = handle;
  release_table(s->newest);
  pthread_mutex_destroy(&s->mutex);
  free(s);
}

static entry* make_entry(const rz_store_op* op) {
  entry* e = malloc(sizeof *e + op->key.size + op->value.size);
  if (e == NULL) return NULL;
  atomic_init(&e->references, 1);
  e->key_size = op->key.size;
  e->value_size = op->value.size;
  memcpy(e->bytes, op->key.data, op->key.size);
  if (op->value.size > 0) memcpy(e->bytes + op->key.size, op->value.data, op->value.size);
  return e;
}

/* Applies one op to a table that nobody else sees and that has room. 0 where memory ran out. */
static int apply(table* t, const rz_store_op* op) {
  const uint64_t at = lower_bound(t, op->key);
  const int found = at < t->count && compare(t->entries[at], op->key) == 0;
  if (op->kind == RZ_STORE_DELETE) {
    if (!found) return 1;
    release_entry(t->entries[at]);
    memmove(t->entries + at, t->entries + at + 1, (--t->count - at) * sizeof(entry*));
    return 1;
  }
  entry* fresh = make_entry(op);
  if (fresh == NULL) return 0;
  if (found) {
    release_entry(t->entries[at]);
  } else {
    memmove(t->entries + at + 1, t->entries + at, (t->count++ - at) * sizeof(entry*));
  }
  t->entries[at] = fresh;
  return 1;
}

static int32_t check(const rz_store_batch* batch, rz_error* error) {
  if (batch->count == 0) return fail(error, RZ_INVALID, "write: expected at least one op");
  for (uint64_t i = 0; i < batch->count; ++i) {
    const rz_store_op* op = &batch->ops[i];
    if (op->kind != RZ_STORE_PUT && op->kind != RZ_STORE_DELETE)
      return fail(error, RZ_INVALID, "write: unknown op kind; expected put (1) or delete (2)");
    if (op->key.size == 0 || op->key.size > RZ_STORE_KEY_MAX_SIZE)
      return fail(error, RZ_INVALID, "write: expected a key of 1 to 1024 bytes");
    if (op->value.size > RZ_STORE_VALUE_MAX_SIZE)
      return fail(error, RZ_LIMIT, "write: expected a value of at most 16 MiB");
  }
  return RZ_OK;
}

static int32_t write_batch(void* handle, const rz_store_batch* batch, rz_error* error) {
  const int32_t good = check(batch, error);
  if (good != RZ_OK) return good;
  store* s = handle; /* one writer at a time, so `newest` does not change under us */
  table* old = s->newest;
  table* fresh = malloc(sizeof *fresh + (old->count + batch->count) * sizeof(entry*));
  if (fresh == NULL) return fail(error, RZ_LIMIT, "write: out of memory");
  atomic_init(&fresh->references, 1);
  fresh->count = old->count;
  for (uint64_t i = 0; i < old->count; ++i) {
    fresh->entries[i] = old->entries[i];
    atomic_fetch_add(&old->entries[i]->references, 1);
  }
  for (uint64_t i = 0; i < batch->count; ++i) {
    if (apply(fresh, &batch->ops[i])) continue;
    release_table(fresh);
    return fail(error, RZ_LIMIT, "write: out of memory");
  }
  pthread_mutex_lock(&s->mutex);
  s->newest = fresh;
  pthread_mutex_unlock(&s->mutex);
  release_table(old);
  return RZ_OK;
}

static int32_t get(void* handle, const rz_bytes* keys, uint64_t count, const rz_store_found* found,
                   rz_error* error) {
  (void)error;
  table* t = newest(handle);
  int32_t code = RZ_OK;
  for (uint64_t i = 0; i < count && code == RZ_OK; ++i) {
    const uint64_t at = lower_bound(t, keys[i]);
    if (at == t->count || compare(t->entries[at], keys[i]) != 0) continue;
    const entry* e = t->entries[at];
    const rz_bytes value = {e->bytes + e->key_size, e->value_size};
    code = found->value(found->context, i, value);
  }
  release_table(t);
  return code;
}

static int32_t cursor_open(void* handle, rz_bytes lower, rz_bytes upper, uint32_t reverse,
                           void** out, rz_error* error) {
  cursor* c = malloc(sizeof *c);
  if (c == NULL) return fail(error, RZ_LIMIT, "cursor: out of memory");
  c->table = newest(handle);
  c->begin = lower_bound(c->table, lower);
  c->end = upper.size == 0 ? c->table->count : lower_bound(c->table, upper);
  if (c->end < c->begin) c->end = c->begin;
  c->reverse = reverse;
  *out = c;
  return RZ_OK;
}

static int32_t cursor_next(void* handle, rz_store_entry* entries, uint64_t capacity,
                           uint64_t* count, rz_error* error) {
  (void)error;
  cursor* c = handle;
  *count = 0;
  while (*count < capacity && c->begin < c->end) {
    const entry* e = c->table->entries[c->reverse ? --c->end : c->begin++];
    entries[*count].key = (rz_bytes){e->bytes, e->key_size};
    entries[(*count)++].value = (rz_bytes){e->bytes + e->key_size, e->value_size};
  }
  return *count == 0 ? RZ_END : RZ_OK;
}

static void cursor_close(void* handle) {
  cursor* c = handle;
  release_table(c->table);
  free(c);
}

static const rz_store store_table = {open_store,  close_store, write_batch, get,
                                     cursor_open, cursor_next, cursor_close};

static const void* get_interface(const char* id) {
  return strcmp(id, RZ_STORE_ID) == 0 ? &store_table : NULL;
}

extern const rz_plugin rhizome_plugin; /* the one name that plugin.map lets out */
__attribute__((visibility("default")))
const rz_plugin rhizome_plugin = {RZ_ABI_MAJOR, 0, get_interface};
