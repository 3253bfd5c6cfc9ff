/* rhizome.resolver/1: what a property is worth where several deltas claim a value for it.
 *
 * Every delta that points at an entity under a property is a candidate for the property's value. A
 * resolver reads the candidates and answers one value, and which of them decided it, so that the
 * host can say of a value who stands behind it and how durable it is. Without that answer it would
 * have to compare texts, and blame every claim that happens to read like the result.
 *
 * The rule that all of this rests on: **a resolver is a pure function of the set of its
 * candidates.** Two nodes that hold the same deltas show the same bytes, whatever the order and
 * however often the deltas came. So
 *   - the order of the candidates and their duplicates (same `id`; all members are then equal)
 *     change neither the value nor which ids decided it;
 *   - a choice is made by a total order that ends in `id`, which no two deltas share;
 *   - sums of doubles are exact or sorted first: plain addition depends on its order;
 *   - there is no clock, no chance, no file and no state from one call to the next;
 *   - only inputs that `describe` names are read. Others may be zero, whatever the delta says.
 * The suite rhizome-resolver-conformance checks each of these (docs/resolvers.md).
 *
 * An instance is opened with its config; `create` makes one of its resolvers, by name and with
 * options; that resolver is then asked about many properties in one call, because a view of an
 * entity resolves all of its properties, and a call per property costs more than the work. */
#ifndef RHIZOME_ABI_RESOLVER_H_
#define RHIZOME_ABI_RESOLVER_H_

#include "rhizome/abi/delta.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_RESOLVER_ID "rhizome.resolver/1"

/* Capabilities of kind "resolver", as the manifest lists them:
 *   "deterministic"  no resolver of the library reads RZ_INPUT_LOCAL, whatever its options. The
 *                    suite checks it. */
#define RZ_RESOLVER_CAPABILITY_DETERMINISTIC "deterministic"

/* Bounds. The host refuses what is over them; a caller of the table never goes over them. */
#define RZ_RESOLVER_MAX_NAMES 256u       /* that one instance answers to `names` */
#define RZ_RESOLVER_MAX_NAME 64u         /* bytes of a resolver's name: a-z, 0-9, '-', '.' */
#define RZ_RESOLVER_MAX_OPTIONS 65536u   /* bytes of the options */
#define RZ_RESOLVER_MAX_DEPENDENCIES 16u /* other properties that one resolver reads */
#define RZ_RESOLVER_MAX_VALUE 16777216u  /* bytes of one value */

/* One identity that stands behind a candidate. A delta whose author is a key has one: that key. A
 * delta by any other name has one per key that vouches for it with a signed manifest; such a pair
 * of name and key never equals the key alone, nor the name with another key. This struct does not
 * grow: what is to be said of identities beyond it would come as an array of its own. */
typedef struct rz_identity {
  rz_bytes key;  /* an Ed25519 public key, 32 bytes; size 0: nothing is signed */
  rz_bytes name; /* UTF-8: the author as the delta claims it */
  /* 1: `key` is the author's own, `name` is its text, and its signature has been checked. 0: the
   * key only vouches for the name, or there is none. */
  uint32_t verified;
  uint32_t reserved; /* 0 */
} rz_identity;

/* What a resolver reads of each candidate, beside `kind`, `number`, `text`, `context` and `id`,
 * which are always there. A host skips the work for what no resolver asks (JSON is printed,
 * identities and extents are looked up). */
#define RZ_INPUT_JSON 1u
#define RZ_INPUT_TIMESTAMP 2u
#define RZ_INPUT_IDENTITIES 4u
#define RZ_INPUT_SIGNATURE 8u
#define RZ_INPUT_SEQ 16u
#define RZ_INPUT_EXTENT 32u     /* held, voters */
#define RZ_INPUT_CONFIDENCE 64u /* durability, belief */
/* Those that differ from node to node: a resolver that reads one shows other values at other nodes
 * that hold the same deltas. Its values are never exported and never fed to functions. */
#define RZ_INPUT_LOCAL (RZ_INPUT_SEQ | RZ_INPUT_EXTENT | RZ_INPUT_CONFIDENCE)

/* Kinds of a value beside RZ_TARGET_* (rhizome/abi/delta.h). */
#define RZ_VALUE_OBJECT 7u /* several pointers by role; only `json` has them */
#define RZ_VALUE_NULL 8u   /* the delta has no pointer but the one that names the property */
#define RZ_VALUE_LIST 9u   /* what a resolver may answer, not what a delta claims: no candidate */

/* One claim about a property. Everything in it is borrowed for the call. A delta is at most one
 * candidate of a property. */
typedef struct rz_candidate {
  uint32_t kind; /* RZ_TARGET_*, RZ_VALUE_OBJECT or RZ_VALUE_NULL */
  uint32_t identity_count;
  double number;    /* RZ_TARGET_NUMBER: finite; RZ_TARGET_BOOLEAN: 0 or 1; else 0 */
  rz_bytes text;    /* STRING: UTF-8; ENTITY: its id; DELTA: its id in hex; BYTES: the bytes */
  rz_bytes context; /* ENTITY, DELTA: the context there, or empty; BYTES: the media type */
  rz_bytes json;    /* the value as JSON on one line, in the form of docs/views.md */
  double timestamp; /* milliseconds since the Unix epoch, as the author claims */
  uint64_t seq;     /* position in this node's journal */
  const rz_identity* identities; /* in no particular order */
  uint32_t held, voters;         /* held durably by so many of so many voters */
  double durability;             /* 0 to 1: how surely it survives */
  double belief;                 /* 0 to 1: how far it is believed; both: docs/confidence.md */
  uint8_t id[34];
  uint8_t signature_state; /* RZ_SIGNATURE_* */
  uint8_t reserved[5];     /* 0 */
} rz_candidate;

/* A property and its candidates, in no particular order. */
typedef struct rz_property {
  rz_bytes entity, name;
  const rz_candidate* candidates; /* the next one is candidate_stride bytes further */
  uint64_t count;
  /* sizeof(rz_candidate) of the caller: the struct can grow at its end, so a resolver that was
   * built with an older header steps by this and never by its own sizeof. */
  uint32_t candidate_stride;
  /* 1: answer it. 0: it is here because `describe` named it, as an input for the properties of the
   * same entity that are wanted. A property may be both. */
  uint32_t wanted;
} rz_property;

/* Where a resolver puts its answers: for each wanted property any number of `rests_on`, then one
 * `resolved`. A result other than RZ_OK ends the call, which returns it. */
typedef struct rz_resolution_sink {
  void* context;
  /* The value of properties[index] as JSON text (UTF-8, one line, at most RZ_RESOLVER_MAX_VALUE;
   * size 0: it has none), and which of its candidates decided it: candidate i is bit i % 64 of
   * decided[i / 64], and `words` is (count + 63) / 64, or 0 where none did. Borrowed.
   *
   * Those that decided are enough (resolving them alone gives the same value), and none of them
   * only repeats what another one claims: of equal claims the total order chooses one, with its
   * duplicates. So last-write-wins names the winner alone though others claim the same; a maximum
   * of 5 names one claim of 5, an average all numbers, a list of everything all candidates.
   * [owner] [quick] */
  int32_t (*resolved)(void* context, uint64_t index, rz_bytes value, const uint64_t* decided,
                      uint64_t words);
  /* The same of another property of the entity, properties[other], on which the value of
   * properties[index] rests. Only for resolvers that name dependencies. [owner] [quick] */
  int32_t (*rests_on)(void* context, uint64_t index, uint64_t other, const uint64_t* decided,
                      uint64_t words);
} rz_resolution_sink;

/* The table. An instance is the library with one config; a resolver is one of its names with one
 * set of options, and never changes once it is made, so that any thread may ask it. */
typedef struct rz_resolver {
  /* Opens an instance. `config` is the JSON of its section in the node's config, checked against
   * the manifest's schema, defaults filled in. RZ_INVALID names the key that is wrong.
   * [main] [blocks] */
  int32_t (*open)(const rz_host* host, rz_bytes config, void** resolvers, rz_error* error);
  /* Every resolver that it made has been released. [main] [blocks] */
  void (*close)(void* resolvers);
  /* The names that `create` knows, at least one, the same at each call, each one item. A node's
   * operator and its users choose by them, so they say what the resolver does, and no two plugins
   * of one node may share one. [any] [quick] */
  int32_t (*names)(void* resolvers, const rz_list_sink* sink, rz_error* error);
  /* Makes a resolver. `options` is a JSON object, or empty for none: what the request or the node's
   * `views.options` says of this one resolver. The instance's config is what all of its resolvers
   * share; an option of the same name goes before it. RZ_NOT_FOUND for an unknown
   * name: the message lists the known ones. RZ_INVALID for options that the resolver does not
   * take, unknown keys among them: an option that is ignored in silence gives another value than
   * the one that was asked for. [any] [quick] */
  int32_t (*create)(void* resolvers, rz_bytes name, rz_bytes options, void** resolver,
                    rz_error* error);
  void (*release)(void* resolver); /* [owner] [quick] */
  /* *inputs: RZ_INPUT_* of all that the resolver reads, for its own candidates and for those of
   * its dependencies. To `dependencies`, the names of the other properties of the entity that it
   * reads: their candidates, not their values, so that dependencies cannot form a circle. Always
   * the same answer. [any] [quick] */
  int32_t (*describe)(void* resolver, uint64_t* inputs, const rz_list_sink* dependencies,
                      rz_error* error);
  /* Answers every wanted property. properties[i + 1] is property_stride bytes behind
   * properties[i]; those of one entity stand together, and a dependency that has no candidate is
   * left out. A resolver takes any set: candidates of a kind that it does not use take no part, and
   * where none is left the property has no value. RZ_LIMIT where a value would be over
   * RZ_RESOLVER_MAX_VALUE. [any] [quick] */
  int32_t (*resolve)(void* resolver, const rz_property* properties, uint64_t count,
                     uint64_t property_stride, const rz_resolution_sink* sink, rz_error* error);
} rz_resolver;

/* Optional: the incremental form, for values that are kept. A host that keeps a view current asks
 * for it, so that a new delta costs a step and not the whole history of its property. At any moment
 * the state answers exactly what `resolve` would give for the set that it holds. */
#define RZ_RESOLVER_FOLD_ID "rhizome.resolver.fold/1"

typedef struct rz_resolver_fold {
  /* An empty state of the resolver; it is released after its states have ended. RZ_UNSUPPORTED
   * where this resolver has no incremental form, as one with dependencies has none: the host then
   * calls `resolve`. [any] [quick] */
  int32_t (*start)(void* resolver, void** state, rz_error* error);
  /* Takes a candidate in that the state does not hold. Keeps nothing that it borrows.
   * `candidate_size`: sizeof(rz_candidate) of the caller; a resolver that was built with a newer
   * header reads no member behind it. [owner] [quick] */
  int32_t (*add)(void* state, const rz_candidate* candidate, uint64_t candidate_size,
                 rz_error* error);
  /* Takes a candidate out that the state holds: its delta was negated. RZ_UNSUPPORTED: recompute;
   * the state cannot say what is left and is good for `end` alone. [owner] [quick] */
  int32_t (*remove)(void* state, const rz_candidate* candidate, uint64_t candidate_size,
                    rz_error* error);
  /* The value as JSON to `value`, nothing where there is none; to `decided` (may be NULL) the id of
   * each candidate that decided it, 34 bytes, in any order, or one empty item: all that the state
   * holds. Changes nothing. [owner] [quick] */
  int32_t (*value)(void* state, const rz_sink* value, const rz_list_sink* decided, rz_error* error);
  void (*end)(void* state); /* [owner] [quick] */
} rz_resolver_fold;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_RESOLVER_H_ */
