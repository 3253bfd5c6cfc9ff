/* Has the table of a store, which nothing calls; with OFFERS_RESOLVE that of
 * rhizome.store.resolve/1 too. Which of them the manifest declares is another matter. */
#include "bad.h"
#include "rhizome/abi/store.h"

static const void* get_interface(const char* id) {
  static const rz_store store;
#ifdef OFFERS_RESOLVE
  static const rz_store_resolve resolve;
  if (strcmp(id, RZ_STORE_RESOLVE_ID) == 0) return &resolve;
#endif
  return strcmp(id, RZ_STORE_ID) == 0 ? &store : NULL;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
