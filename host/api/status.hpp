// What a node says about itself and its peers. Plain values, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/core.hpp"
#include "runtime/descriptors.hpp"

namespace rhizome::api {

// What a member of the fabric said last about what it holds, in its receipt.
struct ReceiptStatus {
  ReceiptNumber number;
  std::uint64_t at_ms = 0;    // wall clock, when it came
  std::uint64_t missing = 0;  // of this node's running epoch
  bool synced = false, conflict = false;
  std::uint64_t incarnations = 0;
};
struct MemberLag {
  std::string name;
  bool up = false, voter = false;
  std::uint64_t lag = 0;  // labels that it announced and this node lacks
  std::uint64_t fetched = 0, live = 0;
  std::optional<ReceiptStatus> receipt;
};

struct OwnWriteStatus {
  OwnWrite write;
  std::uint64_t held = 0, voters = 0;
  std::vector<std::string> missing;  // voters, by name
};

struct ConfirmationStatus {
  std::uint64_t roster = 0, voters = 0;  // roster: its version
  bool self_votes = false, durable = false;
  ExtentStats receipts;
  std::vector<OwnWriteStatus> last_writes;  // newest first
};

struct NodeStatus {
  std::string name, fabric, author;
  NodeKey key{};
  std::vector<std::string> addresses;
  std::uint64_t epoch = 0;
  JournalStats journal;
  Hash256 digest{};
  StoreStatus store;
  // On disk; empty where the directory cannot be read to its end (no descriptor is left, say).
  std::optional<std::uint64_t> store_bytes;
  std::optional<DescriptorUse> descriptors;
  Log::Stats log;
  std::uint64_t peers_up = 0, lag = 0;
  double uptime_seconds = 0;
  Admission::Counters admission{};
  FabricStats spread;
  SyncStats reconciliation;
  CatchupProgress catch_up;
  std::array<LaneStatus, kLanes> lanes;
  std::vector<MemberLag> members;
  ConfirmationStatus confirmation;
};

}  // namespace rhizome::api
