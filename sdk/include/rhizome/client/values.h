/* What the calls of rhizome/client.h take and give: values, requests and events. */
#ifndef RHIZOME_CLIENT_VALUES_H_
#define RHIZOME_CLIENT_VALUES_H_

#include "rhizome/abi/delta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A value: a pointer's target, or what a resolver made of several. Kinds beyond RZ_TARGET_*: */
#define RZ_VALUE_JSON 16u /* an object or a list: `text` is its JSON */
#define RZ_VALUE_NONE 17u /* null */

typedef struct rz_value {
  uint32_t kind; /* RZ_TARGET_* or RZ_VALUE_* */
  uint32_t reserved;
  double number;    /* RZ_TARGET_NUMBER; RZ_TARGET_BOOLEAN: 0 or 1 */
  rz_bytes text;    /* string; entity id; delta id in hex; bytes: base64url without padding */
  rz_bytes context; /* entity or delta: the context, may be empty; bytes: the MIME type */
} rz_value;

typedef struct rz_role {
  rz_bytes role;
  rz_value target;
} rz_role;

/* ---- operations */

/* A delta to be written: the node signs it as its author. */
typedef struct rz_draft {
  const rz_role* pointers;
  uint64_t count;
  double timestamp; /* ms since the Unix epoch; 0: the node's clock */
} rz_draft;

#define RZ_WRITE_TRANSACTION 1u /* all drafts show or none */
#define RZ_WRITE_REPLACE 2u     /* dated behind what stands under the same entity and context */

/* How much confirmation a write waits for; durability, not consensus. */
typedef struct rz_confirm {
  rz_bytes need; /* "local", a number of voters, "majority", "all", names; empty: does not wait */
  uint64_t deadline_ms; /* 0: 10,000 */
} rz_confirm;

typedef struct rz_write {
  uint32_t struct_size;
  uint32_t flags; /* RZ_WRITE_* */
  const rz_draft* drafts;
  uint64_t count;
  rz_confirm confirm;
} rz_write;

/* What a reader asks of what it reads; all zero asks nothing. */
typedef struct rz_read {
  rz_bytes min_confirm;   /* only what so many voters hold: as rz_confirm.need */
  const rz_bytes* tokens; /* of writes, here or at another node, that the answer must have seen */
  uint64_t token_count;
  uint64_t deadline_ms; /* how long to wait for the tokens; 0: 10,000 */
} rz_read;

typedef struct rz_get {
  uint32_t struct_size;
  uint32_t lossless; /* 1: each property's deltas in place of its value */
  rz_bytes entity;
  rz_bytes resolver;         /* empty: the node's default */
  rz_bytes resolver_options; /* a JSON object; empty: none, or the node's own for its default */
  rz_read read;
} rz_get;

/* Which deltas; an empty member asks nothing. */
typedef struct rz_query {
  uint32_t struct_size;
  uint32_t extent;   /* 1: deltas come with how many voters hold them */
  rz_bytes filter;   /* a rule's source; a delta matches where it is true */
  rz_bytes language; /* of the filter; empty: the node's default */
  rz_bytes entity, context, author;
  uint64_t after; /* only behind this position of the node's journal */
  uint64_t limit; /* 0: no limit */
  rz_read read;
} rz_query;

typedef struct rz_subscription {
  uint32_t struct_size;
  uint32_t from_now; /* 1: nothing that the node holds already */
  rz_query query;
  rz_bytes resume; /* a token of an earlier RZ_EVENT_CHECKPOINT: goes on behind it */
  rz_bytes peer;   /* at this peer of the node, by name or key; empty: at the node */
  rz_bytes policy; /* block (default), drop_oldest, drop_newest, error: when the queue is full */
  uint64_t queue_limit; /* events that may wait at the node; 0: its default */
} rz_subscription;

/* ---- events */

#define RZ_EVENT_DELTA 1u       /* `delta` */
#define RZ_EVENT_PROPERTY 2u    /* `property`: one of an entity's, in byte order of the names */
#define RZ_EVENT_WRITTEN 3u     /* `written` */
#define RZ_EVENT_EXTENT 4u      /* `extent` */
#define RZ_EVENT_CHECKPOINT 5u  /* `token`: resuming there loses nothing that came before */
#define RZ_EVENT_LIVE 6u        /* nothing more was held that matches: what comes now is new */
#define RZ_EVENT_DROPPED 7u     /* `count` matches were dropped by the policy before this place */
#define RZ_EVENT_RECONNECTED 8u /* the subscription was resumed on a new connection */
#define RZ_EVENT_PAUSED 9u      /* nothing comes until `resume` */
#define RZ_EVENT_ANSWER \
  10u /* `header`, `blob`: an answer of `request` as sent; `count` 0: the last */
#define RZ_EVENT_SUMMARY 11u    /* `summary`: the last event of a query */
#define RZ_EVENT_SUBSCRIBED 12u /* the node has the subscription: what is written now will come */

/* How many voters hold what the event is about, where the node said so. */
typedef struct rz_replication {
  uint32_t known;       /* 1: the members below are set */
  uint32_t provisional; /* 1: below the confirmation that the reader asked for */
  uint64_t held, voters;
} rz_replication;

typedef struct rz_delta_event {
  uint64_t seq; /* position in the node's journal, or in the peer's */
  rz_bytes id;  /* hex */
  rz_bytes author;
  double timestamp;
  const rz_role* pointers;
  uint64_t pointer_count;
  rz_bytes property; /* of a lossless get: the property that it stands under; else empty */
  rz_bytes json;     /* the whole row */
  rz_replication replication;
} rz_delta_event;

typedef struct rz_property_event {
  rz_bytes name;
  rz_value value;
  uint64_t values;            /* how many different ones the deltas claim */
  const rz_bytes* decided_by; /* ids, hex, of the deltas that decided the value */
  uint64_t decided_by_count;
  rz_replication replication;
} rz_property_event;

typedef struct rz_write_problem {
  uint64_t line; /* the draft or line, from 1 */
  rz_bytes message;
} rz_write_problem;

typedef struct rz_written_event {
  uint64_t read, added, known, refused;
  const rz_bytes* ids; /* a draft each, hex; empty where it was refused */
  uint64_t id_count;
  const rz_write_problem* problems; /* at most 1,000 */
  uint64_t problem_count;
  rz_bytes token;     /* where the write stands: another reader can wait for it (rz_read.tokens) */
  rz_bytes manifest;  /* id of the transaction's or import's manifest; empty: none was made */
  uint32_t effective; /* of a negation: 1 where it counts, 0 where the delta is another author's */
  uint32_t confirmed; /* 1: as many as were asked for hold it */
  rz_bytes state;     /* confirmed, unconfirmed, lost or invalidated; empty: none asked */
  uint64_t held, voters, roster;
  const rz_bytes* holders; /* voters by name */
  uint64_t holder_count;
  const rz_bytes* missing;
  uint64_t missing_count;
} rz_written_event;

typedef struct rz_extent_event {
  uint64_t held, voters, roster;
  rz_bytes state;
  const rz_bytes* holders;
  uint64_t holder_count;
  const rz_bytes* missing;
  uint64_t missing_count;
} rz_extent_event;

typedef struct rz_summary_event {
  uint64_t matched, examined;
  uint64_t errors;      /* deltas on which the filter failed: no matches */
  uint64_t last;        /* `after` of the next page */
  uint32_t has_more;    /* 1: the limit ended it */
  uint32_t provisional; /* 1: a token was not seen within the deadline */
} rz_summary_event;

/* One event; only the members that its kind names are set. */
typedef struct rz_event {
  uint32_t struct_size; /* set by the caller of `next` */
  uint32_t kind;        /* RZ_EVENT_* */
  const rz_delta_event* delta;
  const rz_property_event* property;
  const rz_written_event* written;
  const rz_extent_event* extent;
  const rz_summary_event* summary;
  rz_bytes token;
  uint64_t count;
  rz_bytes header, blob;
} rz_event;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CLIENT_VALUES_H_ */
