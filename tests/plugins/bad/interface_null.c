/* Declares an interface and does not have it. */
#include "bad.h"

static const void* get_interface(const char* id) {
  (void)id;
  mark("get_interface");
  return NULL;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
