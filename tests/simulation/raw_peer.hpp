// A peer without a node behind it, for tests of what hostile peers can do: it holds a key, says
// hello, introduces itself, and then sends any bytes. One thread, the simulation's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "session/testing.hpp"
#include "simulation/network.hpp"
#include "wire/messages.hpp"

namespace rhizome::simulation {

class RawPeer final : use::TransportEvents {
 public:
  // How far it goes by itself once its connection is up.
  enum Goes { kNowhere, kToSession, kAllTheWay };
  // Dials that node at once.
  RawPeer(Network& network, std::size_t to, std::size_t key_index, Goes goes = kAllTheWay,
          std::string fabric = "default");
  ~RawPeer() override;

  const SigningKey& key() const { return key_; }
  LinkKey link() const;
  bool up() const { return up_; }
  bool has_session() const { return greeter_.has_session(); }
  bool greeted() const { return greeted_; }  // its introduction was taken
  std::uint64_t replies() const { return replies_; }
  // What the node last answered to a request: kOk, or the code of its refusal.
  Code answered() const { return answered_; }

  // What it introduces itself with; to be filled before the connection is up.
  wire::Introduction& introduction() { return own_; }
  // Hears the node's requests; without it they are never answered.
  using OnRequest = std::function<void(RawPeer& self, const wire::Frame& frame, std::uint64_t)>;
  void on_request(OnRequest handler) { on_request_ = std::move(handler); }
  // The last reply to a request of the node.
  void answer(std::uint64_t request, wire::Kind kind, const std::string& body);
  std::uint64_t requests(wire::Kind kind) const;  // of the node, so far

  // A frame as it goes in a session.
  std::string frame(wire::Kind kind, wire::Lane lane, const std::string& body) const;
  // To the node, under this peer's own topic. False where the transport has no room or no link.
  bool publish(const std::string& frame);
  bool request(const std::string& frame, std::uint64_t timeout_ms = 5000);
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
  void connection(const use::Connection& connection, bool up) noexcept override;
  void published(std::uint64_t, ByteView, ByteView) noexcept override {}
  void request(std::uint64_t connection, std::uint64_t request, ByteView frame) noexcept override;
  void reply(std::uint64_t request, Code code, ByteView bytes, bool last) noexcept override;
  void writable(std::uint64_t, std::uint32_t) noexcept override {}
  void introduce();
  std::uint64_t ask(const std::string& frame);

  const SigningKey key_;
  session_testing::Greeter greeter_;
  use::LinkKey to_{};
  const Goes goes_;
  std::uint64_t connection_ = 0;
  bool up_ = false, greeted_ = false;
  Code answered_ = Code::kOk;
  wire::Introduction own_;
  OnRequest on_request_;
  std::map<wire::Kind, std::uint64_t> requests_;
  std::uint64_t next_request_ = 1, replies_ = 0;
  std::uint64_t hello_request_ = 0, introduction_ = 0;  // under way
  std::uint64_t next_number_ = 1, last_number_ = 1;
  Hash256 head_{}, last_head_{};
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome::simulation
