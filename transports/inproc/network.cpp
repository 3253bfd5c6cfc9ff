// Membership, links, delays and cuts of an in-process network. See network.hpp.
#include "inproc/network.hpp"

#include <algorithm>

namespace rhizome::inproc {
namespace {
constexpr std::uint64_t kFirstBackoff = 50 * kMillisecond;
constexpr std::uint64_t kLastBackoff = 2000 * kMillisecond;
constexpr std::string_view kScheme = "inproc://";
}  // namespace

Network& Network::of(const std::string& name) {
  // Never destroyed: host timers may still hold a scheduler when the process ends.
  static std::mutex mutex;
  static auto& networks = *new std::map<std::string, std::unique_ptr<Network>>;
  const std::lock_guard<std::mutex> held(mutex);
  std::unique_ptr<Network>& found = networks[name];
  if (found == nullptr) found = std::make_unique<Network>();
  return *found;
}

void Network::opened() {
  Lock lock = scheduler_.lock();
  if (open_count_++ == 0) scheduler_.reset(lock);
}

void Network::closed() {
  Lock lock = scheduler_.lock();
  if (--open_count_ != 0) return;
  cuts_.clear();
  counts_ = {};
  scheduler_.reset(lock);
}

Status Network::start(const NodePtr& node) {
  {
    const Lock lock = scheduler_.lock();
    if (node->started) return {Code::kInvalid, "inproc transport: started twice"};
    if (!nodes_.emplace(node->options.address, node).second)
      return {Code::kBusy, "inproc transport: address '" + node->options.address +
                               "' of network '" + node->options.network +
                               "' is taken by another transport of this process"};
    node->started = true;
  }
  scheduler_.enter();
  return {};
}

void Network::stop(const NodePtr& node) {
  std::deque<Farewell> farewells;
  {
    Lock lock = scheduler_.lock();
    if (!node->started) return;
    node->started = false;
    nodes_.erase(node->options.address);
    scheduler_.wait_idle(lock, node.get());
    node->dials.clear();
    const std::map<LinkKey, LinkPtr> links = node->links;
    for (const auto& entry : links) drop(lock, entry.second);
    farewells.swap(node->farewells);
  }
  for (const Farewell& farewell : farewells) {
    for (const std::uint64_t request : farewell.requests)
      node->events.reply(request, Code::kClosed, {}, true);
    if (farewell.announced) node->events.peer(farewell.peer, false);
  }
  scheduler_.leave();
}

Status Network::connect(const NodePtr& node, const LinkKey& peer, ByteView address) {
  if (address.substr(0, kScheme.size()) != kScheme || address.size() == kScheme.size())
    return {Code::kInvalid, "inproc transport: address '" + std::string(address.substr(0, 255)) +
                                "': expected inproc://NAME"};
  Lock lock = scheduler_.lock();
  if (!node->started) return {Code::kClosed, "inproc transport: not started"};
  if (peer == node->key)
    return {Code::kInvalid, "inproc transport: a node cannot connect to its own link key"};
  Dial& dial = node->dials[peer];
  const std::string name(address.substr(kScheme.size()));
  if (dial.address == name) return {};
  dial = {name, node->next_generation++, kFirstBackoff, true};
  scheduler_.at(lock, scheduler_.now_ns(),
                [this, node, peer, generation = dial.generation](Lock& held) {
                  attempt(held, node, peer, generation);
                });
  return {};
}

void Network::disconnect(const NodePtr& node, const LinkKey& peer) {
  Lock lock = scheduler_.lock();
  node->dials.erase(peer);
  if (const auto found = node->links.find(peer); found != node->links.end())
    drop(lock, LinkPtr(found->second));
}

void Network::attempt(Lock& lock, const NodePtr& node, const LinkKey& peer,
                      std::uint64_t generation) {
  const auto dial = node->dials.find(peer);
  if (!node->started || dial == node->dials.end() || dial->second.generation != generation) return;
  dial->second.pending = false;
  if (node->links.count(peer) != 0) return;
  if (!try_link(lock, node, peer, generation)) retry(lock, node, peer);
}

bool Network::try_link(Lock& lock, const NodePtr& node, const LinkKey& peer,
                       std::uint64_t generation) {
  const auto found = nodes_.find(node->dials[peer].address);
  if (found == nodes_.end() || found->second->key != peer) return false;
  const NodePtr target = found->second;
  if (is_cut(*node, *target) || is_cut(*target, *node)) return false;
  const bool welcome =
      scheduler_.call_out(lock, target.get(), [&] { return target->events.authorize(node->key); });
  if (!node->started) return false;
  if (!welcome ||
      !scheduler_.call_out(lock, node.get(), [&] { return node->events.authorize(peer); })) {
    ++counts_.refused;
    return false;
  }
  // The host may have changed its mind in either call.
  const auto dial = node->dials.find(peer);
  if (!node->started || !target->started || dial == node->dials.end() ||
      dial->second.generation != generation || node->links.count(peer) != 0 ||
      target->links.count(node->key) != 0)
    return false;
  dial->second.backoff_ns = kFirstBackoff;
  auto link = std::make_shared<Link>();
  link->ends[0].node = node;
  link->ends[1].node = target;
  node->links[peer] = target->links[node->key] = link;
  announce(lock, link);
  return true;
}

void Network::announce(Lock& lock, const LinkPtr& link) {
  for (int i = 1; i >= 0; --i) {
    if (!link->up) return;
    End& end = link->ends[static_cast<std::size_t>(i)];
    const LinkKey peer = link->ends[static_cast<std::size_t>(1 - i)].node->key;
    end.announced = true;
    scheduler_.call_out(lock, end.node.get(), [&] { end.node->events.peer(peer, true); });
  }
}

void Network::retry(Lock& lock, const NodePtr& node, const LinkKey& peer) {
  const auto dial = node->dials.find(peer);
  if (!node->started || dial == node->dials.end() || dial->second.pending) return;
  dial->second.pending = true;
  const std::uint64_t wait = dial->second.backoff_ns;
  dial->second.backoff_ns = std::min(wait * 2, kLastBackoff);
  scheduler_.at(lock, scheduler_.now_ns() + wait,
                [this, node, peer, generation = dial->second.generation](Lock& held) {
                  attempt(held, node, peer, generation);
                });
}

void Network::drop(Lock& lock, const LinkPtr& link) {
  if (!link->up) return;
  link->up = false;
  leave_link(lock, link, 0);
  leave_link(lock, link, 1);
}

void Network::leave_link(Lock& lock, const LinkPtr& link, int index) {
  End& end = link->ends[static_cast<std::size_t>(index)];
  const NodePtr node = end.node;
  Farewell farewell{link->ends[static_cast<std::size_t>(1 - index)].node->key, {}, end.announced};
  node->links.erase(farewell.peer);
  for (auto it = node->asked.begin(); it != node->asked.end();) {
    if (it->second.link != link) {
      ++it;
      continue;
    }
    farewell.requests.push_back(it->first);
    node->asked_deadlines.erase({it->second.deadline_ns, it->first});
    it = node->asked.erase(it);
  }
  for (auto it = node->open.begin(); it != node->open.end();) {
    if (it->second.link == link) node->open_deadlines.erase({it->second.deadline_ns, it->first});
    it = it->second.link == link ? node->open.erase(it) : std::next(it);
  }
  const LinkKey peer = farewell.peer;
  node->farewells.push_back(std::move(farewell));
  if (!node->started) return;  // stop() says them itself
  scheduler_.at(lock, scheduler_.now_ns(), [this, node](Lock& held) { say_farewell(held, node); });
  retry(lock, node, peer);
}

void Network::say_farewell(Lock& lock, const NodePtr& node) {
  if (!node->started || node->farewells.empty()) return;
  const Farewell farewell = std::move(node->farewells.front());
  node->farewells.pop_front();
  scheduler_.call_out(lock, node.get(), [&] {
    for (const std::uint64_t request : farewell.requests)
      node->events.reply(request, Code::kClosed, {}, true);
    if (farewell.announced) node->events.peer(farewell.peer, false);
  });
}

std::uint64_t Network::delay_ns(Node& node) {
  const Options& options = node.options;
  if (options.delay_high_ms <= 0) return 0;
  const double span = options.delay_high_ms - options.delay_low_ms;
  return static_cast<std::uint64_t>((options.delay_low_ms + span * node.random.unit()) *
                                    static_cast<double>(kMillisecond));
}

void Network::send(Lock& lock, const LinkPtr& link, int from, Carriage carriage, std::uint64_t size,
                   Scheduler::Event deliver) {
  End& end = link->ends[static_cast<std::size_t>(from)];
  Node& sender = *end.node;
  if (is_cut(sender, *link->ends[static_cast<std::size_t>(1 - from)].node)) {
    ++counts_.cut;
    if (carriage != Carriage::kLossy) link->damaged = true;
    return;
  }
  if (carriage != Carriage::kControl && sender.random.chance(sender.options.loss)) {
    ++counts_.lost;
    return;
  }
  const bool lossy = carriage == Carriage::kLossy;
  const int copies = lossy && sender.random.chance(sender.options.duplicate) ? 2 : 1;
  if (copies == 2) ++counts_.duplicated;
  for (int i = 0; i < copies; ++i) {
    std::uint64_t arrival = scheduler_.now_ns() + delay_ns(sender);
    if (lossy && sender.random.chance(sender.options.reorder)) {
      // Late enough for whatever is sent in the next delay to come first.
      arrival += kMillisecond + 2 * delay_ns(sender);
      ++counts_.reordered;
    } else {
      end.ordered_ns = arrival = std::max(arrival, end.ordered_ns);
    }
    end.in_flight += size + kMessageCost;
    scheduler_.at(lock, arrival, [this, link, from, size, deliver](Lock& held) {
      link->ends[static_cast<std::size_t>(from)].in_flight -= size + kMessageCost;
      if (!link->up) return;
      ++counts_.delivered;
      deliver(held);
    });
  }
}

}  // namespace rhizome::inproc
