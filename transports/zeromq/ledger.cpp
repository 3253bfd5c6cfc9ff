// The ledger's face to the owner thread, and what both faces share. See ledger.hpp.
#include "zeromq/ledger.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>

#include "zeromq/account.hpp"

namespace rhizome::zeromq {

zmq::message_t make_message(const Message& message) {
  zmq::message_t made(encoded_size(message));
  encode(message, static_cast<std::uint8_t*>(made.data()));
  return made;
}

Ledger::Ledger(const Options& options)
    : options_(options), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Ledger::~Ledger() {
  if (wake_ >= 0) ::close(wake_);
}

std::uint64_t Ledger::now_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

void Ledger::open() {
  const Guard guard(*this);
  open_ = true;
}

void Ledger::shut() {
  const Guard guard(*this);
  open_ = false;
  wakes_ = true;
}

void Ledger::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

void Ledger::take(std::vector<Command>* commands, std::vector<Writable>* writables) {
  commands->clear();
  writables->clear();
  const Guard guard(*this);
  commands->swap(commands_);
  writables->swap(writables_);
  asleep_ = commands->empty();
  if (asleep_) {
    std::uint64_t count = 0;
    (void)!::read(wake_, &count, sizeof count);
  }
}

void Ledger::leave(Command command) {
  commands_.push_back(std::move(command));
  if (!asleep_) return;
  asleep_ = false;
  wakes_ = true;
}

Ledger::Account* Ledger::find(LinkId link) const {
  const auto found = accounts_.find(link);
  return found == accounts_.end() ? nullptr : found->second.get();
}

void Ledger::link_up(LinkId link, const std::array<std::uint64_t, 2>& windows,
                     const std::string& address) {
  const Guard guard(*this);
  auto account = std::make_unique<Account>();
  account->id = link;
  account->address = address;
  for (std::size_t i = 0; i < 2; ++i)
    account->lanes[i].window = std::min(windows[i], options_.window_bytes);
  accounts_[link] = std::move(account);
}

std::vector<std::uint64_t> Ledger::link_down(LinkId link) {
  const Guard guard(*this);
  std::vector<std::uint64_t> ended;
  const auto found = accounts_.find(link);
  if (found == accounts_.end()) return ended;
  accounts_.erase(found);
  for (auto it = asked_.begin(); it != asked_.end();) {
    if (it->second.link == link) {
      ended.push_back(it->first);
      asked_deadlines_.erase({it->second.deadline, it->first});
      it = asked_.erase(it);
    } else {
      ++it;
    }
  }
  for (auto it = opens_.begin(); it != opens_.end();) {
    if (it->second.link == link) {
      open_deadlines_.erase({it->second.deadline, it->first});
      it = opens_.erase(it);
    } else {
      ++it;
    }
  }
  std::sort(ended.begin(), ended.end());
  return ended;
}

void Ledger::acked(LinkId link, Lane lane, std::uint64_t total) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr) return;
  Budget& budget = account->budget(lane);
  budget.acked = std::max(budget.acked, std::min(total, budget.sent));
  // Half a window: not once an ack. The last acks of a window always come so far.
  if (budget.blocked != 0 && (budget.sent - budget.acked) * 2 <= budget.window)
    writables_.push_back({link, std::exchange(budget.blocked, 0)});
}

// One request of ours less is under way.
void Ledger::release_asked(LinkId link) {
  Account* account = find(link);
  if (account == nullptr) return;
  --account->asked;
  if (account->blocked != 0) writables_.push_back({link, std::exchange(account->blocked, 0)});
}

bool Ledger::granted(LinkId link, ByteView prefix) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr) return true;
  Account::Prefixes& granted = account->granted;
  if (granted.contains(prefix)) return true;
  if (granted.size() >= kMaxSubscriptions) return false;
  granted.emplace(prefix);
  return true;
}

void Ledger::revoked(LinkId link, ByteView prefix) {
  const Guard guard(*this);
  if (Account* account = find(link)) account->granted.erase(std::string(prefix));
}

bool Ledger::wants(LinkId link, ByteView topic) const {
  const Guard guard(*this);
  const Account* account = find(link);
  return account != nullptr && Account::matches(account->wanted, topic);
}

std::uint64_t Ledger::opened(LinkId link, std::uint64_t number, std::uint64_t timeout_ms) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr || account->open_by_number.size() >= options_.requests_per_peer) return 0;
  const std::uint64_t token = next_token_;
  if (!account->open_by_number.emplace(number, token).second) return 0;
  ++next_token_;
  const std::uint64_t deadline = now_ms() + timeout_ms;
  opens_.emplace(token, Open{link, number, deadline});
  open_deadlines_.emplace(deadline, token);
  return token;
}

void Ledger::close_open(std::unordered_map<std::uint64_t, Open>::iterator open) {
  if (Account* account = find(open->second.link))
    account->open_by_number.erase(open->second.number);
  open_deadlines_.erase({open->second.deadline, open->first});
  opens_.erase(open);
}

void Ledger::cancelled(LinkId link, std::uint64_t number) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr) return;
  const auto found = account->open_by_number.find(number);
  if (found == account->open_by_number.end()) return;
  const auto open = opens_.find(found->second);
  if (open != opens_.end()) close_open(open);
}

Ledger::Place Ledger::place_of(LinkId link, std::uint64_t number, Lane lane) const {
  const Guard guard(*this);
  const auto found = asked_.find(number);
  if (found == asked_.end() || found->second.link != link) return Place::kUnawaited;
  if (found->second.moved) return lane == Lane::kBulk ? Place::kNext : Place::kWrong;
  return lane == Lane::kBulk ? Place::kEarly : Place::kNext;
}

bool Ledger::moved(LinkId link, std::uint64_t number) {
  const Guard guard(*this);
  const auto found = asked_.find(number);
  if (found == asked_.end() || found->second.link != link) return false;
  found->second.moved = true;
  return true;
}

bool Ledger::replied(LinkId link, std::uint64_t number, bool last) {
  const Guard guard(*this);
  const auto found = asked_.find(number);
  if (found == asked_.end() || found->second.link != link) return false;
  if (!last) return true;
  release_asked(link);
  asked_deadlines_.erase({found->second.deadline, number});
  asked_.erase(found);
  return true;
}

std::vector<Ledger::Expired> Ledger::expired(std::uint64_t now) {
  const Guard guard(*this);
  std::vector<Expired> ended;
  while (!open_deadlines_.empty() && open_deadlines_.begin()->first <= now)
    close_open(opens_.find(open_deadlines_.begin()->second));
  while (!asked_deadlines_.empty() && asked_deadlines_.begin()->first <= now) {
    const std::uint64_t number = asked_deadlines_.begin()->second;
    const auto asked = asked_.find(number);
    ended.push_back({number, asked->second.link, asked->second.lane});
    release_asked(asked->second.link);
    asked_.erase(asked);
    asked_deadlines_.erase(asked_deadlines_.begin());
  }
  return ended;
}

std::uint64_t Ledger::next_deadline() const {
  const Guard guard(*this);
  std::uint64_t next = UINT64_MAX;
  if (!asked_deadlines_.empty()) next = asked_deadlines_.begin()->first;
  if (!open_deadlines_.empty()) next = std::min(next, open_deadlines_.begin()->first);
  return next;
}

}  // namespace rhizome::zeromq
