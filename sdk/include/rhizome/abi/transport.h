/* rhizome.transport/1: frames between nodes.
 *
 * A peer is named by its 32-byte link key: the X25519 (CURVE) public key that the connection
 * proved, never an address or a routing id. Three patterns, each of the seed's:
 * - publish/subscribe with topics; may lose frames (the fabric numbers what it carries);
 * - request/reply with a deadline and any number of reply frames, the last one marked;
 * - a work queue: each pushed frame goes to one of the connected pullers.
 * A full queue is RZ_WOULD_BLOCK, never a silent drop, but for publish, which is declared lossy.
 * The wire inside is the transport's own; the frames are docs/protocol.md. */
#ifndef RHIZOME_ABI_TRANSPORT_H_
#define RHIZOME_ABI_TRANSPORT_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_TRANSPORT_ID "rhizome.transport/1"
#define RZ_LINK_KEY_SIZE 32u
#define RZ_FRAME_MAX_SIZE 4194304u /* 4 MiB: larger ones are refused on both sides */
#define RZ_TOPIC_MAX_SIZE 64u

#define RZ_PEER_UP 1u   /* a connection to this peer is authenticated and usable */
#define RZ_PEER_DOWN 2u /* it is gone; requests to it end with RZ_CLOSED */

/* What the transport tells the host. Frames and keys are borrowed for the call. No call comes
 * before `start` or after `stop` returned. A callee may call [any] functions back, nothing else. */
typedef struct rz_transport_events {
  void* context;
  /* May this link key connect? 1 yes, 0 no. Asked before any frame of it is looked at. [io] */
  int32_t (*authorize)(void* context, const uint8_t link_key[32]);
  /* RZ_PEER_UP or RZ_PEER_DOWN. [io] */
  void (*peer)(void* context, const uint8_t link_key[32], uint32_t state);
  /* A published frame of a subscribed peer. [io] */
  void (*published)(void* context, const uint8_t link_key[32], rz_bytes topic, rz_bytes frame);
  /* A request; answer it with reply(request, ...), now or later, from any thread. [io] */
  void (*request)(void* context, const uint8_t link_key[32], uint64_t request, rz_bytes frame);
  /* A reply to our request: code RZ_OK with a frame (`last` = 1 on the final one), or how it
   * failed: RZ_DEADLINE, RZ_CLOSED, RZ_UNSUPPORTED ... (frame empty, last = 1). [io] */
  void (*reply)(void* context, uint64_t request, int32_t code, rz_bytes frame, uint32_t last);
  /* A frame of the work queue. [io] */
  void (*work)(void* context, const uint8_t link_key[32], rz_bytes frame);
} rz_transport_events;

typedef struct rz_transport_identity {
  uint8_t link_public_key[32]; /* X25519 */
  uint8_t link_secret_key[32]; /* borrowed for `open`; the transport wipes its copy at `close` */
} rz_transport_identity;

typedef struct rz_transport {
  /* `config` is JSON that the manifest's schema accepted. Opens no socket yet. [main] */
  int32_t (*open)(rz_bytes config, const rz_transport_identity* identity,
                  const rz_transport_events* events, void** transport, rz_error* error);
  /* Binds what the config says and begins. RZ_BUSY where an address is taken. [main] */
  int32_t (*start)(void* transport, rz_error* error);
  /* Ends all work and waits: after it no thread of the transport touches the host. [main] */
  void (*stop)(void* transport);
  void (*close)(void* transport); /* after stop; never blocks. [main] */

  /* The addresses that peers can connect to, one a sink chunk, with real port numbers. [any] */
  int32_t (*addresses)(void* transport, const rz_sink* sink, rz_error* error);

  /* Keeps a connection to this peer at this address, reconnecting with back-off. [any] */
  int32_t (*connect)(void* transport, const uint8_t link_key[32], rz_bytes address,
                     rz_error* error);
  int32_t (*disconnect)(void* transport, const uint8_t link_key[32], rz_error* error); /* [any] */

  /* Lossy, to whoever subscribed; never blocks. [any] */
  int32_t (*publish)(void* transport, rz_bytes topic, rz_bytes frame, rz_error* error);
  /* From one connected peer, topics with this prefix. [any] */
  int32_t (*subscribe)(void* transport, const uint8_t link_key[32], rz_bytes topic_prefix,
                       rz_error* error);
  int32_t (*unsubscribe)(void* transport, const uint8_t link_key[32], rz_bytes topic_prefix,
                         rz_error* error); /* [any] */

  /* `request` is the caller's number, never used twice. RZ_WOULD_BLOCK where too many wait;
   * otherwise exactly one last reply comes, at the latest at the deadline. [any] */
  int32_t (*request)(void* transport, const uint8_t link_key[32], uint64_t request, rz_bytes frame,
                     uint64_t deadline_ms, rz_error* error);
  /* Answers an incoming request; `last` = 1 ends it. RZ_CLOSED where the asker is gone. [any] */
  int32_t (*reply)(void* transport, uint64_t request, rz_bytes frame, uint32_t last,
                   rz_error* error);

  /* Hands a frame to one of the peers that pull from us. RZ_WOULD_BLOCK where none has room. [any]
   */
  int32_t (*push)(void* transport, rz_bytes frame, rz_error* error);
  /* Begins to pull work from this connected peer. [any] */
  int32_t (*pull)(void* transport, const uint8_t link_key[32], rz_error* error);
} rz_transport;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_TRANSPORT_H_ */
