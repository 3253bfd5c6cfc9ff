// How a part of the fabric speaks with peers: it asks, answers and hears of peers through `Links`,
// and is a `Service` that takes its own kinds of frames. Receipts, reconciliation and subscriptions
// are services; the fabric implements Links. Everything here runs on the fabric's strand, but for
// what is marked [any].
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.hpp"
#include "links/standing.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"
#include "wire/frame.hpp"

namespace rhizome {

// A peer that has a session on the connection that is up now, and introduced itself there.
struct LinkedPeer {
  LinkKey link{};
  NodeKey key{};
  std::string name;                   // for people
  std::vector<std::string> provides;  // as its introduction said
  bool configured = false;

  bool provides_service(std::string_view name_of_service) const;
};

// A request that a peer waits on. Copied freely; the first last answer ends it.
struct Asked {
  std::uint64_t request = 0;
  LinkKey link{};
  NodeKey from{};
  std::uint64_t connection = 0;              // that it came by
  std::optional<std::uint64_t> number = {};  // the asker's own, where the session seals frames
};

// One reply frame, or how the request ended: kDeadline, kClosed, or the code of the peer's refusal.
// `frame` borrows from `bytes`, which the handler may keep or move from. `last` comes once.
using ReplyHandler = std::function<void(Code code, const std::shared_ptr<std::string>& bytes,
                                        const wire::Frame& frame, bool last)>;

class Links {
 public:
  virtual ~Links() = default;

  virtual const SigningKey& key() const = 0;  // [any]
  virtual Executor& executor() = 0;           // [any]
  virtual Strand& strand() = 0;               // [any]
  virtual Log& log() = 0;                     // [any]

  virtual std::vector<LinkedPeer> peers() const = 0;
  virtual const LinkedPeer* peer(const LinkKey& link) const = 0;
  virtual const LinkedPeer* peer_of(const NodeKey& key) const = 0;

  // Sends a request; the handler hears every reply frame and, once, the end. Where the transport
  // refuses it the end comes at once, from the strand. deadline_ms 0: the fabric's default.
  virtual void ask(const LinkKey& to, wire::Kind kind, wire::Lane lane, ByteView body,
                   std::uint64_t deadline_ms, ReplyHandler handler) = 0;
  // One reply frame, `last` ends the request. kWouldBlock: the asker reads too slowly; kClosed: it
  // is gone or waits no more. [any]
  virtual Status answer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body,
                        bool last) = 0;
  // The same, of what may wait for room: on kWouldBlock the executor runs `again` once, when there
  // is room, the asker is gone or `until_ns` (monotonic) is over, which is looked at once a
  // heartbeat; the call may be made anew from there. kDeadline: there was no room and the time is
  // over. [any]
  virtual Status offer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body,
                       bool last, std::uint64_t until_ns, Task again) {
    (void)until_ns, (void)again;  // of links that always have room
    return answer(asked, kind, lane, body, last);
  }
  // Ends the request with an error and counts it. [any]
  virtual void refuse(const Asked& asked, Code code, std::string_view why) = 0;
  // This peer did what an honest one does not (links/standing.hpp has the weights): over the limit
  // it is dropped and kept out for a while. [any]
  virtual void distrust(const LinkKey& link, std::string_view why, double weight) {
    (void)link, (void)why, (void)weight;
  }
};

class Service {
 public:
  virtual ~Service() = default;

  // The name under which introductions tell that this node provides it; empty: none.
  virtual std::string_view provides() const { return {}; }
  virtual bool takes(wire::Kind kind) const = 0;
  // A request of a kind that it takes, from a greeted peer; its frame is opened and checked and
  // borrowed for the call.
  virtual void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) = 0;
  virtual void greeted(const LinkedPeer& peer) { (void)peer; }
  virtual void gone(const LinkKey& link) { (void)link; }
  // Every heartbeat_ms.
  virtual void heartbeat() {}
  // After a commit: positions that it added (first > last: none) and the statements now current.
  virtual void committed(Seq first, Seq last, std::span<const Statement> statements) {
    (void)first, (void)last, (void)statements;
  }
  // The fabric stops: Links may be gone when this returns, so that a task of the service that runs
  // later must look whether it was stopped before it touches them. Any thread.
  virtual void stop() {}
};

inline bool LinkedPeer::provides_service(std::string_view name_of_service) const {
  for (const std::string& provided : provides)
    if (provided == name_of_service) return true;
  return false;
}

}  // namespace rhizome
