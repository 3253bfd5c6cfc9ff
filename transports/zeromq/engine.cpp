// The owner thread's loop: commands, sockets, time. See engine.hpp.
#include "zeromq/engine.hpp"

#include <zmq.h>

#include <algorithm>

namespace rhizome::zeromq {
namespace {

constexpr int kMessagesPerTurn = 256;        // of one socket, before the others have a turn
constexpr std::uint64_t kBusyTick = 20;      // milliseconds, while a connection is being made
constexpr std::uint64_t kQuietTick = 100;    // milliseconds
constexpr std::uint64_t kHalfOpenMs = 4000;  // a connection is made in this time or given up
constexpr std::uint64_t kProbeDelayMs = 10;  // libzmq tells us before its ROUTER knows

Options within_descriptors(Options options) {
  options.max_peers = descriptor_budget(options.max_peers).links;
  return options;
}

}  // namespace

Engine::Engine(const plugin::Host& host, const Options& options,
               const rz_transport_identity& identity, plugin::TransportEvents events,
               Ledger& ledger)
    : host_(host),
      options_(within_descriptors(options)),
      identity_(identity),
      events_(events),
      ledger_(ledger),
      gate_(descriptor_budget(options.max_peers).unproven) {}

Status Engine::bind() {
  RZ_TRY(make_context(&context_));
  RZ_TRY(make_zap(*context_, &zap_));
  if (options_.listen.empty()) return {};
  const auto backlog =
      static_cast<int>(std::min<std::size_t>(descriptor_budget(options_.max_peers).unproven, 256));
  RZ_TRY(make_listener(*context_, identity_, options_.listen, backlog, &router_, &router_monitor_));
  char endpoint[512] = {};
  std::size_t size = sizeof endpoint;
  if (zmq_getsockopt(router_.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size) == 0)
    endpoint_ = endpoint;
  // A listener that also takes IPv6 spells an IPv4 address as a mapped one; people should see
  // theirs.
  constexpr std::string_view kMapped = "tcp://[::ffff:";
  if (const std::size_t close = endpoint_.find("]:");
      endpoint_.rfind(kMapped, 0) == 0 && close != std::string::npos)
    endpoint_ = "tcp://" + endpoint_.substr(kMapped.size(), close - kMapped.size()) +
                endpoint_.substr(close + 1);
  return {};
}

void Engine::run(const std::atomic<bool>& stopping) {
  last_tick_ = Ledger::now_ms();
  while (!stopping.load(std::memory_order_acquire)) {
    ledger_.take(&commands_, &writables_);
    for (Command& command : commands_) obey(&command);
    say_writable();
    const std::uint64_t now = Ledger::now_ms();
    poll(commands_.empty() ? timeout(now) : 0);
    end_overdue(Ledger::now_ms());
    if (Ledger::now_ms() >= next_tick_) tick(Ledger::now_ms());
  }
  close_all();
}

int Engine::timeout(std::uint64_t now) const {
  const std::uint64_t next = std::min(next_tick_, ledger_.next_deadline());
  return next <= now ? 0 : static_cast<int>(std::min<std::uint64_t>(next - now, kQuietTick));
}

void Engine::poll(int timeout_ms) {
  if (items_stale_) {
    items_stale_ = false;
    items_.assign(
        {{nullptr, ledger_.wake_descriptor(), ZMQ_POLLIN, 0}, {zap_.handle(), 0, ZMQ_POLLIN, 0}});
    if (router_) items_.push_back({router_.handle(), 0, ZMQ_POLLIN, 0});
    if (router_) items_.push_back({router_monitor_.handle(), 0, ZMQ_POLLIN, 0});
    fixed_items_ = items_.size();
    item_dials_.clear();
    for (auto& entry : dials_)
      for (const Lane lane : {Lane::kControl, Lane::kBulk}) {
        zmq::socket_t& socket = entry.second.sockets[static_cast<std::size_t>(lane)];
        if (!socket) continue;
        items_.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
        item_dials_.emplace_back(entry.first, lane);
      }
  }
  if (zmq_poll(items_.data(), static_cast<int>(items_.size()), timeout_ms) <= 0) return;
  if (items_[1].revents != 0) {
    const auto authorize = [this](const LinkKey& key) {
      return links_.size() < options_.max_peers && events_.authorize(key);
    };
    for (int i = 0; i < 16 && answer_zap(zap_, authorize); ++i) {
    }
  }
  if (router_ && items_[2].revents != 0) read_router();
  if (router_ && items_[3].revents != 0) watch_listener(Ledger::now_ms());
  for (std::size_t i = fixed_items_; i < items_.size(); ++i)
    if (items_[i].revents != 0) {
      const auto [peer, lane] = item_dials_[i - fixed_items_];
      read_dial(peer, lane);
    }
}

void Engine::obey(Command* command) {
  switch (command->kind) {
    case Command::Kind::kSend:
      for (std::size_t i = 0; i < command->links.size(); ++i) {
        Link* link = find(command->links[i]);
        if (link == nullptr) continue;
        zmq::message_t message;  // shares the bytes with the others
        if (i + 1 == command->links.size()) {
          message = std::move(command->message);
        } else {
          message.copy(command->message);
        }
        if (!send(link, command->lane, &message)) drop(command->links[i], false);
      }
      return;
    case Command::Kind::kConnect: {
      Dial& dial = dials_[command->peer];
      if (dial.address == command->address) return;
      if (dial.link != 0) drop(dial.link, true);
      dial.address = command->address;
      dial.backoff = 0;
      dial.next_attempt = next_tick_ = 0;
      return;
    }
    case Command::Kind::kDisconnect:
      forget_peer(command->peer);
      return;
    case Command::Kind::kEnd:
      drop(command->links.front(), true);
      return;
  }
}

void Engine::say_writable() {
  for (const Writable& writable : writables_)
    for (std::uint32_t lane = 0; lane < RZ_LANES; ++lane)
      if ((writable.lanes >> lane & 1U) != 0 && find(writable.link) != nullptr)
        events_.writable(writable.link, lane);
}

// Also on each tick: links that came up make room for connections that wait.
void Engine::watch_listener(std::uint64_t now) {
  if (gate_.look(router_monitor_)) probe_at_ = now + kProbeDelayMs;
  if (gate_.adjust(routes_.size()))
    complain("more connections for now: too many have proved no key");
}

void Engine::read_router() {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    zmq::message_t routing_id, body;
    if (zmq_msg_recv(routing_id.handle(), router_.handle(), ZMQ_DONTWAIT) < 0) return;
    if (zmq_msg_recv(body.handle(), router_.handle(), ZMQ_DONTWAIT) < 0) return;
    const bool several = body.more();
    for (bool more = several; more;) {
      zmq::message_t rest;
      more = zmq_msg_recv(rest.handle(), router_.handle(), ZMQ_DONTWAIT) >= 0 && rest.more();
    }
    const std::string from = routing_id.to_string();
    LinkKey key{};
    Message message;
    if (!key_of(body, &key)) {
      complain("a message without a proven key");
      continue;
    }
    auto route = routes_.find(from);
    if (route != routes_.end() && find(route->second.first)->peer != key) {
      // Somebody took a routing id that another peer had. The key is who it is; the id is nothing.
      drop(route->second.first, false);
      route = routes_.end();
    }
    if (several || !decode(body.to_string_view(), &message)) {
      complain("a malformed message");
      if (route != routes_.end()) drop(route->second.first, true);
    } else if (message.kind == Kind::kHello) {
      hello(from, key, address_of(body), message);
    } else if (route != routes_.end()) {
      const auto [link, lane] = route->second;
      receive(link, lane, &body);
    } else if (message.kind != Kind::kBye && message.kind != Kind::kReset) {
      Message reset;
      reset.kind = Kind::kReset;
      zmq::message_t answer = make_message(reset);
      if (zmq_msg_send(routing_id.handle(), router_.handle(), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        (void)zmq_msg_send(answer.handle(), router_.handle(), ZMQ_DONTWAIT);
    }
  }
}

void Engine::read_dial(const LinkKey& peer, Lane lane) {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    // Looked up anew each time: what a message does may close the socket that it came from.
    const auto found = dials_.find(peer);
    if (found == dials_.end() || found->second.link == 0) return;
    zmq::socket_t& socket = found->second.sockets[static_cast<std::size_t>(lane)];
    zmq::message_t body;
    if (!socket || zmq_msg_recv(body.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return;
    const LinkId link = found->second.link;
    if (body.more()) {
      complain("a message of several frames");
      drop(link, true);
      return;
    }
    receive(link, lane, &body);
  }
}

void Engine::end_overdue(std::uint64_t now) {
  if (ledger_.next_deadline() > now) return;
  for (const Ledger::Expired& request : ledger_.expired(now)) {
    Message message;
    message.kind = Kind::kCancel;
    message.number = request.number;
    events_.reply(request.number, Code::kDeadline, {}, true);
    Link* link = find(request.link);
    if (link == nullptr) continue;
    forget_early(link, request.number);
    if (!send(link, request.lane, message)) drop(request.link, false);
  }
}

void Engine::tick(std::uint64_t now) {
  // After a long stall of ours (a slow callback) it is we who did not listen.
  const std::uint64_t gap = now - last_tick_;
  if (gap > options_.heartbeat_ms)
    for (auto& entry : links_)
      for (LaneState& lane : entry.second->lanes) lane.heard += gap;
  last_tick_ = now;
  if (router_) watch_listener(now);
  tick_links(now);
  bool busy = probe_at_ != 0;
  for (auto& entry : dials_) {
    Dial& dial = entry.second;
    if (up_.contains(entry.first)) continue;
    if (dial.link == 0 && dial.next_attempt <= now) attempt(entry.first, &dial);
    busy = true;
  }
  next_tick_ = now + (busy ? kBusyTick : std::min(kQuietTick, options_.heartbeat_ms / 2));
}

void Engine::tick_links(std::uint64_t now) {
  const bool probe = probe_at_ != 0 && now >= probe_at_;
  if (probe) probe_at_ = 0;
  std::vector<LinkId> gone;
  for (auto& entry : links_) {
    Link& link = *entry.second;
    bool lost = !link.up && link.since + kHalfOpenMs < now;
    if (link.dialled) {
      Dial& dial = dials_[link.peer];
      for (zmq::socket_t& monitor : dial.monitors) lost = saw_an_end(monitor) || lost;
    }
    for (const Lane which : {Lane::kControl, Lane::kBulk}) {
      LaneState& lane = link.lane(which);
      if (!link.up || lost) continue;
      lost = lane.heard + options_.silence_ms < now;
      if (lost || !(lane.said + options_.heartbeat_ms <= now || (probe && !link.dialled))) continue;
      lost = !send(&link, which, Message());
    }
    if (lost) gone.push_back(link.id);
  }
  for (const LinkId link : gone) drop(link, false);
}

void Engine::close_all() {
  std::vector<LinkId> all;
  for (const auto& entry : links_) all.push_back(entry.first);
  std::sort(all.begin(), all.end());
  for (const LinkId link : all) drop(link, true);
  dials_.clear();
  if (router_) {
    end_monitor(router_, &router_monitor_);
    (void)zmq_setsockopt(router_.handle(), ZMQ_LINGER, &kLingerMs, sizeof kLingerMs);
    router_.close();
  }
  zap_.close();
  context_.reset();
}

}  // namespace rhizome::zeromq
