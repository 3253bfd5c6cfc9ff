// Frames of a session on an unproven connection: encrypted and authenticated by the keys that hello
// agreed on, one a direction. docs/protocol.md, "Sealed frames". Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "rhizome/abi/transport.h"
#include "rhizome/status.hpp"
#include "session/hello.hpp"
#include "session/replay.hpp"
#include "wire/frame.hpp"

namespace rhizome::session {

// What a frame is to its receiver. Part of what is encrypted, so that a broker cannot make a reply
// of a request, give it to another request or cut a row of replies short.
enum class Pattern : std::uint8_t { kRequest = 1, kReply = 2, kLastReply = 3 };

// kind (1) | row (1) | counter (8) | encrypted: pattern (1) | lane (1) | number (8) | timeout_ms
// (4) | body, and a tag (16). Integers are big-endian. Kind, row and counter are associated data.
// The row is the transport's lane that the frame goes by; each row has its counter.
inline constexpr std::size_t kSealOverhead = 10 + 14 + 16;
inline constexpr std::size_t kRows = RZ_LANES;
// How far a frame may be behind the highest counter of its row. A transport keeps the order of a
// lane's requests and of the replies to one request, no more: a reply that must go behind a large
// one of its row is overtaken by everything else of that row meanwhile. So many small frames pass
// while a lane of several MiB empties.
inline constexpr std::size_t kRowWindow = 8192;

class Sealer {
 public:
  explicit Sealer(const SecretKey& key) : key_(key) {}
  ~Sealer();
  Sealer(Sealer&&) = default;
  Sealer& operator=(Sealer&&) = default;
  // `number` names the request: the asker's own number, in the request and in its replies.
  std::string seal(const wire::Frame& frame, Pattern pattern, std::uint64_t number,
                   std::uint32_t row);

 private:
  SecretKey key_;
  std::array<std::uint64_t, kRows> next_{};  // by row
};

struct Opened {
  wire::Frame frame;  // without its body
  std::string body;
  Pattern pattern{};
  std::uint64_t number = 0;
};

class Opener {
 public:
  explicit Opener(const SecretKey& key) : key_(key) {}
  ~Opener();
  Opener(Opener&&) = default;
  Opener& operator=(Opener&&) = default;
  // kCorrupt: not from the other side, changed, a frame that came before, or one that is more than
  // kRowWindow late. Nothing changes then.
  Result<Opened> open(ByteView bytes);

 private:
  SecretKey key_;
  std::array<ReplayWindow<kRowWindow>, kRows> seen_{};  // by row
};

}  // namespace rhizome::session
