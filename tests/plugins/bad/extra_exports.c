/* Lets a name of its own out, which could take the place of somebody else's. */
#include "bad.h"
#include "rhizome/note.h"

RHIZOME_NOTE(
    "{\"id\": \"bad.plugin\", \"version\": \"1.0.0\", \"abi\": 1, \"kind\": \"store\","
    " \"interfaces\": [\"bad.nothing/1\"]}")

EXPORTED int helper(void);
int helper(void) { return 1; }

BAD_PLUGIN(RZ_ABI_MAJOR, 0, good_get_interface)
