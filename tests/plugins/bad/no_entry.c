/* Exports nothing. */
#include "bad.h"
