// Makes the standard services, before the transport starts.
#include "core/standard.hpp"

namespace rhizome {

Result<StandardServices> add_standard_services(ServiceParts parts) {
  StandardServices services;
  auto feeds =
      FeedService::make(parts.fabric.links(), parts.journal, parts.json_logic, parts.subscriptions);
  if (!feeds.ok()) return feeds.status();
  services.feeds = std::move(*feeds);
  parts.fabric.add(services.feeds);
  parts.extent.self.key = parts.fabric.links().key().public_key();
  services.extents =
      std::make_shared<ExtentBook>(std::move(parts.extent), parts.journal, parts.executor);
  services.extent = std::make_shared<ExtentService>(parts.fabric.links(), services.extents);
  parts.fabric.add(services.extent);
  services.sync = std::make_shared<SyncService>(parts.journal, parts.admission,
                                                parts.fabric.links(), parts.sync);
  parts.fabric.add(services.sync);
  return services;
}

}  // namespace rhizome
