// The resolver plugin under test. One thread.
#pragma once

#include "rhizome/abi/resolver.h"

namespace rhizome::conformance {

inline const rz_resolver*& subject() {
  static const rz_resolver* table = nullptr;
  return table;
}

}  // namespace rhizome::conformance
