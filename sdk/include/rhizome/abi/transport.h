/* rhizome.transport/1: frames between nodes.
 *
 * A transport makes connections and carries frames over them; it knows nothing of what is in them.
 * Two patterns:
 * - publish/subscribe with topics: declared lossy (the fabric numbers what it carries and fetches
 *   what was lost);
 * - request/reply: any number of reply frames, the last one marked, exactly one end per request.
 * A full queue is RZ_WOULD_BLOCK followed by a `writable` event, never a silent drop, but for
 * publish. Work queues and pipelines are built over requests by the host.
 *
 * Why connections have numbers. What the host agrees with a peer (a session: who it is, which keys
 * protect its frames) holds for one connection and must not be found by a frame that came another
 * way: over a second transport, through a broker, or over the connection before a restart. So
 * every event carries the number of its connection, and frames are sent to a connection, not to a
 * key.
 *
 * A connection has an authentication level. RZ_LEVEL_PROVEN: the peer proved that it holds the
 * X25519 secret of `link_key` (or, with a certificate or a signature of the node key, that the node
 * of that link key made the connection), and nobody else can read, change, replay or add frames
 * (CURVE, Noise, TLS). RZ_LEVEL_UNPROVEN: `link_key` is a claim (a broker between the nodes, plain
 * TCP); the host then encrypts and authenticates the frames itself. A transport that is in doubt
 * says RZ_LEVEL_UNPROVEN. */
#ifndef RHIZOME_ABI_TRANSPORT_H_
#define RHIZOME_ABI_TRANSPORT_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_TRANSPORT_ID "rhizome.transport/1"
#define RZ_LINK_KEY_SIZE 32u
#define RZ_FRAME_MAX_SIZE 4194304u /* 4 MiB: larger ones are refused on both sides, RZ_LIMIT */
#define RZ_TOPIC_MAX_SIZE 64u
#define RZ_TIMEOUT_MAX_MS 86400000u /* a day: a longer timeout of a request counts as this */

/* Capabilities of kind "transport":
 *   "proven"  with the defaults of its config every connection is RZ_LEVEL_PROVEN. The conformance
 *             suite holds it to that and dials it with keys that it cannot prove. The host shows it
 *             to operators and trusts the level of each connection alone. */
#define RZ_TRANSPORT_CAPABILITY_PROVEN "proven"

#define RZ_LEVEL_UNPROVEN 0u
#define RZ_LEVEL_PROVEN 1u

/* Flags of a connection. Without RZ_CONNECTION_REORDERS, the requests of one lane, the replies to
 * one request and the published frames of one connection arrive in the order in which they were
 * sent. With it one may overtake another; the replies to one request never do. */
#define RZ_CONNECTION_REORDERS 1u

/* Urgency of a frame. A transport sends waiting frames of a lower number first, and a full lane
 * does not keep frames of another lane from going; between lanes there is no order. A transport may
 * have fewer queues than there are lanes, and treats as one what shares a queue. Published frames
 * wait where the transport likes: they never hold up another lane. */
#define RZ_LANE_CONTROL 0u /* small frames that must not wait: hello, receipts */
#define RZ_LANE_LIVE 1u    /* requests and their answers */
#define RZ_LANE_BULK 2u    /* catch-up, reconciliation and all that is large: may wait */
#define RZ_LANES 3u        /* another number is RZ_INVALID */

#define RZ_CONNECTION_UP 1u   /* usable in both directions, whichever side dialled */
#define RZ_CONNECTION_DOWN 2u /* it has ended, on both sides */

/* One connection: what lies between its UP and its DOWN event. Two instances have one connection at
 * a time, also where both dial: where two come about at once, both sides keep the same one. Two
 * connections with equal link keys are two instances (a node whose old connection is not yet seen
 * to be dead, or, unproven, somebody who claims the key of another). */
typedef struct rz_connection {
  uint64_t number; /* never 0, never used twice by an instance */
  uint8_t link_key[32];
  uint32_t level; /* RZ_LEVEL_* */
  uint32_t flags; /* RZ_CONNECTION_REORDERS; a host ignores bits that it does not know */
} rz_connection;

/* What the transport reports to the host. Bytes are borrowed for the call. No call comes before
 * `start` is called or after `stop` has returned. From inside a call, functions of the transport
 * tagged [any] [quick] may be called, no others. The table is valid until `close` returns. */
typedef struct rz_transport_events {
  void* context;
  /* May this link key connect? RZ_OK or RZ_DENIED; any other result counts as RZ_DENIED. Asked on
   * both sides, before any frame of the connection is looked at. [io] [quick] */
  int32_t (*authorize)(void* context, const uint8_t link_key[32]);
  /* RZ_CONNECTION_UP comes before any other event of the connection. RZ_CONNECTION_DOWN comes after
   * all of them, the last replies (RZ_CLOSED) of its requests too; subscriptions have ended with
   * it, in both directions. A connection that `authorize` denied has neither. [io] [quick] */
  void (*connection)(void* context, const rz_connection* connection, uint32_t state);
  /* A published frame of a topic that we subscribed to, once however many prefixes it matches.
   * [io] [quick] */
  void (*published)(void* context, uint64_t connection, rz_bytes topic, rz_bytes frame);
  /* A request; answer it with reply(request, ...), now or later, from any thread. `request` is the
   * transport's number, never used twice by an instance. It ends by itself when the asker's timeout
   * is over or the connection ends. [io] [quick] */
  void (*request)(void* context, uint64_t connection, uint64_t request, rz_bytes frame);
  /* A reply to our request: RZ_OK with a frame (`last` = 1 on the final one), in the order in which
   * the other side sent them and without a gap; or how the request ended, with an empty frame and
   * last = 1: RZ_DEADLINE, RZ_CLOSED, RZ_LIMIT (the other side has too many open). [io] [quick] */
  void (*reply)(void* context, uint64_t request, int32_t code, rz_bytes frame, uint32_t last);
  /* After `request` or `reply` returned RZ_WOULD_BLOCK on this connection and lane: there is room
   * again. Once for any number of refusals before it, and for each lane that met one; the room may
   * be gone again when the host calls. None comes once the connection is down. [io] [quick] */
  void (*writable)(void* context, uint64_t connection, uint32_t lane);
} rz_transport_events;

/* Who the node is. Borrowed until `open` returns, but for what `sign_context` points to: until
 * `close` returns. A transport wipes its copy of the secret at `close`. */
typedef struct rz_transport_identity {
  /* sizeof of the host's version: a plugin reads members behind `sign` only where they lie within.
   * A plugin that keeps a copy copies the smaller of this and its own sizeof. */
  uint32_t struct_size;
  uint32_t reserved;           /* 0 */
  uint8_t link_public_key[32]; /* X25519, derived from the node key */
  uint8_t link_secret_key[32];
  uint8_t node_public_key[32]; /* Ed25519; the link key follows from it, so that a certificate or a
                                  signature of the node key proves the link key */
  void* sign_context;
  /* The node key's Ed25519 signature over `message`, for certificates and handshakes of other
   * protocols. RZ_DENIED for a message that begins like one of Rhizome's own signed texts
   * ("rhizome." or the multihash bytes 0x1e 0x20), so that a transport is no way to sign deltas.
   * Never NULL. [any] [quick] */
  int32_t (*sign)(void* sign_context, rz_bytes message, uint8_t signature[64], rz_error* error);
} rz_transport_identity;

typedef struct rz_transport {
  /* `config` is JSON that the manifest's schema accepted. Opens no socket and makes no thread yet.
   * [main] [blocks] */
  int32_t (*open)(const rz_host* host, rz_bytes config, const rz_transport_identity* identity,
                  const rz_transport_events* events, void** transport, rz_error* error);
  /* After `stop`, or without `start`. [main] [quick] */
  void (*close)(void* transport);

  /* Binds the addresses of the config and begins; once in the life of an instance. RZ_BUSY where an
   * address is taken, RZ_DENIED where the system forbids it. After a failure nothing is bound.
   * [main] [blocks] */
  int32_t (*start)(void* transport, rz_error* error);
  /* Ends all work and waits: every request of ours has its last reply (RZ_CLOSED), every connection
   * its DOWN event, and then no thread of the transport calls the host. Takes at most 5 s beside
   * the time that the host's callees take, whatever peers do. Before `start` and once `stop` has
   * begun, `connect` and what sends answer RZ_CLOSED, what ends something RZ_OK.
   * [main] [blocks] */
  void (*stop)(void* transport);

  /* Is this an address that `connect` takes? Needs no instance; looks nothing up. RZ_INVALID names
   * the expected form. [any] [quick] */
  int32_t (*check_address)(rz_bytes address, rz_error* error);
  /* The addresses that peers can connect to, with real port numbers; none before `start`. Each is
   * one that check_address takes. [any] [quick] */
  int32_t (*addresses)(void* transport, const rz_list_sink* sink, rz_error* error);

  /* Keeps a connection to this key at this address, redialling with back-off until `disconnect`.
   * Again with another address: that one from now on. RZ_INVALID as check_address, and for the
   * node's own key; RZ_LIMIT over the transport's bound. [any] [quick] */
  int32_t (*connect)(void* transport, const uint8_t link_key[32], rz_bytes address,
                     rz_error* error);
  /* Ends redialling and every connection to this key, whichever side dialled. RZ_OK also where
   * there is none. The other side may come again. [any] [quick] */
  int32_t (*disconnect)(void* transport, const uint8_t link_key[32], rz_error* error);
  /* Ends this one connection and nothing else: where `connect` asked for it, redialling goes on.
   * RZ_OK also where it has ended. [any] [quick] */
  int32_t (*end)(void* transport, uint64_t connection, rz_error* error);

  /* To every connection that subscribed to a prefix of `topic`; lossy; never waits. RZ_OK also
   * where nobody did or some had no room; RZ_WOULD_BLOCK where all of them had none (the frame is
   * lost and no `writable` follows). [any] [quick] */
  int32_t (*publish)(void* transport, rz_bytes topic, rz_bytes frame, rz_error* error);
  /* From this connection, topics with this prefix; the empty prefix is every topic. RZ_OK also
   * where it is subscribed to already; RZ_CLOSED where the connection has ended, RZ_LIMIT over the
   * transport's bound, which is at least 512 prefixes of a connection. [any] [quick] */
  int32_t (*subscribe)(void* transport, uint64_t connection, rz_bytes topic_prefix,
                       rz_error* error);
  /* No `published` of this prefix comes once it has returned, but for one under way in this moment.
   * RZ_OK also where there was no such subscription. [any] [quick] */
  int32_t (*unsubscribe)(void* transport, uint64_t connection, rz_bytes topic_prefix,
                         rz_error* error);

  /* `request` is the host's number, never used twice with this instance. RZ_CLOSED where the
   * connection has ended, RZ_WOULD_BLOCK where the lane is full or too many requests are under way
   * (a `writable` event follows); then no reply comes. After RZ_OK exactly one last reply comes: at
   * the latest `timeout_ms` after this call (RZ_DEADLINE). The other side counts it from the
   * request's arrival. [any] [quick] */
  int32_t (*request)(void* transport, uint64_t connection, uint64_t request, uint32_t lane,
                     uint64_t timeout_ms, rz_bytes frame, rz_error* error);
  /* Answers an incoming request; `last` = 1 ends it. The replies arrive in the order of the calls
   * whatever their lanes, so that one may have to go behind a less urgent one. RZ_CLOSED where the
   * request has ended: with its last reply, its time, the asker's cancellation or the connection.
   * RZ_WOULD_BLOCK where the asker reads too slowly: the frame was not taken and a `writable` event
   * follows, unless the request ends before. [any] [quick] */
  int32_t (*reply)(void* transport, uint64_t request, uint32_t lane, rz_bytes frame, uint32_t last,
                   rz_error* error);
} rz_transport;

/* Optional: where a connection comes from. Keys cost nothing, addresses do: with this table the
 * host bounds how many strangers of one network may be connected. */
#define RZ_TRANSPORT_REMOTE_ID "rhizome.transport.remote/1"

typedef struct rz_transport_remote {
  /* The network address of a connection's other side: numeric IPv4 or IPv6 without a port.
   * RZ_NOT_FOUND where it has none (inproc, ipc), RZ_CLOSED where it has ended. [any] [quick] */
  int32_t (*remote)(void* transport, uint64_t connection, const rz_sink* sink, rz_error* error);
} rz_transport_remote;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_TRANSPORT_H_ */
