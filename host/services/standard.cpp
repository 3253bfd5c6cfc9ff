// Makes the standard services. Called by a node's assembly and by the simulator, before the
// transport starts.
#include "services/standard.hpp"

namespace rhizome {

Result<StandardServices> add_standard_services(const ServiceParts& parts) {
  StandardServices services;
  auto feeds = FeedService::make(parts.fabric.links(), parts.journal, parts.json_logic);
  if (!feeds.ok()) return feeds.status();
  services.feeds = std::move(*feeds);
  parts.fabric.add(services.feeds);
  return services;
}

}  // namespace rhizome
