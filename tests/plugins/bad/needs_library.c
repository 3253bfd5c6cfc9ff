/* Good, but for the library that it is linked to. */
#include "bad.h"

int library_function(void);

static int32_t init(const rz_host* host, rz_error* error) {
  return library_function() + good_init(host, error);
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, init, good_get_interface)
