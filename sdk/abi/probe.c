/* A library that names every table of the ABI, so that libabigail can read their types from its
 * debug information and compare them with the baseline. Built by sdk/abi/check; never shipped. */
#include "rhizome/abi.h"
#include "rhizome/abi/delta.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/host.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"
#include "rhizome/abi/transport_remote.h"

#define PROBE(table)                 \
  extern const table* probe_##table; \
  const table* probe_##table;

PROBE(rz_bytes)
PROBE(rz_error)
PROBE(rz_sink)
PROBE(rz_list_sink)
PROBE(rz_host)
PROBE(rz_plugin)
PROBE(rz_host_log)
PROBE(rz_host_clock)
PROBE(rz_host_random)
PROBE(rz_host_timer)
PROBE(rz_pointer)
PROBE(rz_delta)
PROBE(rz_store)
PROBE(rz_store_op)
PROBE(rz_store_entry)
PROBE(rz_store_found)
PROBE(rz_transport)
PROBE(rz_transport_events)
PROBE(rz_transport_identity)
PROBE(rz_transport_remote)
PROBE(rz_filter)
PROBE(rz_filter_budget)
PROBE(rz_filter_many)
PROBE(rz_filter_eval)
PROBE(rz_candidate)
PROBE(rz_resolver)
