/* Has no get_interface. */
#include "bad.h"

BAD_PLUGIN(RZ_ABI_MAJOR, 0, NULL)
