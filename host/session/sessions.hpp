// The sessions of a node: one per connection, because what two nodes proved to each other holds for
// the connection that they proved it on, and must not be found by a frame that came another way.
// Sees every frame first, on the transport's thread: which connection it came by, whether its
// sender has a session there, whether its bucket has room, and, on an unproven connection, whether
// its tag is right. Thread-safe but for what is marked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "rhizome/use/transport.hpp"
#include "session/buckets.hpp"
#include "session/cipher.hpp"
#include "session/hello.hpp"
#include "session/publication.hpp"

namespace rhizome::session {

// One frame on its way to the strand.
struct Inbound {
  std::uint64_t connection = 0;
  LinkKey link{};
  bool in_session = false;  // else it is of hello, or its sender has none
  wire::Frame frame;        // its body lies in `bytes` from `body_at` on
  std::size_t body_at = 0;
  std::optional<std::uint64_t> number;  // the asker's, of a sealed request: replies carry it
  ByteView bytes;                       // borrowed from the transport, or from `opened`
  std::string opened;
};

// What is to become of a frame.
struct Ruling {
  enum Kind : std::uint8_t {
    kTake,
    kRefuse,  // a request: answer kWouldBlock with retry_after_ms
    kDrop,
    kViolation,  // drop, and count `why` against the link
    kMalformed,  // the same, as a frame that only a broken node sends
  };
  Kind kind = kDrop;
  std::uint32_t retry_after_ms = 0;
  const char* why = "";
};

class Sessions {
 public:
  Sessions(Local local, const BucketOptions& buckets)
      : local_(std::move(local)), bucket_options_(buckets) {}
  const Local& local() const { return local_; }

  // ---- the transport's thread
  void up(const use::Connection& connection, std::uint64_t now_ns);
  void down(std::uint64_t connection);
  Ruling request(std::uint64_t connection, ByteView bytes, std::uint64_t now_ns, Inbound& in);
  Ruling published(std::uint64_t connection, ByteView bytes, std::uint64_t now_ns, Inbound& in);
  // A reply to our own request pays nothing. `last` is what the transport said, and becomes what
  // the sender sealed. kDrop: not of this request.
  Ruling reply(std::uint64_t request, ByteView bytes, bool& last, Inbound& in);

  // ---- any thread
  // From now on frames of this connection are the other side's.
  void make(std::uint64_t connection, const Agreed& agreed);
  // Encodes or seals a frame and hands it to `transmit` before the next one of this connection is
  // sealed, so that counters go out in order. kClosed where the connection has ended.
  using Transmit = std::function<Status(const std::string& frame)>;
  // Hello goes without a session; all else needs one. `number`: ours, and the transport's.
  // `row`: the transport's lane that it goes by.
  Status send_request(std::uint64_t connection, const wire::Frame& frame, std::uint64_t number,
                      std::uint32_t row, const Transmit& transmit);
  // `number`: Inbound::number. What was not asked in a session is not answered in one.
  Status send_reply(std::uint64_t connection, const wire::Frame& frame,
                    const std::optional<std::uint64_t>& number, bool last, std::uint32_t row,
                    const Transmit& transmit);
  // No reply to it will be asked about any more.
  void forget_request(std::uint64_t number);

  // ---- the fabric's strand
  // The body of a publication, once its signature was checked.
  Result<ByteView> open_publication(std::uint64_t connection, ByteView topic, ByteView frame);
  // True where some session is on an unproven connection: then what is published must be signed.
  bool publishes_signed() const;
  std::string publish(ByteView topic, ByteView body) { return publisher_.publish(topic, body); }

 private:
  struct Account {  // of one link key, whatever connections it has
    std::mutex mutex;
    Buckets buckets;  // guarded by mutex
    explicit Account(const BucketOptions& options) : buckets(options) {}
  };
  struct Session {
    use::Connection info;
    Buckets before;  // the transport's thread: hello, and what has no session or is not opened yet
    std::shared_ptr<Account> account;
    mutable std::mutex mutex;
    bool made = false;  // guarded by mutex, as is what follows
    PublicKey node{};
    BootNonce boot{};
    std::optional<Opener> opener;
    std::mutex send_mutex;
    std::optional<Sealer> sealer;  // guarded by send_mutex
    Subscriber subscriber;         // the strand's
    Session(const use::Connection& connection, const BucketOptions& options)
        : info(connection), before(options) {}
  };
  std::shared_ptr<Session> find(std::uint64_t connection) const;
  std::shared_ptr<Account> account_of(const LinkKey& link, std::uint64_t now_ns);
  Ruling ask(Session& session, bool own_account, wire::Kind kind, std::size_t bytes,
             std::uint64_t now_ns) const;
  const Local local_;
  const BucketOptions bucket_options_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<Session>> sessions_;  // guarded by mutex_
  std::map<LinkKey, std::shared_ptr<Account>> accounts_;        // guarded by mutex_
  // Requests of ours on unproven connections: which session opens their replies.
  std::map<std::uint64_t, std::shared_ptr<Session>> asked_;  // guarded by mutex_
  Publisher publisher_{local_};                              // the strand's
};

}  // namespace rhizome::session
