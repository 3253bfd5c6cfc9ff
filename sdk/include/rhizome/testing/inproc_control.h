/* rhizome.inproc.control/1: the hand of a test on the in-process network of rhizome.inproc.
 *
 * Offered by that plugin beside rhizome.transport/1, for simulations only. Networks and addresses
 * are those of the plugin's config. What is cut lets nothing through, in the direction given; a
 * link that is cut either way goes down on both sides after the config's `detect_ms`, and comes up
 * again when it is healed and its dialler tries. */
#ifndef RHIZOME_TESTING_INPROC_CONTROL_H_
#define RHIZOME_TESTING_INPROC_CONTROL_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_INPROC_CONTROL_ID "rhizome.inproc.control/1"

typedef struct rz_inproc_counts {
  uint64_t delivered, lost, duplicated, reordered, cut, refused;
} rz_inproc_counts;

typedef struct rz_inproc_control {
  /* Cuts the direction from one address to another; cut both for a symmetric partition. [any] */
  int32_t (*cut)(rz_bytes network, rz_bytes from, rz_bytes to);
  int32_t (*heal)(rz_bytes network, rz_bytes from, rz_bytes to); /* [any] */
  int32_t (*heal_all)(rz_bytes network);                         /* [any] */
  /* From now on the given share of messages (0 to 1) that leave this address is lost. [any] */
  int32_t (*set_loss)(rz_bytes network, rz_bytes address, double loss);
  /* What happened on this network since its first transport was opened. [any] */
  int32_t (*counts)(rz_bytes network, rz_inproc_counts* counts);
} rz_inproc_control;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_TESTING_INPROC_CONTROL_H_ */
