// Who may take part: the peers of the config, nodes let in by an invitation, nodes that were met
// before, or anybody, as the admission mode says. Kept in the journal, so that a restarted node
// knows and dials whom it knew. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "links/standing.hpp"
#include "membership/invitation.hpp"

namespace rhizome {

enum class AdmissionMode : std::uint8_t {
  kAllowList,  // the config's peers, and whom an invitation let in
  kFirstUse,   // anybody; a name belongs to the first key that came under it
  kOpen,       // anybody
};

// A node that is no peer of the config, as it is remembered.
struct Acquaintance {
  NodeKey key{};
  std::string name;
  std::vector<std::string> addresses;  // where it said it can be dialled
  bool invited = false;                // by an invitation, theirs or ours: may always speak
  std::uint64_t met_ms = 0;            // when it was last heard of first hand
};

class Membership {
 public:
  static constexpr std::size_t kMaxAcquaintances = 256;
  static constexpr std::size_t kMaxInvitations = 64;
  static constexpr std::uint64_t kMostSeconds = 30 * 24 * 3600;

  // Reads what the journal remembers. The journal outlives this.
  static Result<std::unique_ptr<Membership>> load(Journal& journal, AdmissionMode mode);

  // Set before use: a peer of the config, which may always speak and is never forgotten.
  void configured(const LinkKey& link, const NodeKey& key, const std::string& name);

  // May a connection with this key come up at all? Also while an invitation waits to be redeemed:
  // who comes then can say nothing but `join`.
  bool may_connect(const LinkKey& link, std::uint64_t now_ms) const;
  bool may_speak(const LinkKey& link) const;
  // By name, whatever the mode: a peer of the config or somebody that an invitation let in.
  bool expects(const LinkKey& link) const;
  // The node key that is configured or remembered for this link key. Another key with the same
  // link key, which is its negative, is not that node.
  std::optional<NodeKey> key_of(const LinkKey& link) const;
  // A checked introduction. kDenied says why it is not let in. Written down by the next `store`.
  Status meet(const NodeKey& key, const std::string& name,
              const std::vector<std::string>& addresses, std::uint64_t now_ms);

  // A ticket that admits one node within so many seconds. kLimit where too many wait. This and what
  // follows may wait for the disk, and no other call waits for it meanwhile.
  Result<InviteTicket> invite(std::uint64_t seconds, std::uint64_t now_ms);
  // Lets the node in whose ticket this is; again for the same node. kDenied else.
  Status redeem(const InviteTicket& ticket, const NodeKey& key, const std::string& name,
                std::uint64_t now_ms);
  // Who invited us: may speak, and is dialled from now on.
  Status accept(const Invitation& invitation, std::uint64_t now_ms);
  // The ticket to show to this node, until it let us in.
  std::optional<InviteTicket> ticket_for(const NodeKey& key) const;
  void let_in_by(const NodeKey& key);  // written down by the next `store`
  // kNotFound where it is not known; peers of the config are the config's to forget.
  Status forget(const NodeKey& key);

  // Something was not written down yet.
  bool has_news() const;
  // Writes it down; waits for the disk.
  Status store();

  std::vector<Acquaintance> acquaintances() const;  // newest first
  std::size_t invitations(std::uint64_t now_ms) const;

 private:
  struct Known {
    Acquaintance node;
    std::optional<InviteTicket> ticket;  // to show to it
  };
  struct Waiting {
    Hash256 ticket_hash{};
    std::uint64_t until_ms = 0;
    std::optional<NodeKey> redeemed_by;
  };
  Membership(Journal& journal, AdmissionMode mode) : journal_(journal), mode_(mode) {}
  Status read(ByteView note);
  std::string note() const;  // with mutex_ held
  Status let_in(const InviteTicket& ticket, const NodeKey& key, const std::string& name,
                std::uint64_t now_ms);
  Known& remember(const NodeKey& key);

  Journal& journal_;
  const AdmissionMode mode_;
  std::mutex store_mutex_;  // held while the note is written, so that the newest one stays
  mutable std::mutex mutex_;
  bool has_news_ = false;                                          // guarded by mutex_
  std::map<LinkKey, std::pair<NodeKey, std::string>> configured_;  // guarded by mutex_
  std::map<LinkKey, Known> known_;                                 // guarded by mutex_
  std::vector<Waiting> waiting_;                                   // guarded by mutex_
};

}  // namespace rhizome
