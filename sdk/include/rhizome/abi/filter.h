/* rhizome.filter/1: a filter language.
 *
 * A filter is compiled once from its source and then asked about batches of flat deltas. Evaluation
 * never builds a document tree, never reads a clock or chance, and stops at its budget. `atoms`
 * gives conditions that every match must satisfy, from which the host builds its index whatever the
 * language; `to_json_logic` is the form in which a filter travels between nodes. */
#ifndef RHIZOME_ABI_FILTER_H_
#define RHIZOME_ABI_FILTER_H_

#include "rhizome/abi/delta.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_FILTER_ID "rhizome.filter/1"

/* Bounds of one evaluation on one delta; 0 means the host's default. */
typedef struct rz_filter_budget {
  uint64_t steps;        /* default 10,000 */
  uint64_t memory_bytes; /* default 256 KiB */
  uint64_t time_ns;      /* default 2 ms */
} rz_filter_budget;

typedef struct rz_filter {
  /* Compiles `source` (UTF-8). RZ_INVALID says where and why; RZ_LIMIT for too large or deep. [any]
   */
  int32_t (*compile)(rz_bytes source, const rz_filter_budget* budget, void** filter,
                     rz_error* error);
  void (*release)(void* filter); /* no call on it runs any more. [owner] */

  /* Sets bit i of `bitmap` (little-endian 64-bit words, cleared by the caller) where delta i
   * matches. A delta on which the rule fails does not match and is counted in *errors. RZ_LIMIT
   * where the budget ended it (bits so far are right, the rest are 0). Immutable: [any] */
  int32_t (*match)(void* filter, const rz_delta* const* deltas, uint64_t count, uint64_t* bitmap,
                   uint64_t* errors, rz_error* error);

  /* JSON to the sink: a disjunction of conjunctions of necessary conditions,
   * [[["path","comparison",constant], ...], ...]; path one of "id", "author", "timestamp", "role",
   * "entity", "context", "value:ROLE"; comparison one of == < <= > >= in. `null` where none can be
   * given: then every delta is a candidate. A condition on "value:ROLE" holds where it does for the
   * target of one pointer with the role: a text, number or boolean as itself, and also as a number
   * a boolean (0 or 1) and a text that spells a decimal number (blanks around it allowed; only
   * blanks spell 0). [any] */
  int32_t (*atoms)(void* filter, const rz_sink* sink, rz_error* error);

  /* The same filter as JSON-Logic. [any] */
  int32_t (*to_json_logic)(void* filter, const rz_sink* sink, rz_error* error);
} rz_filter;

/* Optional: one delta against many filters, as an index of filters asks. */
#define RZ_FILTER_MANY_ID "rhizome.filter.many/1"

#define RZ_FILTER_STOPPED 0x80000000u /* the budget ended it */
#define RZ_FILTER_FAILED 0x40000000u  /* the rule failed on the delta */

typedef struct rz_filter_many {
  /* As rz_filter.match of each of the plugin's filters with the one delta: sets bit i of `bitmap`
   * (cleared by the caller) where filters[i] matches, and steps[i] to the steps that it took, with
   * the flags above. A filter that was stopped does not match, and the others are asked all the
   * same. [any] */
  int32_t (*match)(void* const* filters, uint64_t count, const rz_delta* delta, uint64_t* bitmap,
                   uint32_t* steps, rz_error* error);
} rz_filter_many;

/* Optional: a rule on any JSON data, to a JSON value. For tools and result expressions. */
#define RZ_FILTER_EVAL_ID "rhizome.filter.eval/1"

typedef struct rz_filter_eval {
  /* The result as JSON to the sink. A rule that throws gives RZ_INVALID and the thrown type's JSON
   * text in error->message; RZ_LIMIT where the budget ended it. [any] */
  int32_t (*eval)(rz_bytes rule, rz_bytes data, const rz_filter_budget* budget, const rz_sink* sink,
                  rz_error* error);
} rz_filter_eval;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_FILTER_H_ */
