// One transport on an in-process network. Any thread calls it; the host is called from the
// network's scheduler, one call at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inproc/network.hpp"

namespace rhizome::inproc {

// Is the public link key that of the secret one?
bool holds_its_key(const rz_transport_identity& identity);

class InprocTransport : public plugin::Transport {
 public:
  // kInvalid for a wrong config, and at level "proven" for a public key that is not that of the
  // secret key: what a real transport shows to each of its peers.
  static Result<std::unique_ptr<plugin::Transport>> open(plugin::Host host, ByteView config,
                                                         const rz_transport_identity& identity,
                                                         plugin::TransportEvents events);
  static Status check_address(ByteView address) { return Network::check_address(address); }

  InprocTransport(const plugin::Host& host, Options options, const rz_transport_identity& identity,
                  plugin::TransportEvents events);
  ~InprocTransport() override;
  Status status() const { return status_; }  // of its making

  Status start() override { return network_.start(node_); }
  void stop() override { network_.stop(node_); }
  std::vector<std::string> addresses() override;
  Status connect(const LinkKey& peer, ByteView address) override {
    return network_.connect(node_, peer, address);
  }
  Status disconnect(const LinkKey& peer) override {
    network_.disconnect(node_, peer);
    return {};
  }
  Status end(std::uint64_t connection) override {
    network_.end(node_, connection);
    return {};
  }
  Status publish(ByteView topic, ByteView frame) override;
  Status subscribe(std::uint64_t connection, ByteView prefix) override;
  Status unsubscribe(std::uint64_t connection, ByteView prefix) override;
  Status request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                 std::uint64_t timeout_ms, ByteView frame) override;
  Status reply(std::uint64_t token, std::uint32_t lane, ByteView frame, bool last) override;

 private:
  // The link of this number, or null.
  LinkPtr link_of(Lock&, std::uint64_t connection) const;
  int my(const LinkPtr& link) const { return end_of(*link, node_.get()); }
  bool has_room(const End& end, std::size_t size) const {
    return end.in_flight == 0 || end.in_flight + size + kMessageCost <= node_->options.window_bytes;
  }

  Network& network_;
  const NodePtr node_;
  Status status_;
};

}  // namespace rhizome::inproc
