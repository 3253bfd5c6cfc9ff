/* Has no init. */
#include "bad.h"

BAD_PLUGIN(RZ_ABI_MAJOR, 0, NULL, good_get_interface)
