// The ledger's face to callers: what may be sent is counted and left for the owner, the rest is
// refused at once. [any]. See ledger.hpp.
#include "zeromq/account.hpp"
#include "zeromq/ledger.hpp"

namespace rhizome::zeromq {
namespace {

constexpr std::size_t kMaxCommands = 1U << 20U;

Status no_connection() { return {Code::kClosed, "zeromq transport: no such connection is up"}; }
Status not_running() { return {Code::kClosed, "zeromq transport: not started, or stopped"}; }
Status too_many_commands() {
  return {Code::kLimit, "zeromq transport: " + std::to_string(kMaxCommands) +
                            " commands wait for the transport's thread"};
}
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
  if (!open_) return not_running();
  if (commands_.size() >= kMaxCommands) return too_many_commands();
  Command command;
  command.kind = Command::Kind::kConnect;
  command.peer = peer;
  command.address = std::string(address);
  leave(std::move(command));
  return {};
}

Status Ledger::disconnect(const LinkKey& peer) {
  const Guard guard(*this);
  if (!open_) return {};
  if (commands_.size() >= kMaxCommands) return too_many_commands();
  Command command;
  command.kind = Command::Kind::kDisconnect;
  command.peer = peer;
  leave(std::move(command));
  return {};
}

Status Ledger::end(LinkId link) {
  const Guard guard(*this);
  if (find_open(link) == nullptr) return {};
  if (commands_.size() >= kMaxCommands) return too_many_commands();
  Command command;
  command.kind = Command::Kind::kEnd;
  command.links = {link};
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
    if (!open_) return not_running();
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
  if (!open_) return not_running();
  for (const LinkId link : command.links)
    if (Account* account = find(link)) account->budget(Lane::kBulk).sent += cost;
  leave(std::move(command));
  return {};
}

Status Ledger::subscribe(LinkId link, ByteView prefix) {
  const Guard guard(*this);
  Account* account = find_open(link);
  if (account == nullptr) return no_connection();
  if (account->wanted.contains(prefix)) return {};
  if (account->wanted.size() >= kMaxSubscriptions)
    return {Code::kLimit, "zeromq transport: " + std::to_string(kMaxSubscriptions) +
                              " subscriptions to one peer is the most"};
  if (commands_.size() >= kMaxCommands) return too_many_commands();
  account->wanted.emplace(prefix);
  Message message;
  message.kind = Kind::kSubscribe;
  message.topic = prefix;
  leave(*account, Lane::kControl, message);
  return {};
}

Status Ledger::unsubscribe(LinkId link, ByteView prefix) {
  const Guard guard(*this);
  Account* account = find_open(link);
  if (account == nullptr || !account->wanted.contains(prefix)) return {};
  if (commands_.size() >= kMaxCommands) return too_many_commands();
  account->wanted.erase(std::string(prefix));
  Message message;
  message.kind = Kind::kUnsubscribe;
  message.topic = prefix;
  leave(*account, Lane::kControl, message);
  return {};
}

Status Ledger::request(LinkId link, std::uint64_t request, std::uint32_t lane,
                       std::uint64_t timeout_ms, ByteView frame) {
  Message message;
  message.kind = Kind::kRequest;
  message.number = request;
  message.value = static_cast<std::uint32_t>(timeout_ms);
  message.frame = frame;
  const std::uint64_t cost = cost_of(encoded_size(message));
  const Guard guard(*this);
  Account* account = find_open(link);
  if (account == nullptr) return no_connection();
  Budget& budget = account->budget(carrier_of(lane));
  if (account->asked >= options_.requests_per_peer) {
    account->blocked |= 1U << lane;
    return too_much("too many requests to this peer are under way");
  }
  if (!budget.fits(cost)) {
    budget.blocked |= 1U << lane;
    return too_much("this peer reads too slowly");
  }
  const std::uint64_t deadline = now_ms() + message.value;
  if (!asked_.emplace(request, Asked{link, carrier_of(lane), deadline}).second)
    return {Code::kInvalid,
            "zeromq transport: request number " + std::to_string(request) + " is used twice"};
  asked_deadlines_.emplace(deadline, request);
  ++account->asked;
  budget.sent += cost;
  leave(*account, carrier_of(lane), message);
  return {};
}

Status Ledger::reply(std::uint64_t token, std::uint32_t lane, ByteView frame, bool last) {
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
  const Lane carrier = open.moved ? Lane::kBulk : carrier_of(lane);
  Budget& budget = account->budget(carrier);
  if (!budget.fits(cost)) {
    budget.blocked |= 1U << lane;
    return too_much("the asker reads too slowly");
  }
  budget.sent += cost;
  if (carrier == Lane::kBulk && !open.moved) {
    // Said on the control lane, behind the replies that went there: the asker keeps the order.
    open.moved = true;
    Message moved;
    moved.kind = Kind::kMoved;
    moved.number = open.number;
    leave(*account, Lane::kControl, moved);
  }
  leave(*account, carrier, message);
  if (last) close_open(found);
  return {};
}

Result<std::string> Ledger::remote(LinkId link) {
  const Guard guard(*this);
  const Account* account = find_open(link);
  if (account == nullptr) return no_connection();
  if (account->address.empty())
    return Status(Code::kNotFound, "zeromq transport: this connection has no network address");
  return account->address;
}

}  // namespace rhizome::zeromq
