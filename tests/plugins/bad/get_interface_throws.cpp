// Lets something that is no std::exception out of get_interface.
#include "bad.h"

static const void* get_interface(const char*) {
  mark("get_interface");
  throw 42;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
