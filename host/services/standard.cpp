// Makes the standard services. Called by a node's assembly and by the simulator, before the
// transport starts.
#include "services/standard.hpp"

namespace rhizome {

Result<StandardServices> add_standard_services(const ServiceParts&) { return StandardServices{}; }

}  // namespace rhizome
