/* Calls what nobody has. */
#include "bad.h"

int nobody_has_this_function(void);

static const void* get_interface(const char* id) {
  return nobody_has_this_function() == 0 ? good_get_interface(id) : NULL;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
