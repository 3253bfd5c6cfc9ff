/* Its code is of another ABI than its manifest says. */
#include "bad.h"

BAD_PLUGIN(RZ_ABI_MAJOR + 1, 0, good_get_interface)
