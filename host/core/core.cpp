// The order in which a node is put together and taken apart: what is called by another part is made
// before it and goes after it, so that no call reaches a part that is gone.
#include "core/core.hpp"

#include "links/identity.hpp"

namespace rhizome {

Result<std::unique_ptr<NodeCore>> NodeCore::make(const CoreEnvironment& environment,
                                                 use::Store store,
                                                 const use::FilterLanguage& filters,
                                                 CoreOptions options) {
  std::unique_ptr<NodeCore> core(new NodeCore(environment));
  core->fabric_name_ = options.fabric.fabric;
  RZ_TRY(core->open_journal(std::move(store), options));
  core->fabric_ = std::make_unique<Fabric>(options.fabric, *core->membership_, environment.node_key,
                                           *core->journal_, *core->admission_, environment.executor,
                                           environment.log);
  if (options.with_services) RZ_TRY(core->add_services(filters, options));
  return core;
}

NodeCore::~NodeCore() { stop(); }

Status NodeCore::open_journal(use::Store store, const CoreOptions& options) {
  Executor& executor = environment_.executor;
  Journal::Options given;
  given.self = environment_.node_key.public_key();
  given.machine_id = options.machine_id;
  given.boot_id = options.boot_id;
  given.wall_ms = [&executor] { return executor.wall_ms(); };
  given.post = [&executor](Task task) { executor.post(std::move(task)); };
  given.patience = options.store_patience;
  given.on_store_state = [&log = environment_.log](const StoreStatus& now) {
    if (now.state == use::StoreState::kReady) return log.info("store.ready");
    log.error(now.state == use::StoreState::kAway ? "store.away" : "store.read_only",
              {{"cause", now.cause}});
  };
  Result<std::unique_ptr<Journal>> journal = Journal::open(std::move(store), std::move(given));
  if (!journal.ok()) return journal.status();
  journal_ = std::move(*journal);
  admission_ = std::make_unique<Admission>(*journal_, executor, options.admission);
  authoring_ = std::make_unique<Authoring>(*journal_, *admission_, environment_.author_key,
                                           environment_.node_key, executor);
  Result<std::unique_ptr<Membership>> members = Membership::load(*journal_, options.peers);
  if (!members.ok()) return members.status();
  membership_ = std::move(*members);
  return {};
}

Status NodeCore::add_services(const use::FilterLanguage& filters, CoreOptions& options) {
  options.extent.fabric = wire::fabric_id(options.fabric.fabric);
  Result<StandardServices> added = add_standard_services(
      {*fabric_, *journal_, *admission_, environment_.executor, environment_.log, filters,
       std::move(options.extent), options.sync, options.subscriptions});
  if (!added.ok()) return added.status();
  services_ = std::move(*added);
  return {};
}

Status NodeCore::open_transport(const CoreTransport& choice) {
  const TransportIdentity identity(environment_.node_key);
  Result<use::Transport> opened =
      use::Transport::open(choice.table, choice.host, choice.config_json, identity.abi(),
                           choice.events != nullptr ? choice.events : fabric_->events());
  if (!opened.ok()) return opened.status();
  transport_ = std::make_unique<use::Transport>(std::move(*opened));
  fabric_->attach(*transport_, choice.remote);
  return {};
}

Status NodeCore::start() {
  RZ_TRY(transport_->start());
  fabric_->start();
  return {};
}

void NodeCore::stop() {
  if (fabric_) fabric_->stop();
  if (transport_) transport_->stop();
}

}  // namespace rhizome
