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

void Ledger::take(std::vector<Command>* commands) {
  commands->clear();
  const Guard guard(*this);
  commands->swap(commands_);
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
Ledger::Account* Ledger::find(const LinkKey& peer) {
  const auto found = primary_.find(peer);
  return open_ && found != primary_.end() ? find(found->second) : nullptr;
}

void Ledger::link_up(LinkId link, const LinkKey& peer, const std::array<std::uint64_t, 2>& windows,
                     const std::string& address) {
  const Guard guard(*this);
  auto account = std::make_unique<Account>();
  account->id = link;
  account->peer = peer;
  account->address = address;
  for (std::size_t i = 0; i < 2; ++i)
    account->lanes[i].window = std::min(windows[i], options_.window_bytes);
  accounts_[link] = std::move(account);
}

void Ledger::make_primary(LinkId link) {
  const Guard guard(*this);
  if (const Account* account = find(link)) primary_[account->peer] = link;
}

std::vector<std::uint64_t> Ledger::link_down(LinkId link) {
  const Guard guard(*this);
  std::vector<std::uint64_t> ended;
  const auto found = accounts_.find(link);
  if (found == accounts_.end()) return ended;
  const auto primary = primary_.find(found->second->peer);
  if (primary != primary_.end() && primary->second == link) primary_.erase(primary);
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

bool Ledger::pulls(LinkId link) const {
  const Guard guard(*this);
  const Account* account = find(link);
  return account != nullptr && account->pulling;
}

void Ledger::credited(LinkId link, std::uint32_t credit) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr) return;
  account->credit = std::min(kMaxCredit, account->credit + std::min(kMaxCredit, credit));
}

std::uint64_t Ledger::opened(LinkId link, std::uint64_t number, std::uint64_t deadline_ms) {
  const Guard guard(*this);
  Account* account = find(link);
  if (account == nullptr || account->open_by_number.size() >= options_.requests_per_peer) return 0;
  const std::uint64_t token = next_token_;
  if (!account->open_by_number.emplace(number, token).second) return 0;
  ++next_token_;
  const std::uint64_t deadline = now_ms() + deadline_ms;
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
  if (Account* account = find(link)) --account->asked;
  asked_deadlines_.erase({found->second.deadline, number});
  asked_.erase(found);
  return true;
}

std::vector<std::pair<std::uint64_t, LinkId>> Ledger::expired(std::uint64_t now) {
  const Guard guard(*this);
  std::vector<std::pair<std::uint64_t, LinkId>> ended;
  while (!open_deadlines_.empty() && open_deadlines_.begin()->first <= now)
    close_open(opens_.find(open_deadlines_.begin()->second));
  while (!asked_deadlines_.empty() && asked_deadlines_.begin()->first <= now) {
    const std::uint64_t number = asked_deadlines_.begin()->second;
    const LinkId link = asked_[number].link;
    if (Account* account = find(link)) --account->asked;
    asked_.erase(number);
    asked_deadlines_.erase(asked_deadlines_.begin());
    ended.emplace_back(number, link);
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
