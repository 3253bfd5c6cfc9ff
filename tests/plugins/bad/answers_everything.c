/* Gives one table for whatever it is asked. */
#include "bad.h"

static const void* get_interface(const char* id) {
  static const int32_t table = 0;
  (void)id;
  mark("get_interface");
  return &table;
}

BAD_PLUGIN(RZ_ABI_MAJOR, 0, get_interface)
