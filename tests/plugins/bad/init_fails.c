/* Its init says no, and fills the message to its last byte. */
#include "bad.h"

static int32_t init(const rz_host* host, rz_error* error) {
  good_init(host, error);
  memset(error->message, 'x', sizeof error->message);
  return RZ_IO;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, init, good_get_interface)
