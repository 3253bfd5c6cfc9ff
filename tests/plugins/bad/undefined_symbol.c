/* Calls what nobody has. */
#include "bad.h"

int nobody_has_this_function(void);

static int32_t init(const rz_host* host, rz_error* error) {
  good_init(host, error);
  return nobody_has_this_function();
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, init, good_get_interface)
