/* Compiled as C11, pedantic: fails where a frozen table's layout is another. */
#include <stddef.h>

#include "rhizome/abi.h"
#include "rhizome/abi/config.h"
#include "rhizome/abi/delta.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/host.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"
#include "rhizome/client.h"

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type);
#define PLACE(type, member, at) \
  _Static_assert(offsetof(type, member) == (at), "place of " #type "." #member);
#include "client_layout.inc"
#include "layout.inc"

_Static_assert(RZ_ABI_MAJOR == 1, "a new major has a layout file of its own");
