/* What the calls of rhizome/client.h give. What an event points to belongs to its call and is valid
 * until the next `next` or `end` of that call. `struct_size` of what it points to is the library's
 * sizeof; rhizome/client.h says how these structs grow. */
#ifndef RHIZOME_CLIENT_EVENTS_H_
#define RHIZOME_CLIENT_EVENTS_H_

#include "rhizome/client/values.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An event's kind, and the members of rz_event that are set. A later library has further kinds, for
 * operations and requests of its time: an application passes over those that it does not know. */
#define RZ_EVENT_DELTA 1u      /* `delta` */
#define RZ_EVENT_PROPERTY 2u   /* `property`: one of an entity's, in byte order of the names */
#define RZ_EVENT_WRITTEN 3u    /* `written` */
#define RZ_EVENT_EXTENT 4u     /* `extent` */
#define RZ_EVENT_CHECKPOINT 5u /* `token`: resuming there loses nothing that came before */
/* Nothing more was held that matches: what comes now is new. Once, and again after RECONNECTED. */
#define RZ_EVENT_LIVE 6u
#define RZ_EVENT_DROPPED 7u     /* `count` matches were dropped by the policy before this place */
#define RZ_EVENT_RECONNECTED 8u /* the subscription was resumed on a new connection */
#define RZ_EVENT_PAUSED 9u      /* no delta comes until `resume` */
#define RZ_EVENT_ANSWER 10u     /* `header`, `blob`: of `request`; `count` 0: the last, else 1 */
#define RZ_EVENT_SUMMARY 11u    /* `summary`: the last event of a query */
#define RZ_EVENT_SUBSCRIBED 12u /* the node has the subscription: what is written now will come */
/* `tokens`: what became of those of rz_read. A get's first event; before a query's summary; with
 * the first answer of a subscription. */
#define RZ_EVENT_TOKENS 13u

/* Element `index` of an array that has a stride. */
#define RZ_AT(type, first, stride, index) \
  ((const type*)(const void*)((const char*)(first) + (uint64_t)(stride) * (index)))

/* How many voters hold what the event is about, and how far that is to be relied on. */
typedef struct rz_replication {
  uint32_t struct_size;
  uint32_t provisional; /* 1: below the confirmation that the reader asked for */
  uint64_t held, voters;
  double durability, belief; /* 0 to 1: docs/confidence.md */
} rz_replication;

typedef struct rz_delta_event {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t seq; /* position in the node's journal, or in the peer's; 0: it has none */
  rz_bytes id;  /* hex */
  rz_bytes author;
  double timestamp;
  const rz_role* pointers; /* RZ_AT */
  uint64_t pointer_count, pointer_stride;
  rz_bytes property; /* of a lossless get: the property that it stands under; else empty */
  rz_bytes json;     /* the whole row */
  const rz_replication* replication; /* NULL: not said */
} rz_delta_event;

typedef struct rz_property_event {
  uint32_t struct_size;
  uint32_t reserved;
  rz_bytes name;
  rz_value value;
  uint64_t values;            /* how many different ones the deltas claim */
  const rz_bytes* decided_by; /* ids, hex, of the deltas that decided the value */
  uint64_t decided_by_count;
  const rz_replication* replication; /* NULL: not said */
} rz_property_event;

/* Who holds a delta or a write. */
typedef struct rz_extent_event {
  uint32_t struct_size;
  uint32_t confirmed;            /* of a write: 1 where as many as were asked for hold it */
  uint64_t held, voters, roster; /* roster: the version that was counted by */
  rz_bytes state;          /* known, lost, invalidated; of a write: confirmed, unconfirmed, ... */
  rz_bytes token_state;    /* of a token: held, pending, lost, invalidated; else empty */
  rz_bytes problem;        /* why a write's confirmation could not be looked at; empty: it was */
  const rz_bytes* holders; /* voters by name */
  uint64_t holder_count;
  const rz_bytes* missing;
  uint64_t missing_count;
} rz_extent_event;

typedef struct rz_write_problem {
  uint64_t line; /* the draft or line, from 1 */
  rz_bytes message;
} rz_write_problem;

typedef struct rz_written_event {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t read, added, known, refused;
  const rz_bytes* ids; /* one per draft, hex; empty where it was refused */
  uint64_t id_count;
  const rz_write_problem* problems; /* RZ_AT; not all of many: `refused` counts them */
  uint64_t problem_count, problem_stride;
  rz_bytes token;    /* where the write stands: another reader can wait for it (rz_read.tokens) */
  rz_bytes manifest; /* id of the transaction's or import's manifest; empty: none was made */
  /* Of a negation: whether the node holds the delta, and whether the negation takes it back. It
   * does not where the delta is another author's; where it is not held, that shows when it comes.
   */
  uint32_t target_held, effective;
  const rz_extent_event* confirmation; /* NULL: none was asked for */
} rz_written_event;

typedef struct rz_token_state {
  rz_bytes token;
  rz_bytes state; /* held, pending, lost or invalidated */
} rz_token_state;

typedef struct rz_tokens_event {
  uint32_t struct_size;
  uint32_t provisional;         /* 1: one of them is not held: the answer has not seen that write */
  const rz_token_state* tokens; /* RZ_AT */
  uint64_t count, stride;
} rz_tokens_event;

typedef struct rz_summary_event {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t matched, examined;
  uint64_t errors;   /* deltas on which the filter failed: no matches */
  uint64_t last;     /* `after` of the next page */
  uint32_t has_more; /* 1: the limit or a cancel ended it */
  uint32_t canceled; /* 1: a cancel did */
} rz_summary_event;

/* One event, in the caller's memory: the library fills no more than struct_size. */
typedef struct rz_event {
  uint32_t struct_size; /* set by the caller of `next` */
  uint32_t kind;        /* RZ_EVENT_* */
  const rz_delta_event* delta;
  const rz_property_event* property;
  const rz_written_event* written;
  const rz_extent_event* extent;
  const rz_summary_event* summary;
  const rz_tokens_event* tokens;
  rz_bytes token;
  uint64_t count;
  rz_bytes header, blob;
} rz_event;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CLIENT_EVENTS_H_ */
