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
 * Errors: a code of rhizome/abi.h, with the reason in `error` (may be NULL). Where `open` or a
 * beginning fails, *client or *call is NULL. After an error of `next` that is not RZ_WOULD_BLOCK
 * the call has ended: only `end` is left.
 *
 * Growth. The structs and the table grow at their end and nothing in them moves, so that an
 * application and a library of different times work together.
 *   - What a caller fills begins with `struct_size`, its own sizeof; arrays of structs that it
 *     fills have a stride beside them, the sizeof of one. The library takes the sizes of any
 *     earlier time, from this one on, and larger ones in which all that it does not know is zero.
 *     Else it answers RZ_UNSUPPORTED, as for flags that it does not know: a condition that is
 *     passed over in silence would widen what is asked.
 *   - What the library fills begins with its sizeof. A member that is not of the first version is
 *     read only where RZ_HAS says so. Arrays of structs have a stride: RZ_AT steps by it.
 *   - The table's functions are there where RZ_HAS says so: later ones are further operations.
 *   - rz_bytes, rz_error and rz_value never grow.
 *
 * Lost connections. A subscription dials again, for `reconnect_ms` at most, and goes on behind the
 * last event that was pulled; nothing is missing and nothing comes twice. RZ_EVENT_RECONNECTED says
 * that it happened, and RZ_EVENT_LIVE comes anew. A node that stops or starts is a lost connection
 * too. What never connected does not dial: the first attempt ends with RZ_NOT_FOUND where no node
 * listens. Any other call ends with RZ_AWAY: for a write it is then not known whether the node took
 * it. Drafts that carry a timestamp can be sent again: the same claims are the same delta. A call
 * that was cancelled ends with RZ_END. */
#ifndef RHIZOME_CLIENT_H_
#define RHIZOME_CLIENT_H_

#include <stddef.h>

#include "rhizome/client/events.h"
#include "rhizome/client/values.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_CLIENT_API 1u
#define RZ_WAIT_FOREVER UINT64_MAX

/* Whether what the library gave has this member: RZ_HAS(rz_client_api, api, cancel). */
#define RZ_HAS(type, given, member) ((given)->struct_size > offsetof(type, member))

typedef struct rz_client rz_client;
typedef struct rz_call rz_call;

typedef struct rz_client_options {
  uint32_t struct_size;
  uint32_t flags;              /* 0 */
  rz_bytes socket_path;        /* the node's control socket: DIR/control.sock */
  uint64_t connect_timeout_ms; /* for one connection to stand; 0: 5,000 */
  /* How long the node may be silent; 0: 30,000. Of a write, import, negation, get and extent before
   * each answer, of a subscription before its first; beyond the request's own deadline. A query
   * answers nothing while nothing matches, so it has no such limit; a request has its own. */
  uint64_t answer_timeout_ms;
  uint64_t reconnect_ms; /* how long a subscription dials after a loss; 0: 60,000 */
} rz_client_options;

typedef struct rz_client_api {
  uint32_t version;     /* RZ_CLIENT_API */
  uint32_t struct_size; /* the library's sizeof: RZ_HAS */
  /* Connects to nothing yet: each call does. */
  int32_t (*open)(const rz_client_options* options, rz_client** client, rz_error* error);
  void (*close)(rz_client* client); /* REQUIRES: every call of it has been ended */

  /* Each begins a call and does not wait; what goes wrong with the connection is an error of
   * `next`. RZ_INVALID for arguments that no node takes, RZ_UNSUPPORTED for those of a later time
   * than the library's. */
  int32_t (*write)(rz_client* client, const rz_write* write, rz_call** call, rz_error* error);
  int32_t (*import_lines)(rz_client* client, const rz_import* import, rz_call** call,
                          rz_error* error);
  int32_t (*negate)(rz_client* client, const rz_negate* negate, rz_call** call, rz_error* error);
  int32_t (*get)(rz_client* client, const rz_get* get, rz_call** call, rz_error* error);
  int32_t (*query)(rz_client* client, const rz_query* query, rz_call** call, rz_error* error);
  int32_t (*subscribe)(rz_client* client, const rz_subscription* subscription, rz_call** call,
                       rz_error* error);
  int32_t (*extent)(rz_client* client, const rz_extent* extent, rz_call** call, rz_error* error);
  int32_t (*request)(rz_client* client, const rz_request* request, rz_call** call, rz_error* error);

  /* The next event. Waits at most `timeout_ms` (0: not at all): RZ_WOULD_BLOCK where none came.
   * RZ_END where the call has ended well; RZ_AWAY where the connection was lost; RZ_DEADLINE where
   * the node was silent too long or did not take the connection; RZ_NOT_FOUND where no node
   * listens; else the node's own refusal. RZ_INVALID for an event of a wrong size, which ends
   * nothing. */
  int32_t (*next)(rz_call* call, uint64_t timeout_ms, rz_event* event, rz_error* error);
  /* Readable when `next` would not answer RZ_WOULD_BLOCK. Owned by the call. */
  int32_t (*fd)(rz_call* call);
  /* Of queries, subscriptions and requests; RZ_UNSUPPORTED for other calls, RZ_CLOSED behind the
   * last answer. No rows are sent between these two; what is under way still comes. */
  int32_t (*pause)(rz_call* call, rz_error* error);
  int32_t (*resume)(rz_call* call, rz_error* error);
  /* Asks the node to end it: its last events come, then RZ_END. At once where no connection
   * stands. */
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
