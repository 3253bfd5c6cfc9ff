// Makes the standard services. Called by a node's assembly and by the simulator, before the
// transport starts.
#include "services/standard.hpp"

namespace rhizome {

Result<StandardServices> add_standard_services(ServiceParts parts) {
  StandardServices made;
  made.extents =
      std::make_shared<ExtentBook>(std::move(parts.extent), parts.journal, parts.executor);
  made.extent = std::make_shared<ExtentService>(parts.fabric.links(), made.extents);
  parts.fabric.add(made.extent);
  return made;
}

}  // namespace rhizome
