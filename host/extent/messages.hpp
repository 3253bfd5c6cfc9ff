// The bodies of kReceipt and kRoster frames. docs/protocol.md specifies them. Decoders take hostile
// bytes and answer kInvalid. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "extent/receipt.hpp"
#include "extent/roster.hpp"

namespace rhizome {

inline constexpr std::size_t kMaxAskedOrigins = 256;
inline constexpr std::size_t kMaxPushed = kMaxVoters;  // receipts in one frame
inline constexpr std::uint64_t kMaxHops = 4;

// "These receipts": a request that pushes, and the answer to an ask. Each is one receipt's bytes,
// word for word.
struct ReceiptPush {
  std::vector<std::string> receipts;
};
// "What do you know of me?": before a node's first receipt.
struct IdentityAsk {};
// "This is the newest that I have of you": the answer to an identity ask and to a push. The bytes
// of that receipt, which its holder signed; empty where there is none, and in answer to a push also
// where it is not newer than what was pushed.
struct IdentityAnswer {
  std::string receipt;
};
// "Keep me informed about these origins": replaces what was asked before on this link, and lasts as
// long as the link. Of the receiver's own holding, and of `holders`, whom
// the sender does not reach itself. `urgent` origins wait for it: they are told at once, the others
// once a heartbeat.
struct ReceiptAsk {
  std::uint64_t hops = 0;  // how often it may be passed on for the holders' sake
  std::vector<NodeKey> holders, urgent, lazy;  // each ascending where it is stored
  bool operator==(const ReceiptAsk&) const = default;
  bool is_empty() const { return urgent.empty() && lazy.empty(); }
};

using ReceiptBody = std::variant<ReceiptPush, IdentityAsk, IdentityAnswer, ReceiptAsk>;
std::string encode(const ReceiptBody& body);
Result<ReceiptBody> decode_receipt_body(ByteView bytes);

// Which roster the sender counts by, and it where the receiver may lack it.
struct RosterBody {
  std::uint64_t version = 0;
  std::string roster;  // signed bytes, or empty
};
std::string encode(const RosterBody& body);
Result<RosterBody> decode_roster_body(ByteView bytes);

}  // namespace rhizome
