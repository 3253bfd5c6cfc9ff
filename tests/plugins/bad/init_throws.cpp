// Lets an exception out of init.
#include <stdexcept>

#include "bad.h"

static int32_t init(const rz_host* host, rz_error* error) {
  good_init(host, error);
  throw std::runtime_error("thrown in init");
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, init, good_get_interface)
