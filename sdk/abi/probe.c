/* A library that names every table of the ABI and of the client, so that libabigail can read their
 * types from its debug information and compare them with the baseline. Built by sdk/abi/check;
 * never shipped. */
#include "rhizome/abi.h"
#include "rhizome/abi/config.h"
#include "rhizome/abi/delta.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/host.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"
#include "rhizome/client.h"

#define PROBE(table)                 \
  extern const table* probe_##table; \
  const table* probe_##table;

PROBE(rz_bytes)
PROBE(rz_error)
PROBE(rz_sink)
PROBE(rz_list_sink)
PROBE(rz_host)
PROBE(rz_plugin)
PROBE(rz_config)
PROBE(rz_config_problem)
PROBE(rz_config_problems)
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
PROBE(rz_store_batch)
PROBE(rz_store_resolve)
PROBE(rz_store_maintain)
PROBE(rz_host_store)
PROBE(rz_connection)
PROBE(rz_transport)
PROBE(rz_transport_remote)
PROBE(rz_transport_events)
PROBE(rz_transport_identity)
PROBE(rz_filter)
PROBE(rz_filter_budget)
PROBE(rz_constant)
PROBE(rz_atom)
PROBE(rz_atoms_sink)
PROBE(rz_filter_counts)
PROBE(rz_filter_pair)
PROBE(rz_filter_pairs_block)
PROBE(rz_filter_pairs)
PROBE(rz_filter_eval)
PROBE(rz_identity)
PROBE(rz_candidate)
PROBE(rz_property)
PROBE(rz_resolution_sink)
PROBE(rz_resolver)
PROBE(rz_resolver_fold)
PROBE(rz_value)
PROBE(rz_role)
PROBE(rz_confirm)
PROBE(rz_draft)
PROBE(rz_write)
PROBE(rz_import)
PROBE(rz_negate)
PROBE(rz_read)
PROBE(rz_get)
PROBE(rz_query)
PROBE(rz_subscription)
PROBE(rz_extent)
PROBE(rz_request)
PROBE(rz_replication)
PROBE(rz_delta_event)
PROBE(rz_property_event)
PROBE(rz_extent_event)
PROBE(rz_write_problem)
PROBE(rz_written_event)
PROBE(rz_token_state)
PROBE(rz_tokens_event)
PROBE(rz_summary_event)
PROBE(rz_event)
PROBE(rz_client_options)
PROBE(rz_client_api)
