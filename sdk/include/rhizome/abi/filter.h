/* rhizome.filter/1: a filter language.
 *
 * An instance of the language is opened with its config. A filter is compiled once from its source
 * and then asked about batches of flat deltas, which it reads in place: no document tree is built.
 *
 * An answer depends on the filter, the delta and the budget alone, so that every node gives the
 * same one: evaluation reads no clock, no chance, no file, no network and no state that another
 * evaluation left. The budget counts steps and bytes. A step costs bounded time (it looks at a
 * few pointers at most; text takes one for every 64 bytes or so), so the budget bounds time as well
 * without measuring it. A host that must be sure of a plugin that it does not trust runs it in a
 * process of its own and ends that process; the answer is then RZ_DEADLINE, which is no answer and
 * never counts as "does not match".
 *
 * Two outputs of a compiled filter serve the host, whatever the language:
 * - `atoms`: typed conditions that every matching delta satisfies. From them the host builds the
 *   index that finds, among a million filters, the few to ask about a delta.
 * - `to_json_logic`: the form in which a filter travels to other nodes, which may not have the
 *   language. It matches exactly the deltas that the filter matches.
 *
 * The suite that checks a language is rhizome-filter-conformance (docs/filters.md). */
#ifndef RHIZOME_ABI_FILTER_H_
#define RHIZOME_ABI_FILTER_H_

#include "rhizome/abi/delta.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_FILTER_ID "rhizome.filter/1"

/* Capabilities that a manifest of kind "filter" may list. The host refuses others.
 * "json-logic": the sources of this language are JSON-Logic (docs/filters.md). Rules that arrive
 *     from other nodes are compiled with it. A host that serves or makes subscriptions needs one
 *     language with this capability: the first in its config is taken. */
#define RZ_FILTER_CAPABILITY_JSON_LOGIC "json-logic"

/* What evaluation of a filter on one delta may take; 0 stands for the default. */
typedef struct rz_filter_budget {
  uint64_t steps;        /* default RZ_FILTER_STEPS */
  uint64_t memory_bytes; /* default RZ_FILTER_MEMORY; counts what the evaluation allocates */
} rz_filter_budget;

#define RZ_FILTER_STEPS 10000u
#define RZ_FILTER_MEMORY 262144u

/* The most bytes of a source, and of the JSON-Logic that a filter travels as. */
#define RZ_FILTER_MAX_SOURCE 65536u

/* ---- atoms
 *
 * An atom is a condition on a delta: a path, a comparison, constants, and how they compare. A host
 * leaves out an atom whose path, comparison or typing it does not know, which only makes more
 * deltas candidates; so a later header of ABI 1 may name more of each. */

/* Paths: which values of a delta an atom is about. It is satisfied where one of them satisfies the
 * comparison with one of the constants. Two atoms may be satisfied by different pointers. */
#define RZ_ATOM_ID 1u        /* the delta's id: 68 hex digits, lower case */
#define RZ_ATOM_AUTHOR 2u    /* its author */
#define RZ_ATOM_TIMESTAMP 3u /* its timestamp: a number, milliseconds */
#define RZ_ATOM_ROLE 4u      /* the role of a pointer */
#define RZ_ATOM_ENTITY 5u    /* the id of the entity that a pointer targets */
#define RZ_ATOM_CONTEXT 6u   /* the context of a pointer to an entity or to a delta; never empty */
#define RZ_ATOM_REFERENCE 7u /* the id of the delta that a pointer targets: 68 hex digits */
#define RZ_ATOM_VALUE                                                       \
  8u /* the target of a pointer with the role `role`, where it is a string, \
      * a number or a boolean. One pointer has both the role and the value */

/* Comparisons of a value with a constant. Orderings have one constant, a number. */
#define RZ_COMPARE_EQ 1u /* equal to one of the constants; of none: never satisfied */
#define RZ_COMPARE_LT 2u /* the value is less than the constant */
#define RZ_COMPARE_LE 3u
#define RZ_COMPARE_GT 4u
#define RZ_COMPARE_GE 5u

/* Which values a constant compares with. Matters for RZ_ATOM_VALUE alone: the values at every other
 * path are of one kind.
 * STRICT: a value of the constant's own kind. A number 5 is satisfied by the number 5, not by "5".
 * COERCED: as STRICT, and a constant that is a number also compares with the number that a value of
 *     another kind counts as: a boolean is 0 or 1; a string that spells a decimal number, blanks
 *     around it allowed, is that number; a string of blanks alone, or none, is 0. This covers
 *     JavaScript's == and its orderings, where a language with them gives the number of the
 *     constant: x == "5" as well as x == 5 becomes the number 5. */
#define RZ_TYPING_STRICT 1u
#define RZ_TYPING_COERCED 2u

typedef struct rz_constant {
  uint32_t kind;     /* RZ_TARGET_STRING, RZ_TARGET_NUMBER or RZ_TARGET_BOOLEAN */
  uint32_t reserved; /* 0 */
  double number;     /* the number; of a boolean 0 or 1; of a string 0 */
  rz_bytes text;     /* of a string; else empty */
} rz_constant;

typedef struct rz_atom {
  uint32_t path;       /* RZ_ATOM_* */
  uint32_t comparison; /* RZ_COMPARE_* */
  uint32_t typing;     /* RZ_TYPING_* */
  uint32_t reserved;   /* 0 */
  rz_bytes role;       /* of RZ_ATOM_VALUE; else empty */
  const rz_constant* constants;
  uint64_t constant_count;
} rz_atom;

/* Takes the atoms of a filter: one call for each alternative, with the atoms that hold together in
 * it. Every matching delta satisfies all atoms of at least one alternative. No call: no delta
 * matches. An alternative without atoms: every delta may match. A result other than RZ_OK (a host
 * refuses more than it has room for) stops the producer, which returns it. */
typedef struct rz_atoms_sink {
  void* context;
  /* `atoms` and all that they name are borrowed for the call. [owner] [quick] */
  int32_t (*alternative)(void* context, const rz_atom* atoms, uint64_t count);
} rz_atoms_sink;

/* ---- the language */

/* Deltas of one call that have no proper answer. The callee adds; the caller clears. */
typedef struct rz_filter_counts {
  uint64_t failed;  /* the rule failed on the delta: an operand of the wrong kind, for example */
  uint64_t stopped; /* the rule met its budget on the delta */
} rz_filter_counts;

typedef struct rz_filter {
  /* Opens an instance. `config` is the section of the node's config, JSON that the manifest's
   * schema accepted, defaults filled in. `host` is valid until `close` returns. RZ_INVALID for a
   * config that the schema cannot describe as wrong. [main] [blocks] */
  int32_t (*open)(const rz_host* host, rz_bytes config, void** language, rz_error* error);
  /* Every filter and every prepared rule of the instance has been released. [main] [blocks] */
  void (*close)(void* language);

  /* Compiles `source` (UTF-8, borrowed for the call). RZ_INVALID for what is no filter: error names
   * what is wrong, and error->position, where it can be told, is 1 + the byte of the source.
   * RZ_LIMIT for a source that is too large (RZ_FILTER_MAX_SOURCE) or too deep. Sources come from
   * strangers: the cost of compiling is bounded by the size of the source. `budget` may be NULL:
   * the defaults. [any] [quick] */
  int32_t (*compile)(void* language, rz_bytes source, const rz_filter_budget* budget, void** filter,
                     rz_error* error);
  /* No call on the filter runs any more. [owner] [quick] */
  void (*release)(void* filter);

  /* Sets bit i of `bitmap` (little-endian 64-bit words, cleared by the caller) where delta i
   * matches. Each delta is judged by itself, with a whole budget: one on which the rule fails or
   * meets its budget does not match, is counted, and changes nothing for the others. A result other
   * than RZ_OK is no answer to any of them: RZ_INTERNAL, RZ_DEADLINE. [any] [quick] */
  int32_t (*match)(void* filter, const rz_delta* const* deltas, uint64_t count, uint64_t* bitmap,
                   rz_filter_counts* counts, rz_error* error);

  /* Gives the filter's atoms. Where no conditions can be given, every delta is a candidate (a host
   * takes few such filters from a peer): RZ_UNSUPPORTED says so, as one alternative without atoms
   * does. The same atoms at each call. [any] [quick] */
  int32_t (*atoms)(void* filter, const rz_atoms_sink* sink, rz_error* error);

  /* The filter as JSON-Logic, to the sink: a rule without shorthands, at most
   * RZ_FILTER_MAX_SOURCE bytes, 64 levels deep (each `{` or `[` opens one) and 16,384 values, that
   * matches exactly the deltas that this filter matches; where this filter fails, the rule fails or
   * is false. Equal filters give equal bytes: the host shares them by these. RZ_UNSUPPORTED: the
   * filter has no such form and can be asked in this node alone. [any] [quick] */
  int32_t (*to_json_logic)(void* filter, const rz_sink* sink, rz_error* error);
} rz_filter;

/* ---- many filters, many deltas
 *
 * Optional. An index leaves over pairs of a filter and a delta; this asks about them with one call.
 * A host without it asks `match` about each pair, at the price of a call a pair. */
#define RZ_FILTER_PAIRS_ID "rhizome.filter.pairs/1"

typedef struct rz_filter_pair {
  uint32_t filter, delta; /* indexes into the block's lists */
} rz_filter_pair;

/* What the callee says of a pair: the steps that it took (at least 1, at most RZ_PAIR_STEPS), and
 * flags. */
#define RZ_PAIR_STEPS 0x1fffffffu
#define RZ_PAIR_MATCHES 0x80000000u
#define RZ_PAIR_STOPPED 0x40000000u /* the filter met its budget on the delta; does not match */
#define RZ_PAIR_FAILED 0x20000000u  /* the rule failed on the delta; does not match */

/* The head of one block of memory. Every place is an offset in bytes from the head's first byte,
 * never a pointer, so that a block can lie in memory that two processes map at different places.
 * Within one process a delta's offset may lead out of the block, to where the delta lies anyway.
 * The lists stand at multiples of 8. */
typedef struct rz_filter_pairs_block {
  uint32_t header_size; /* the writer's sizeof of this struct, which may grow at its end */
  uint32_t filter_count, delta_count, pair_count;
  int64_t filters; /* uint64_t[filter_count]: handles, as `compile` gave them in this process */
  int64_t deltas;  /* int64_t[delta_count]: the offset of each rz_delta */
  int64_t pairs;   /* rz_filter_pair[pair_count], in any order */
  int64_t results; /* uint32_t[pair_count], written by the callee: one for each pair */
} rz_filter_pairs_block;

typedef struct rz_filter_pairs {
  /* Judges every pair as rz_filter.match judges the filter on the delta, and writes its result. The
   * callee writes nothing else into the block. Filters are of this instance. A result other than
   * RZ_OK is no answer to any pair; the host then asks about each by itself. [any] [quick] */
  int32_t (*match)(void* language, rz_filter_pairs_block* block, rz_error* error);
} rz_filter_pairs;

/* ---- rules on any JSON data
 *
 * Optional, for tools and for result expressions: a rule is prepared once and gives a JSON value
 * for each piece of data. */
#define RZ_FILTER_EVAL_ID "rhizome.filter.eval/1"

typedef struct rz_filter_eval {
  /* As `compile`; what cannot be told before the rule runs is no error here. [any] [quick] */
  int32_t (*prepare)(void* language, rz_bytes rule, const rz_filter_budget* budget, void** prepared,
                     rz_error* error);
  /* The rule's value on `data` (JSON), as JSON to the sink. Where the rule throws, *thrown is 1 and
   * what it threw goes to the sink as JSON instead; the result is RZ_OK. RZ_INVALID for data that
   * is no JSON, with error->position; RZ_LIMIT where the budget ended the rule or the data is too
   * large. [any] [quick] */
  int32_t (*eval)(void* prepared, rz_bytes data, const rz_sink* sink, uint32_t* thrown,
                  rz_error* error);
  /* No call on it runs any more. [owner] [quick] */
  void (*release)(void* prepared);
} rz_filter_eval;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_FILTER_H_ */
