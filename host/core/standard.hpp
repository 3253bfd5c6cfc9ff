// The services that every node adds to its fabric. A new service is one more member here and its
// lines in standard.cpp. Called by NodeCore alone.
#pragma once

#include <memory>

#include "extent/service.hpp"
#include "fabric/fabric.hpp"
#include "feeds/service.hpp"
#include "sync/sync_service.hpp"

namespace rhizome {

// What services are made over; all of it outlives the fabric.
struct ServiceParts {
  Fabric& fabric;
  Journal& journal;
  Admission& admission;
  Executor& executor;
  Log& log;
  // The plugin for JSON-Logic, in which filters travel; null: no subscriptions here.
  use::FilterLanguage json_logic = {};
  ExtentOptions extent = {};  // who counts, and how nodes are judged
  SyncOptions sync = {};
  feeds::PublisherOptions subscriptions = {};
};

// The services of one node, for requests on the node's own behalf.
struct StandardServices {
  std::shared_ptr<FeedService> feeds;
  std::shared_ptr<ExtentBook> extents;  // any thread
  std::shared_ptr<ExtentService> extent;
  std::shared_ptr<SyncService> sync;
};

// Makes them and adds them to the fabric, before its transport starts.
Result<StandardServices> add_standard_services(ServiceParts parts);

}  // namespace rhizome
