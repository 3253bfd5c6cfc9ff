/* rhizome/client.h: an application's way to a running node, in C11.
 *
 * The library exports one function, which gives a table. A binding for another language needs that
 * table alone: it is pull with a descriptor, so nothing calls back into the language, and one event
 * loop serves any number of calls.
 *
 * A client says where the node is. Each operation on it is a *call*: a connection of its own, from
 * which events are pulled with `next` until RZ_END. `fd` is a descriptor that becomes readable when
 * `next` can go on, and stays the same for the life of the call.
 *
 *   const rz_client_api* api = rhizome_client_api(RZ_CLIENT_API);
 *   api->open(&options, &client, &error);
 *   api->get(client, &get, &call, &error);
 *   while ((code = api->next(call, RZ_WAIT_FOREVER, &event, &error)) == RZ_OK) ...
 *   api->end(call);
 *   api->close(client);
 *
 * Ownership: arguments are borrowed for the call. What an event points to belongs to its rz_call
 * and is valid until the next `next` or `end` of that call. All text is UTF-8, not NUL-ended.
 * Threads: a client may be used from any thread at once; a call from one thread at a time.
 * Errors: a code of rhizome/abi.h, with the reason in `error` (may be NULL). After an error that is
 * not RZ_WOULD_BLOCK a call has ended: only `end` is left.
 * Growth: structs that a caller fills begin with `struct_size`, so that later members can be added.
 *
 * Lost connections. A subscription dials again, for `reconnect_ms` at most, and goes on behind the
 * last event that was pulled; nothing is missing and nothing comes twice, and an event says that it
 * happened. Any other call ends with RZ_AWAY: for a write it is then not known whether the node
 * took it. Drafts that carry a timestamp can be sent again: the same claims are the same delta. */
#ifndef RHIZOME_CLIENT_H_
#define RHIZOME_CLIENT_H_

#include "rhizome/client/values.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_CLIENT_API 1u
#define RZ_WAIT_FOREVER UINT64_MAX

typedef struct rz_client rz_client;
typedef struct rz_call rz_call;

typedef struct rz_client_options {
  uint32_t struct_size; /* sizeof(rz_client_options) */
  uint32_t reserved;
  rz_bytes socket_path;        /* the node's control socket: DIR/control.sock */
  uint64_t connect_timeout_ms; /* for one connection to stand; 0: 5,000 */
  uint64_t
      answer_timeout_ms; /* for the first answer of a call, beyond its own deadline; 0: 30,000 */
  uint64_t reconnect_ms; /* how long a subscription dials after a loss; 0: 60,000 */
} rz_client_options;

typedef struct rz_client_api {
  uint32_t version; /* RZ_CLIENT_API */
  uint32_t reserved;
  /* Connects to nothing yet: each call does. */
  int32_t (*open)(const rz_client_options* options, rz_client** client, rz_error* error);
  void (*close)(rz_client* client); /* every call of it has been ended */

  /* Each begins a call and does not wait; what goes wrong with the connection is an error of
   * `next`. RZ_INVALID for arguments that no node takes. */
  int32_t (*write)(rz_client* client, const rz_write* write, rz_call** call, rz_error* error);
  /* Deltas as JSON Lines (docs/control.md), whole or without author. */
  int32_t (*import_lines)(rz_client* client, rz_bytes lines, const rz_confirm* confirm,
                          rz_call** call, rz_error* error);
  /* Takes a delta back, by its id in hex. */
  int32_t (*negate)(rz_client* client, rz_bytes delta, rz_bytes reason, rz_call** call,
                    rz_error* error);
  int32_t (*get)(rz_client* client, const rz_get* get, rz_call** call, rz_error* error);
  int32_t (*query)(rz_client* client, const rz_query* query, rz_call** call, rz_error* error);
  int32_t (*subscribe)(rz_client* client, const rz_subscription* subscription, rz_call** call,
                       rz_error* error);
  /* Who holds a delta: its id in hex, or a write's token. */
  int32_t (*extent)(rz_client* client, rz_bytes delta_or_token, rz_call** call, rz_error* error);
  /* Any request of docs/control.md: a JSON header and bytes behind it. */
  int32_t (*request)(rz_client* client, rz_bytes header, rz_bytes blob, rz_call** call,
                     rz_error* error);

  /* The next event. Waits at most `timeout_ms` (0: not at all): RZ_WOULD_BLOCK where none came.
   * RZ_END where the call has ended well; RZ_AWAY where the connection was lost; RZ_DEADLINE where
   * the node did not answer; RZ_NOT_FOUND where no node listens; else the node's own refusal. */
  int32_t (*next)(rz_call* call, uint64_t timeout_ms, rz_event* event, rz_error* error);
  /* Readable when `next` would not answer RZ_WOULD_BLOCK. Owned by the call. */
  int32_t (*fd)(rz_call* call);
  /* A subscription sends nothing between these two; what is under way still comes. */
  int32_t (*pause)(rz_call* call, rz_error* error);
  int32_t (*resume)(rz_call* call, rz_error* error);
  /* Asks the node to end a query or subscription: its last events come, then RZ_END. */
  int32_t (*cancel)(rz_call* call, rz_error* error);
  void (*end)(rz_call* call); /* at any time; drops the connection */
} rz_client_api;

/* The table, or NULL where the library lacks this version. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const rz_client_api*
rhizome_client_api(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CLIENT_H_ */
