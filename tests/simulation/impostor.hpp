// A peer that says hello, announces what it likes, and answers fetches as a test tells it: with
// silence, lies or rubbish. Its transport and keys are real. The test's thread.
#pragma once

#include <functional>
#include <vector>

#include "session/testing.hpp"
#include "simulation/network.hpp"
#include "wire/messages.hpp"
#include "wire/pack.hpp"

namespace rhizome::simulation {

class Impostor final : use::TransportEvents {
 public:
  // Answers one fetch by `reply`, or not at all.
  using OnFetch =
      std::function<void(Impostor& self, const wire::Fetch& wanted, std::uint64_t number)>;

  // `index` names its key; it must be no node's.
  Impostor(Network& network, std::size_t index, OnFetch on_fetch);
  ~Impostor() override;

  // Connects to a node and greets it with these positions.
  void greet(std::size_t node, std::vector<wire::Position> positions);
  void reply(std::uint64_t number, wire::Kind kind, ByteView body, bool last);
  // Asks a node for numbers; what comes of it is counted.
  void fetch(std::size_t node, const wire::Fetch& wanted);

  std::uint64_t fetches() const { return fetches_; }      // that it was asked
  std::uint64_t got_bytes() const { return got_bytes_; }  // of packs, by its own fetches
  std::uint64_t refusals() const { return refusals_; }

 private:
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void connection(const use::Connection& connection, bool up) noexcept override;
  void published(std::uint64_t, ByteView, ByteView) noexcept override {}
  void request(std::uint64_t connection, std::uint64_t number, ByteView frame) noexcept override;
  void reply(std::uint64_t number, Code code, ByteView frame, bool last) noexcept override;
  void writable(std::uint64_t, std::uint32_t) noexcept override {}
  void ask(const std::string& frame, std::uint64_t timeout_ms);
  void introduce();

  Network& network_;
  const SigningKey key_;
  session_testing::Greeter greeter_{key_};
  const OnFetch on_fetch_;
  std::vector<wire::Position> positions_;
  std::unique_ptr<use::Transport> transport_;
  std::uint64_t connection_ = 0;
  std::uint64_t next_ = 1, fetches_ = 0, got_bytes_ = 0, refusals_ = 0;
};

}  // namespace rhizome::simulation
