// The fixed store as a plugin.
#include "fixed_store.hpp"

using rhizome::bench::FixedStore;

RHIZOME_PLUGIN({RZ_STORE_ID, rhizome::plugin::store_table<FixedStore>()})
