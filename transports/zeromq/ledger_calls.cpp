// The ledger's face to callers: what may be sent is counted and left for the owner, the rest is
// refused at once. [any]. See ledger.hpp.
#include "zeromq/account.hpp"
#include "zeromq/ledger.hpp"

namespace rhizome::zeromq {
namespace {

constexpr std::uint64_t kLongestDeadline = 86'400'000;  // a day, milliseconds
constexpr std::size_t kMaxCommands = 1U << 20U;

Status no_peer() { return {Code::kClosed, "zeromq transport: no connection to this peer"}; }
Status too_much(const char* what) {
  return {Code::kWouldBlock, std::string("zeromq transport: ") + what};
}

}  // namespace

void Ledger::leave(const Account& account, Lane lane, const Message& message) {
  Command command;
  command.lane = lane;
  command.links = {account.id};
  command.message = make_message(message);
  leave(std::move(command));
}

Status Ledger::connect(const LinkKey& peer, ByteView address) {
  RZ_TRY(check_address(address, false));
  const Guard guard(*this);
  if (!open_) return no_peer();
  if (commands_.size() >= kMaxCommands) return too_much("too many commands wait");
  Command command;
  command.kind = Command::Kind::kConnect;
  command.peer = peer;
  command.address = std::string(address);
  leave(std::move(command));
  return {};
}

Status Ledger::disconnect(const LinkKey& peer) {
  const Guard guard(*this);
  if (!open_) return no_peer();
  if (commands_.size() >= kMaxCommands) return too_much("too many commands wait");
  Command command;
  command.kind = Command::Kind::kDisconnect;
  command.peer = peer;
  leave(std::move(command));
  return {};
}

Status Ledger::publish(ByteView topic, ByteView frame) {
  Message message;
  message.kind = Kind::kPublished;
  message.topic = topic;
  message.frame = frame;
  const std::uint64_t cost = cost_of(encoded_size(message));
  Command command;
  command.lane = Lane::kBulk;
  {
    const Guard guard(*this);
    if (!open_) return no_peer();
    bool wanted = false;
    for (const auto& entry : accounts_) {
      Account& account = *entry.second;
      if (!account.takes(topic)) continue;
      wanted = true;
      Budget& budget = account.budget(Lane::kBulk);
      if (!budget.fits(cost)) continue;  // this subscriber is slow: the frame is lost for it
      command.links.push_back(account.id);
    }
    if (command.links.empty())
      return wanted ? too_much("every subscriber of this topic is slow; the frame was dropped")
                    : Status();
  }
  // The copy is made without the lock, so that publishers do not wait for each other's bytes.
  command.message = make_message(message);
  const Guard guard(*this);
  if (!open_) return no_peer();
  for (const LinkId link : command.links)
    if (Account* account = find(link)) account->budget(Lane::kBulk).sent += cost;
  leave(std::move(command));
  return {};
}

Status Ledger::subscribe(const LinkKey& peer, ByteView prefix) {
  const Guard guard(*this);
  Account* account = find(peer);
  if (account == nullptr) return no_peer();
  if (account->wanted.contains(prefix)) return {};
  if (account->wanted.size() >= kMaxSubscriptions)
    return {Code::kLimit, "zeromq transport: " + std::to_string(kMaxSubscriptions) +
                              " subscriptions to one peer is the most"};
  if (commands_.size() >= kMaxCommands) return too_much("too many commands wait");
  account->wanted.emplace(prefix);
  Message message;
  message.kind = Kind::kSubscribe;
  message.topic = prefix;
  leave(*account, Lane::kControl, message);
  return {};
}

Status Ledger::unsubscribe(const LinkKey& peer, ByteView prefix) {
  const Guard guard(*this);
  Account* account = find(peer);
  if (account == nullptr) return no_peer();
  if (commands_.size() >= kMaxCommands) return too_much("too many commands wait");
  if (account->wanted.erase(std::string(prefix)) == 0)
    return {Code::kNotFound, "zeromq transport: no subscription to this prefix"};
  Message message;
  message.kind = Kind::kUnsubscribe;
  message.topic = prefix;
  leave(*account, Lane::kControl, message);
  return {};
}

Status Ledger::request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                       std::uint64_t deadline_ms) {
  Message message;
  message.kind = Kind::kRequest;
  message.number = request;
  message.value = static_cast<std::uint32_t>(std::min(deadline_ms, kLongestDeadline));
  message.frame = frame;
  const std::uint64_t cost = cost_of(encoded_size(message));
  const Guard guard(*this);
  Account* account = find(peer);
  if (account == nullptr) return no_peer();
  Budget& budget = account->budget(Lane::kControl);
  if (account->asked >= options_.requests_per_peer)
    return too_much("too many requests to this peer are under way");
  if (!budget.fits(cost)) return too_much("this peer reads too slowly");
  const std::uint64_t deadline = now_ms() + message.value;
  if (!asked_.emplace(request, Asked{account->id, deadline}).second)
    return {Code::kInvalid,
            "zeromq transport: request number " + std::to_string(request) + " is used twice"};
  asked_deadlines_.emplace(deadline, request);
  ++account->asked;
  budget.sent += cost;
  leave(*account, Lane::kControl, message);
  return {};
}

Status Ledger::reply(std::uint64_t token, ByteView frame, bool last) {
  const Guard guard(*this);
  const auto found = opens_.find(token);
  Account* account = open_ && found != opens_.end() ? find(found->second.link) : nullptr;
  if (account == nullptr) return {Code::kClosed, "zeromq transport: nobody waits for this reply"};
  Message message;
  message.kind = Kind::kReply;
  message.number = found->second.number;
  message.last = last;
  message.frame = frame;
  const std::uint64_t cost = cost_of(encoded_size(message));
  Open& open = found->second;
  const Lane lane = open.moved || frame.size() > kBulkReply ? Lane::kBulk : Lane::kControl;
  Budget& budget = account->budget(lane);
  if (!budget.fits(cost)) return too_much("the asker reads too slowly");
  budget.sent += cost;
  if (lane == Lane::kBulk && !open.moved) {
    // Said on the control lane, behind the replies that went there: the asker keeps the order.
    open.moved = true;
    Message moved;
    moved.kind = Kind::kMoved;
    moved.number = open.number;
    leave(*account, Lane::kControl, moved);
  }
  leave(*account, lane, message);
  if (last) close_open(found);
  return {};
}

Result<std::string> Ledger::remote(const LinkKey& peer) {
  const Guard guard(*this);
  const Account* account = find(peer);
  if (account == nullptr || account->address.empty())
    return Status(Code::kNotFound, "zeromq transport: no network address of this peer");
  return account->address;
}

Status Ledger::push(ByteView frame) {
  Message message;
  message.kind = Kind::kWork;
  message.frame = frame;
  const std::uint64_t cost = cost_of(encoded_size(message));
  const Guard guard(*this);
  if (!open_) return no_peer();
  std::vector<Account*> ready;
  for (const auto& entry : accounts_)
    if (entry.second->credit > 0 && entry.second->budget(Lane::kBulk).fits(cost))
      ready.push_back(entry.second.get());
  if (ready.empty()) return too_much("no puller has room");
  Account& account = *ready[turn_++ % ready.size()];
  --account.credit;
  account.budget(Lane::kBulk).sent += cost;
  Command command;
  command.lane = Lane::kBulk;
  command.links = {account.id};
  command.message = make_message(message);
  leave(std::move(command));
  return {};
}

Status Ledger::pull(const LinkKey& peer) {
  const Guard guard(*this);
  Account* account = find(peer);
  if (account == nullptr) return no_peer();
  if (account->pulling) return {};
  account->pulling = true;
  Message message;
  message.kind = Kind::kPull;
  message.value = kWorkCredit;
  leave(*account, Lane::kControl, message);
  return {};
}

}  // namespace rhizome::zeromq
