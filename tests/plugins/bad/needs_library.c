/* Good, but for the library that it is linked to. */
#include "bad.h"

int library_function(void);

static const void* get_interface(const char* id) {
  return library_function() == 0 ? good_get_interface(id) : NULL;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
