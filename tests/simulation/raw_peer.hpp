// A peer without a node behind it, for tests of what hostile peers can do: it holds a key, greets,
// and then sends whatever bytes it is told to. One thread, the simulation's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulation/network.hpp"
#include "wire/messages.hpp"

namespace rhizome::simulation {

class RawPeer final : use::TransportEvents {
 public:
  // Dials that node at once; greets once the link is up, `greet` says so.
  RawPeer(Network& network, std::size_t to, std::size_t key_index, bool greet = true);
  ~RawPeer() override;

  const SigningKey& key() const { return key_; }
  LinkKey link() const;
  bool up() const { return up_; }
  bool greeted() const { return greeted_; }
  std::uint64_t replies() const { return replies_; }
  // What the node last answered to a request: kOk, or the code of its refusal.
  Code answered() const { return answered_; }

  // A frame of this peer's, sealed rightly.
  std::string frame(wire::Kind kind, wire::Lane lane, const std::string& body) const;
  // To the node, under this peer's own topic. False where the transport has no room or no link.
  bool publish(const std::string& frame);
  bool request(const std::string& frame);
  // The next `ids` of this peer's log, as a delivery of these bodies (claims, signature).
  struct Body {
    std::string claims, signature;
  };
  Statement next_statement(const std::vector<DeltaId>& ids);
  // The last statement was not meant to be taken: the next one has its numbers again.
  void take_back();
  static std::string delivery(const Statement& statement, const std::vector<Body>& bodies);

 private:
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void peer(const use::LinkKey&, bool up) noexcept override;
  void published(const use::LinkKey&, ByteView, ByteView) noexcept override {}
  void request(const use::LinkKey&, std::uint64_t, ByteView) noexcept override {}
  void work(const use::LinkKey&, ByteView) noexcept override {}
  void reply(std::uint64_t request, Code code, ByteView bytes, bool last) noexcept override;

  const SigningKey key_;
  use::LinkKey to_{};
  bool greets_, up_ = false, greeted_ = false;
  Code answered_ = Code::kOk;
  std::uint64_t next_request_ = 1, replies_ = 0, hello_request_ = 0;
  std::uint64_t next_number_ = 1, last_number_ = 1;
  Hash256 head_{}, last_head_{};
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome::simulation
