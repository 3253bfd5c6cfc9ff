/* rhizome.transport.remote/1: where a peer is, offered beside rhizome.transport/1.
 *
 * Keys cost nothing, addresses do: with this table the host bounds how many strangers of one
 * network may be connected. It is optional, and names nobody: a peer is its link key, never its
 * address. */
#ifndef RHIZOME_ABI_TRANSPORT_REMOTE_H_
#define RHIZOME_ABI_TRANSPORT_REMOTE_H_

#include "rhizome/abi/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_TRANSPORT_REMOTE_ID "rhizome.transport.remote/1"

typedef struct rz_transport_remote {
  /* The network address of a peer that is up, as its connection shows it: numeric IPv4 or IPv6
   * without a port, one sink chunk. RZ_NOT_FOUND where it has none or is not up. [any] */
  int32_t (*remote)(void* transport, const uint8_t link_key[32], const rz_sink* sink,
                    rz_error* error);
} rz_transport_remote;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_TRANSPORT_REMOTE_H_ */
