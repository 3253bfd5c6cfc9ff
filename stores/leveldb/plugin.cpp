// The plugin's interfaces.
#include "store.hpp"

using rhizome::leveldb_store::Store;

RHIZOME_PLUGIN({RZ_STORE_ID, rhizome::plugin::store_table<Store>()},
               {RZ_STORE_RESOLVE_ID, rhizome::plugin::store_resolve_table<Store>()},
               {RZ_STORE_MAINTAIN_ID, rhizome::plugin::store_maintain_table<Store>()})
