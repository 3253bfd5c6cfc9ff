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

rz_connection connection_of(const Link& link, int index) {
  const Node& near = *link.end(index).node;
  const Node& far = *link.end(1 - index).node;
  rz_connection connection{};
  connection.number = link.end(index).number;
  std::copy(far.key.begin(), far.key.end(), connection.link_key);
  connection.level =
      near.options.proven && far.options.proven ? RZ_LEVEL_PROVEN : RZ_LEVEL_UNPROVEN;
  if (near.options.reorder > 0 || far.options.reorder > 0)
    connection.flags = RZ_CONNECTION_REORDERS;
  return connection;
}

Status Network::check_address(ByteView address) {
  if (address.substr(0, kScheme.size()) == kScheme && address.size() > kScheme.size() &&
      address.size() <= kScheme.size() + 255)
    return {};
  return {Code::kInvalid, "inproc transport: address '" + std::string(address.substr(0, 255)) +
                              "': expected inproc://NAME"};
}

Status Network::opened(const NodePtr& node, const TimeSource& time) {
  Lock lock = scheduler_.lock();
  if (!scheduler_.add(lock, node.get(), time))
    return {Code::kInvalid,
            "inproc transport: network '" + node->options.network +
                "': expected hosts that all have rhizome.host.clock/1 and rhizome.host.timer/1, or "
                "none, found both"};
  ++open_count_;
  return {};
}

void Network::closed(const NodePtr& node) {
  Lock lock = scheduler_.lock();
  scheduler_.remove(lock, node.get());
  if (--open_count_ != 0) return;
  cuts_.clear();
  counts_ = {};
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
    const std::map<std::uint64_t, LinkPtr> links = node->links;
    for (const auto& entry : links) drop(lock, entry.second);
    farewells.swap(node->farewells);
  }
  for (const Farewell& farewell : farewells) {
    for (const std::uint64_t request : farewell.requests)
      node->events.reply(request, Code::kClosed, {}, true);
    if (farewell.announced) node->events.connection(farewell.connection, false);
  }
  scheduler_.leave();
}

Status Network::connect(const NodePtr& node, const LinkKey& peer, ByteView address) {
  RZ_TRY(check_address(address));
  Lock lock = scheduler_.lock();
  if (!node->started) return {Code::kClosed, "inproc transport: not started"};
  if (peer == node->key)
    return {Code::kInvalid, "inproc transport: a node cannot connect to its own link key"};
  if (node->dials.size() >= kMaxDials && node->dials.count(peer) == 0)
    return {Code::kLimit, "inproc transport: a node dials at most " + std::to_string(kMaxDials)};
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
  std::vector<LinkPtr> links;
  for (const auto& entry : node->links)
    if (entry.second->end(1 - end_of(*entry.second, node.get())).node->key == peer)
      links.push_back(entry.second);
  for (const LinkPtr& link : links) drop(lock, link);
}

void Network::end(const NodePtr& node, std::uint64_t connection) {
  Lock lock = scheduler_.lock();
  const auto found = node->links.find(connection);
  if (found != node->links.end()) drop(lock, LinkPtr(found->second));
}

void Network::attempt(Lock& lock, const NodePtr& node, const LinkKey& peer,
                      std::uint64_t generation) {
  const auto dial = node->dials.find(peer);
  if (!node->started || dial == node->dials.end() || dial->second.generation != generation) return;
  dial->second.pending = false;
  if (!try_link(lock, node, peer, generation)) retry(lock, node, peer);
}

namespace {
bool is_linked(const Node& node, const Node& to) {
  return std::any_of(node.links.begin(), node.links.end(), [&](const auto& entry) {
    return entry.second->ends[0].node.get() == &to || entry.second->ends[1].node.get() == &to;
  });
}
}  // namespace

bool Network::try_link(Lock& lock, const NodePtr& node, const LinkKey& peer,
                       std::uint64_t generation) {
  const auto found = nodes_.find(node->dials[peer].address);
  if (found == nodes_.end() || found->second->key != peer) return false;
  const NodePtr target = found->second;
  if (is_linked(*node, *target)) return true;
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
      dial->second.generation != generation)
    return false;
  if (is_linked(*node, *target)) return true;
  dial->second.backoff_ns = kFirstBackoff;
  auto link = std::make_shared<Link>();
  link->ends[0].node = node;
  link->ends[1].node = target;
  for (End& end : link->ends) {
    end.number = end.node->next_connection++;
    end.node->links[end.number] = link;
  }
  announce(lock, link);
  return true;
}

void Network::announce(Lock& lock, const LinkPtr& link) {
  for (int i = 1; i >= 0; --i) {
    if (!link->up) return;
    End& end = link->end(i);
    end.announced = true;
    scheduler_.call_out(lock, end.node.get(),
                        [&] { end.node->events.connection(connection_of(*link, i), true); });
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
  End& end = link->end(index);
  const NodePtr node = end.node;
  Farewell farewell{connection_of(*link, index), {}, end.announced};
  node->links.erase(end.number);
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
  const LinkKey peer = link->end(1 - index).node->key;
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
    if (farewell.announced) node->events.connection(farewell.connection, false);
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
  End& end = link->end(from);
  Node& sender = *end.node;
  if (is_cut(sender, *link->end(1 - from).node)) {
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
      arrive(held, link, from, size, deliver);
    });
  }
}

void Network::arrive(Lock& lock, const LinkPtr& link, int from, std::uint64_t size,
                     const Scheduler::Event& deliver) {
  End& end = link->end(from);
  end.in_flight -= size + kMessageCost;
  if (!link->up) return;
  ++counts_.delivered;
  deliver(lock);
  // Half a window: not once a message while the other side takes one after the other.
  if (end.blocked_bytes != 0 && end.in_flight * 2 <= end.node->options.window_bytes)
    say_writable(lock, link, from, std::exchange(end.blocked_bytes, 0));
}

void Network::release_asked(Lock& lock, const LinkPtr& link, int from) {
  End& end = link->end(from);
  --end.asked;
  if (end.blocked_asked != 0) say_writable(lock, link, from, std::exchange(end.blocked_asked, 0));
}

void Network::say_writable(Lock& lock, const LinkPtr& link, int from, std::uint32_t lanes) {
  scheduler_.at(lock, scheduler_.now_ns(), [this, link, from, lanes](Lock& held) {
    End& end = link->end(from);
    for (std::uint32_t lane = 0; lane < RZ_LANES; ++lane)
      if (link->up && end.node->started && (lanes >> lane & 1U) != 0)
        scheduler_.call_out(held, end.node.get(),
                            [&] { end.node->events.writable(end.number, lane); });
  });
}

}  // namespace rhizome::inproc
