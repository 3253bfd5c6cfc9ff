/* The one name, for another thing. */
#include "bad.h"

EXPORTED int rhizome_plugin(void);
int rhizome_plugin(void) { return 0; }
