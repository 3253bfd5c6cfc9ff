/* Nothing is wrong here: shows that the mark and the tests work. With other manifests and link
 * options it makes the plugins whose code is good. */
#include "bad.h"

BAD_PLUGIN(RZ_ABI_MAJOR, 0, good_get_interface)
