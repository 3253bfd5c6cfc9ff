/* rhizome.resolver/1: collapses the candidates of one property into its value.
 *
 * A resolver is a pure function of the set of its candidates: any order, any duplication, the same
 * bytes. Ties are broken by a total order that ends in the delta id. */
#ifndef RHIZOME_ABI_RESOLVER_H_
#define RHIZOME_ABI_RESOLVER_H_

#include "rhizome/abi/delta.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_RESOLVER_ID "rhizome.resolver/1"

/* One claim about the property. Everything is borrowed for the call. */
typedef struct rz_candidate {
  rz_bytes value;   /* JSON text of the value in the JSON profile */
  rz_bytes author;  /* UTF-8 */
  double timestamp; /* milliseconds since the Unix epoch, as claimed */
  uint8_t id[34];
  uint8_t signature_state; /* RZ_SIGNATURE_* */
  uint8_t reserved[5];
} rz_candidate;

typedef struct rz_resolver {
  /* Makes a resolver by name ("last-write-wins") with its options (JSON object, may be empty).
   * RZ_NOT_FOUND for an unknown name: the message lists the known ones. [any] */
  int32_t (*create)(rz_bytes name, rz_bytes options, void** resolver, rz_error* error);
  void (*release)(void* resolver); /* [owner] */
  /* The names that `create` knows, one a sink chunk. [any] */
  int32_t (*names)(const rz_sink* sink, rz_error* error);
  /* The resolved value as JSON to the sink; writes nothing where the property has no value. [any]
   */
  int32_t (*resolve)(void* resolver, const rz_candidate* candidates, uint64_t count,
                     const rz_sink* sink, rz_error* error);
} rz_resolver;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_RESOLVER_H_ */
