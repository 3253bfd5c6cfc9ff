// Extents by name. Private to host/api.
#pragma once

#include "api/requests.hpp"

namespace rhizome::api {

HolderNames names_of(const Extent& extent, const Roster& roster, const ExtentBook& book);

}  // namespace rhizome::api
