// The same layout seen from C++20, and that every table is what a plugin in C can make.
#include <cstddef>
#include <type_traits>

#include "rhizome/abi.h"
#include "rhizome/abi/config.h"
#include "rhizome/abi/delta.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/host.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"
#include "rhizome/client.h"

#define SIZE(type, size)                                   \
  static_assert(sizeof(type) == (size), "size of " #type); \
  static_assert(std::is_standard_layout_v<type> && std::is_trivially_copyable_v<type>);
#define PLACE(type, member, at) \
  static_assert(offsetof(type, member) == (at), "place of " #type "." #member);
#include "client_layout.inc"
#include "layout.inc"
