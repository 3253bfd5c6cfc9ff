// For tests alone: the links of a node that has no peers.
#pragma once

#include "links/links.hpp"

namespace rhizome::testing_support {

class NoLinks final : public Links {
 public:
  NoLinks(const SigningKey& key, Executor& executor, Log& log)
      : key_(key), executor_(executor), log_(log), strand_(Strand::make(executor)) {}

  const SigningKey& key() const override { return key_; }
  Executor& executor() override { return executor_; }
  Strand& strand() override { return *strand_; }
  Log& log() override { return log_; }
  std::vector<LinkedPeer> peers() const override { return {}; }
  const LinkedPeer* peer(const LinkKey&) const override { return nullptr; }
  const LinkedPeer* peer_of(const NodeKey&) const override { return nullptr; }
  void ask(const LinkKey&, wire::Kind, wire::Lane, ByteView, std::uint64_t,
           ReplyHandler handler) override {
    handler(Code::kClosed, std::make_shared<std::string>(), {}, true);
  }
  Status answer(const Asked&, wire::Kind, wire::Lane, ByteView, bool) override {
    return {Code::kClosed, "no peers"};
  }
  void refuse(const Asked&, Code, std::string_view) override {}

 private:
  const SigningKey& key_;
  Executor& executor_;
  Log& log_;
  const std::shared_ptr<Strand> strand_;
};

}  // namespace rhizome::testing_support
