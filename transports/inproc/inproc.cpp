// rhizome.inproc: the transport of tests and simulations. Any thread calls it; the host is called
// from the network's scheduler, one call at a time.
#include <algorithm>

#include "inproc/network.hpp"
#include "rhizome/transport.hpp"

namespace rhizome::inproc {
namespace {

using Bytes = std::shared_ptr<const std::string>;

Bytes share(ByteView bytes) { return std::make_shared<const std::string>(bytes); }

bool matches(const std::vector<std::string>& prefixes, ByteView topic) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return topic.substr(0, prefix.size()) == prefix;
  });
}

Status no_peer() { return {Code::kClosed, "inproc transport: no connection to this peer"}; }

class InprocTransport final : public plugin::Transport {
 public:
  static Result<std::unique_ptr<plugin::Transport>> open(ByteView config,
                                                         const rz_transport_identity& identity,
                                                         plugin::TransportEvents events) {
    Result<Options> options = parse_options(config);
    if (!options.ok()) return options.status();
    return std::unique_ptr<plugin::Transport>(
        std::make_unique<InprocTransport>(std::move(*options), identity, events));
  }
  InprocTransport(Options options, const rz_transport_identity& identity,
                  plugin::TransportEvents events)
      : network_(Network::of(options.network)), node_(std::make_shared<Node>()) {
    std::uint64_t seed = options.seed.value_or(1);
    const auto* random = plugin::host().service<rz_host_random>(RZ_HOST_RANDOM_ID);
    if (!options.seed && random != nullptr) seed = random->next(random->context);
    // Nodes of one seed draw differently (FNV-1a of the name).
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : options.address)
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    node_->random = Random(seed ^ hash);
    node_->options = std::move(options);
    node_->key = plugin::to_link_key(identity.link_public_key);
    node_->events = events;
    network_.opened();
  }
  ~InprocTransport() override {
    network_.stop(node_);
    network_.closed();
  }

  Status start() override { return network_.start(node_); }
  void stop() override { network_.stop(node_); }
  std::vector<std::string> addresses() override { return {"inproc://" + node_->options.address}; }
  Status connect(const LinkKey& peer, ByteView address) override {
    return network_.connect(node_, peer, address);
  }
  Status disconnect(const LinkKey& peer) override {
    network_.disconnect(node_, peer);
    return {};
  }
  Status publish(ByteView topic, ByteView frame) override;
  Status subscribe(const LinkKey& peer, ByteView prefix) override;
  Status unsubscribe(const LinkKey& peer, ByteView prefix) override;
  Status request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                 std::uint64_t deadline_ms) override;
  Status reply(std::uint64_t token, ByteView frame, bool last) override;
  Status push(ByteView frame) override;
  Status pull(const LinkKey& peer) override;

 private:
  // The link to this peer, or null.
  LinkPtr link_to(Lock&, const LinkKey& peer) const {
    const auto found = node_->links.find(peer);
    return node_->started && found != node_->links.end() ? found->second : nullptr;
  }
  static End& at(const LinkPtr& link, int index) {
    return link->ends[static_cast<std::size_t>(index)];
  }
  int my(const LinkPtr& link) const { return end_of(*link, node_.get()); }
  bool has_room(const End& end, std::size_t size) const {
    return end.in_flight == 0 || end.in_flight + size + kMessageCost <= node_->options.window_bytes;
  }

  Network& network_;
  const NodePtr node_;
};

Status InprocTransport::publish(ByteView topic, ByteView frame) {
  Lock lock = network_.scheduler().lock();
  if (!node_->started) return no_peer();
  Bytes shared_topic, shared_frame;
  for (const auto& entry : node_->links) {
    const LinkPtr& link = entry.second;
    const int from = my(link);
    if (!matches(at(link, from).granted, topic)) continue;
    if (!has_room(at(link, from), topic.size() + frame.size())) {
      network_.count_refused(lock);
      continue;
    }
    if (shared_topic == nullptr) shared_topic = share(topic), shared_frame = share(frame);
    network_.send(lock, link, from, Carriage::kLossy, topic.size() + frame.size(),
                  [&network = network_, link, from, shared_topic, shared_frame](Lock& held) {
                    const End& to = at(link, 1 - from);
                    if (!matches(to.wanted, *shared_topic)) return;  // unsubscribed meanwhile
                    network.scheduler().call_out(held, to.node.get(), [&] {
                      to.node->events.published(at(link, from).node->key, *shared_topic,
                                                *shared_frame);
                    });
                  });
  }
  return {};
}

Status InprocTransport::subscribe(const LinkKey& peer, ByteView prefix) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_to(lock, peer);
  if (link == nullptr) return no_peer();
  const int from = my(link);
  std::vector<std::string>& wanted = at(link, from).wanted;
  const std::string text(prefix);
  if (std::find(wanted.begin(), wanted.end(), text) != wanted.end()) return {};
  if (wanted.size() >= kMaxSubscriptions)
    return {Code::kLimit, "inproc transport: " + std::to_string(kMaxSubscriptions) +
                              " subscriptions to one peer is the most"};
  wanted.push_back(text);
  network_.send(lock, link, from, Carriage::kControl, 0,
                [link, from, text](Lock&) { at(link, 1 - from).granted.push_back(text); });
  return {};
}

Status InprocTransport::unsubscribe(const LinkKey& peer, ByteView prefix) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_to(lock, peer);
  if (link == nullptr) return no_peer();
  const int from = my(link);
  const std::string text(prefix);
  if (std::erase(at(link, from).wanted, text) == 0)
    return {Code::kNotFound, "inproc transport: no subscription to this prefix"};
  network_.send(lock, link, from, Carriage::kControl, 0,
                [link, from, text](Lock&) { std::erase(at(link, 1 - from).granted, text); });
  return {};
}

Status InprocTransport::request(const LinkKey& peer, std::uint64_t request, ByteView frame,
                                std::uint64_t deadline_ms) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_to(lock, peer);
  if (link == nullptr) return no_peer();
  const int from = my(link);
  End& end = at(link, from);
  if (end.asked >= kMaxAsked || !has_room(end, frame.size()))
    return {Code::kWouldBlock, "inproc transport: too much under way to this peer"};
  const std::uint64_t deadline = network_.scheduler().now_ns() +
                                 std::min<std::uint64_t>(deadline_ms, 86'400'000) * kMillisecond;
  if (!node_->asked.emplace(request, Asked{link, deadline, 0}).second)
    return {Code::kInvalid, "inproc transport: request number used twice"};
  ++end.asked;
  node_->asked_deadlines.emplace(deadline, request);
  network_.arm_deadlines(lock, node_);
  network_.send(
      lock, link, from, Carriage::kOrdered, frame.size(),
      [this_network = &network_, link, from, request, deadline, bytes = share(frame)](Lock& held) {
        const NodePtr& to = at(link, 1 - from).node;
        const std::uint64_t token = to->next_token++;
        to->open.emplace(token, Open{link, deadline, request, 0});
        to->open_deadlines.emplace(deadline, token);
        this_network->arm_deadlines(held, to);
        this_network->scheduler().call_out(
            held, to.get(), [&] { to->events.request(at(link, from).node->key, token, *bytes); });
      });
  return {};
}

// A reply frame arrives at its asker. After a lost frame the rest is worthless: the index no longer
// fits and the request ends at its deadline.
void deliver_reply(Network& network, Lock& lock, const NodePtr& asker, std::uint64_t request,
                   std::uint32_t index, const Bytes& frame, bool last) {
  const auto found = asker->asked.find(request);
  if (found == asker->asked.end() || found->second.next_frame != index) return;
  ++found->second.next_frame;
  if (last) {
    const Asked asked = found->second;
    asker->asked_deadlines.erase({asked.deadline_ns, request});
    asker->asked.erase(found);
    --asked.link->ends[static_cast<std::size_t>(end_of(*asked.link, asker.get()))].asked;
  }
  network.scheduler().call_out(lock, asker.get(),
                               [&] { asker->events.reply(request, Code::kOk, *frame, last); });
}

Status InprocTransport::reply(std::uint64_t token, ByteView frame, bool last) {
  Lock lock = network_.scheduler().lock();
  const auto found = node_->open.find(token);
  if (!node_->started || found == node_->open.end())
    return {Code::kClosed, "inproc transport: nobody waits for this reply"};
  const LinkPtr link = found->second.link;
  const int from = my(link);
  if (!has_room(at(link, from), frame.size()))
    return {Code::kWouldBlock, "inproc transport: the asker reads too slowly"};
  const std::uint64_t request = found->second.request;
  const std::uint32_t index = found->second.next_frame++;
  if (last) {
    node_->open_deadlines.erase({found->second.deadline_ns, token});
    node_->open.erase(found);
  }
  network_.send(
      lock, link, from, Carriage::kOrdered, frame.size(),
      [&network = network_, link, from, request, index, bytes = share(frame), last](Lock& held) {
        deliver_reply(network, held, at(link, 1 - from).node, request, index, bytes, last);
      });
  return {};
}

Status InprocTransport::push(ByteView frame) {
  Lock lock = network_.scheduler().lock();
  if (!node_->started) return no_peer();
  std::vector<LinkPtr> ready;
  for (const auto& entry : node_->links) {
    const End& end = at(entry.second, my(entry.second));
    if (end.pulled && end.work < kMaxWork && has_room(end, frame.size()))
      ready.push_back(entry.second);
  }
  if (ready.empty()) return {Code::kWouldBlock, "inproc transport: no puller has room"};
  const LinkPtr link = ready[node_->turn++ % ready.size()];
  const int from = my(link);
  // A lost frame gives its room back at once: nobody will ever finish it.
  auto release = std::shared_ptr<void>(nullptr, [link, from](void*) { --at(link, from).work; });
  ++at(link, from).work;
  network_.send(lock, link, from, Carriage::kOrdered, frame.size(),
                [&network = network_, link, from, bytes = share(frame), release](Lock& held) {
                  const NodePtr& to = at(link, 1 - from).node;
                  network.scheduler().call_out(
                      held, to.get(), [&] { to->events.work(at(link, from).node->key, *bytes); });
                });
  return {};
}

Status InprocTransport::pull(const LinkKey& peer) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_to(lock, peer);
  if (link == nullptr) return no_peer();
  const int from = my(link);
  network_.send(lock, link, from, Carriage::kControl, 0,
                [link, from](Lock&) { at(link, 1 - from).pulled = true; });
  return {};
}

Network& named(rz_bytes name) { return Network::of(std::string(view(name))); }

constexpr rz_inproc_control kControl = {
    [](rz_bytes network, rz_bytes from, rz_bytes to) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).cut(std::string(view(from)), std::string(view(to)));
        return RZ_OK;
      });
    },
    [](rz_bytes network, rz_bytes from, rz_bytes to) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).heal(std::string(view(from)), std::string(view(to)));
        return RZ_OK;
      });
    },
    [](rz_bytes network) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).heal_all();
        return RZ_OK;
      });
    },
    [](rz_bytes network, rz_bytes address, double loss) {
      return plugin::guard(
          nullptr, [&] { return named(network).set_loss(std::string(view(address)), loss); });
    },
    [](rz_bytes network, rz_inproc_counts* counts) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        *counts = named(network).counts();
        return RZ_OK;
      });
    }};

}  // namespace
}  // namespace rhizome::inproc

RHIZOME_PLUGIN({RZ_TRANSPORT_ID,
                rhizome::plugin::transport_table<rhizome::inproc::InprocTransport>()},
               {RZ_INPROC_CONTROL_ID, &rhizome::inproc::kControl})
