/* What the calls of rhizome/client.h take: values and requests. That header says how these structs
 * grow: `struct_size` is the caller's sizeof, and members that it leaves zero ask nothing. */
#ifndef RHIZOME_CLIENT_VALUES_H_
#define RHIZOME_CLIENT_VALUES_H_

#include "rhizome/abi/delta.h"
#include "rhizome/abi/resolver.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A value: a pointer's target (RZ_TARGET_*, rhizome/abi/delta.h), or what a property is worth
 * (RZ_VALUE_* too, rhizome/abi/resolver.h). It never grows; kinds may be added, of which `text` is
 * JSON. */
typedef struct rz_value {
  uint32_t kind;
  uint32_t reserved; /* 0 */
  double number;     /* RZ_TARGET_NUMBER; RZ_TARGET_BOOLEAN: 0 or 1 */
  /* STRING: itself; ENTITY: its id; DELTA: its id in hex; BYTES: base64url without padding;
   * RZ_VALUE_OBJECT, RZ_VALUE_LIST: its JSON (docs/views.md) */
  rz_bytes text;
  rz_bytes context; /* ENTITY, DELTA: the context there, may be empty; BYTES: the media type */
} rz_value;

typedef struct rz_role {
  rz_bytes role;
  rz_value target; /* RZ_TARGET_* */
} rz_role;

/* ---- writing */

/* How much confirmation a write waits for; durability, not consensus. */
typedef struct rz_confirm {
  uint32_t struct_size;
  uint32_t flags;       /* 0 */
  rz_bytes need;        /* "local", a number of voters, "majority", "all", or names with commas */
  uint64_t deadline_ms; /* 0: 10,000; at most an hour */
} rz_confirm;

/* A delta to be written: the node signs it as its author. */
typedef struct rz_draft {
  const rz_role* pointers; /* the next one is pointer_stride bytes further */
  uint64_t count;
  uint64_t pointer_stride; /* sizeof(rz_role) of the caller */
  double timestamp;        /* ms since the Unix epoch; 0: the node's clock */
} rz_draft;

#define RZ_WRITE_TRANSACTION 1u /* all drafts show or none */
#define RZ_WRITE_REPLACE 2u     /* dated behind what stands under the same entity and context */

typedef struct rz_write {
  uint32_t struct_size;
  uint32_t flags;         /* RZ_WRITE_* */
  const rz_draft* drafts; /* the next one is draft_stride bytes further */
  uint64_t count;
  uint64_t draft_stride;     /* sizeof(rz_draft) of the caller */
  const rz_confirm* confirm; /* NULL: does not wait */
} rz_write;

/* Deltas as JSON Lines (docs/control.md), whole or without author. */
typedef struct rz_import {
  uint32_t struct_size;
  uint32_t flags; /* 0 */
  rz_bytes lines;
  const rz_confirm* confirm; /* NULL: does not wait */
} rz_import;

/* Takes a delta back. */
typedef struct rz_negate {
  uint32_t struct_size;
  uint32_t flags;  /* 0 */
  rz_bytes delta;  /* its id in hex */
  rz_bytes reason; /* may be empty */
} rz_negate;

/* ---- reading */

/* What a reader asks of what it reads. */
typedef struct rz_read {
  uint32_t struct_size;
  uint32_t flags;       /* 0 */
  rz_bytes min_confirm; /* only what so many voters hold: as rz_confirm.need */
  /* Of writes, here or at another node, that the answer must have seen; at most 64. The node waits
   * for them until the deadline and then answers without: RZ_EVENT_TOKENS says which it has. */
  const rz_bytes* tokens;
  uint64_t token_count;
  uint64_t deadline_ms; /* how long to wait for the tokens; 0: 10,000; at most an hour */
} rz_read;

#define RZ_GET_LOSSLESS 1u /* each property's deltas in place of its value */

typedef struct rz_get {
  uint32_t struct_size;
  uint32_t flags; /* RZ_GET_* */
  rz_bytes entity;
  rz_bytes resolver;         /* empty: the node's default */
  rz_bytes resolver_options; /* a JSON object; empty: none, or the node's own for its default */
  const rz_read* read;       /* NULL: asks nothing */
} rz_get;

#define RZ_QUERY_EXTENT 1u /* deltas come with how many voters hold them */

/* Which deltas; an empty member asks nothing. */
typedef struct rz_query {
  uint32_t struct_size;
  uint32_t flags;    /* RZ_QUERY_* */
  rz_bytes filter;   /* a rule's source; a delta matches where it is true */
  rz_bytes language; /* of the filter; empty: the node's default */
  rz_bytes entity, context, author;
  uint64_t after;      /* only behind this position of the node's journal */
  uint64_t limit;      /* of deltas; 0: none */
  const rz_read* read; /* NULL: asks nothing */
} rz_query;

#define RZ_SUBSCRIBE_FROM_NOW 1u /* nothing that the node holds already */

typedef struct rz_subscription {
  uint32_t struct_size;
  uint32_t flags;        /* RZ_SUBSCRIBE_* */
  const rz_query* query; /* NULL: all deltas */
  rz_bytes resume;       /* a token of an earlier RZ_EVENT_CHECKPOINT: goes on behind it */
  rz_bytes peer;         /* at this peer of the node, by name or key; empty: at the node */
  rz_bytes policy; /* block (default), drop_oldest, drop_newest, error: when the queue is full */
  uint64_t queue_limit; /* events that may wait at the node; 0: its default */
} rz_subscription;

/* Who holds something. */
typedef struct rz_extent {
  uint32_t struct_size;
  uint32_t flags;          /* 0 */
  rz_bytes delta_or_token; /* a delta's id in hex, or a write's token */
} rz_extent;

/* Any request of docs/control.md. */
typedef struct rz_request {
  uint32_t struct_size;
  uint32_t flags;             /* 0 */
  rz_bytes header;            /* a JSON object */
  rz_bytes blob;              /* bytes behind it */
  uint64_t answer_timeout_ms; /* for each of its answers; 0: waits for ever */
} rz_request;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CLIENT_VALUES_H_ */
