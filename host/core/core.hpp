// One node, assembled: journal, admission, authoring, membership, fabric and the standard services,
// from typed options and the things that carry its time, its storage and its frames. The process
// (host/node), the simulator and the benches run this one assembly; they differ in the executor,
// the store and the transport that they put in.
//
// make, open_transport, start and stop are one thread's, in this order. The parts have their own
// thread contracts.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "authoring/authoring.hpp"
#include "core/standard.hpp"
#include "membership/membership.hpp"

namespace rhizome {

struct CoreOptions {
  std::string machine_id, boot_id;  // a change of either begins a new epoch (docs/store-format.md)
  Admission::Policy admission;
  AdmissionMode peers = AdmissionMode::kAllowList;  // which nodes may take part
  FabricOptions fabric;
  ExtentOptions extent;  // the core sets `fabric` and `self.key`
  SyncOptions sync;
  feeds::PublisherOptions subscriptions;
  std::chrono::milliseconds store_patience{0};  // Journal::Options::patience
  bool with_services = true;                    // false: the fabric alone, for its own benches
};

// What a core borrows. All of it outlives the core.
struct CoreEnvironment {
  Executor& executor;
  Log& log;
  const SigningKey& node_key;    // signs frames, statements and receipts
  const SigningKey& author_key;  // signs deltas; may be the node key
};

// How a core's transport is opened.
struct CoreTransport {
  const rz_transport* table = nullptr;
  const rz_transport_remote* remote = nullptr;  // null: it tells no addresses of peers
  std::string config_json = "{}";
  use::InstanceHostPtr host = std::make_shared<use::BareHost>();  // its log, time and chance
  // Hears the transport's events instead of the fabric, and passes them on to fabric().events().
  // Null: the fabric hears them. Outlives the core's transport.
  use::TransportEvents* events = nullptr;
};

class NodeCore {
 public:
  // Opens the journal over the store and puts the node together. `filters`: the language in which
  // filters travel; without one, subscriptions are refused. kCorrupt, kUnsupported and I/O errors
  // are the store's and the journal's.
  static Result<std::unique_ptr<NodeCore>> make(const CoreEnvironment& environment,
                                                use::Store store,
                                                const use::FilterLanguage& filters,
                                                CoreOptions options);
  NodeCore(const NodeCore&) = delete;
  NodeCore& operator=(const NodeCore&) = delete;
  ~NodeCore();

  Status open_transport(const CoreTransport& choice);
  // Starts the transport, then the fabric. REQUIRES: an open transport.
  Status start();
  // Stops the fabric, then the transport. Tasks of the core that wait in the executor must have run
  // or been dropped before the core is destroyed. Again: does nothing.
  void stop();

  Journal& journal() { return *journal_; }
  Admission& admission() { return *admission_; }
  Authoring& authoring() { return *authoring_; }
  Membership& membership() { return *membership_; }
  Fabric& fabric() { return *fabric_; }
  StandardServices& services() { return services_; }
  use::Transport& transport() { return *transport_; }
  bool has_transport() const { return transport_ != nullptr; }
  Executor& executor() { return environment_.executor; }
  Log& log() { return environment_.log; }
  const SigningKey& node_key() const { return environment_.node_key; }
  const SigningKey& author_key() const { return environment_.author_key; }
  const std::string& fabric_name() const { return fabric_name_; }

 private:
  explicit NodeCore(const CoreEnvironment& environment) : environment_(environment) {}
  Status open_journal(use::Store store, const CoreOptions& options);
  Status add_services(const use::FilterLanguage& filters, CoreOptions& options);

  const CoreEnvironment environment_;
  std::string fabric_name_;
  // In the order in which they are made; they go in reverse.
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<Authoring> authoring_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<Fabric> fabric_;
  StandardServices services_;
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome
