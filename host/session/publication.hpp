// A published frame for receivers that cannot share keys: one frame goes to many over a broker, so
// that it is signed by its publisher, over the boot nonce that each receiver knows from hello and a
// counter per topic. docs/protocol.md, "Publications". Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "rhizome/status.hpp"
#include "session/hello.hpp"
#include "session/replay.hpp"

namespace rhizome::session {

// kind (1) | lane (1) | counter (8, big-endian) | signature (64) | body
inline constexpr std::size_t kPublicationHeader = 74;

class Publisher {
 public:
  explicit Publisher(const Local& local) : local_(local) {}
  std::string publish(ByteView topic, ByteView body);

 private:
  const Local& local_;
  // One entry per topic that was ever published: per origin, of which the fabric keeps so many.
  std::map<std::string, std::uint64_t, std::less<>> next_;
};

// What came from one publisher over one connection.
class Subscriber {
 public:
  static constexpr std::size_t kMaxTopics = 1024;
  // How far a publication may be behind the highest counter of its topic.
  static constexpr std::size_t kTopicWindow = 256;

  // The body. kCorrupt: not signed by `publisher` under this boot nonce, topic and counter, or one
  // that came before. kLimit: of more topics than one connection may bring.
  Result<ByteView> take(ByteView topic, ByteView frame, const wire::FabricId& fabric,
                        const PublicKey& publisher, const BootNonce& boot);

 private:
  std::map<std::string, ReplayWindow<kTopicWindow>, std::less<>> seen_;
};

}  // namespace rhizome::session
