/* A table that ends before its functions. */
#include "bad.h"

EXPORTED const uint32_t rhizome_plugin[2] = {RZ_ABI_MAJOR, 0};
