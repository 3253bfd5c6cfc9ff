// What a transport may ask of its network. See transport.hpp.
#include "inproc/transport.hpp"

#include <sodium.h>

#include <algorithm>

namespace rhizome::inproc {
namespace {

using Bytes = std::shared_ptr<const std::string>;

Bytes share(ByteView bytes) { return std::make_shared<const std::string>(bytes); }

bool matches(const std::vector<std::string>& prefixes, ByteView topic) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return topic.substr(0, prefix.size()) == prefix;
  });
}

Status no_connection() { return {Code::kClosed, "inproc transport: no such connection is up"}; }

}  // namespace

bool holds_its_key(const rz_transport_identity& identity) {
  std::uint8_t derived[RZ_LINK_KEY_SIZE];
  return crypto_scalarmult_base(derived, identity.link_secret_key) == 0 &&
         std::equal(derived, derived + sizeof derived, identity.link_public_key);
}

Result<std::unique_ptr<plugin::Transport>> InprocTransport::open(
    plugin::Host host, ByteView config, const rz_transport_identity& identity,
    plugin::TransportEvents events) {
  Result<Options> options = parse_options(config);
  if (!options.ok()) return options.status();
  if (options->proven && !holds_its_key(identity))
    return Status(Code::kInvalid,
                  "inproc transport: link_public_key is not the public key of link_secret_key, "
                  "which config key 'level' (proven) asks for");
  auto made = std::make_unique<InprocTransport>(host, std::move(*options), identity, events);
  RZ_TRY(made->status());
  return std::unique_ptr<plugin::Transport>(std::move(made));
}

InprocTransport::InprocTransport(const plugin::Host& host, Options options,
                                 const rz_transport_identity& identity,
                                 plugin::TransportEvents events)
    : network_(Network::of(options.network)), node_(std::make_shared<Node>()) {
  std::uint64_t seed = options.seed.value_or(1);
  const auto* random = host.service<rz_host_random>(RZ_HOST_RANDOM_ID);
  if (!options.seed && random != nullptr) seed = random->next(random->context);
  // Nodes of one seed draw differently (FNV-1a of the name).
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : options.address)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  node_->random = Random(seed ^ hash);
  node_->options = std::move(options);
  node_->key = plugin::to_link_key(identity.link_public_key);
  node_->events = events;
  status_ = network_.opened(node_, TimeSource(host));
}

InprocTransport::~InprocTransport() {
  if (!status_.ok()) return;
  network_.stop(node_);
  network_.closed(node_);
}

std::vector<std::string> InprocTransport::addresses() {
  const Lock lock = network_.scheduler().lock();
  if (!node_->started) return {};
  return {"inproc://" + node_->options.address};
}

LinkPtr InprocTransport::link_of(Lock&, std::uint64_t connection) const {
  const auto found = node_->links.find(connection);
  return node_->started && found != node_->links.end() ? found->second : nullptr;
}

Status InprocTransport::publish(ByteView topic, ByteView frame) {
  Lock lock = network_.scheduler().lock();
  if (!node_->started) return {Code::kClosed, "inproc transport: not started"};
  Bytes shared_topic, shared_frame;
  bool wanted = false;
  for (const auto& entry : node_->links) {
    const LinkPtr& link = entry.second;
    const int from = my(link);
    if (!matches(link->end(from).granted, topic)) continue;
    wanted = true;
    if (!has_room(link->end(from), topic.size() + frame.size())) {
      network_.count_refused(lock);
      continue;
    }
    if (shared_topic == nullptr) shared_topic = share(topic), shared_frame = share(frame);
    network_.send(lock, link, from, Carriage::kLossy, topic.size() + frame.size(),
                  [&network = network_, link, from, shared_topic, shared_frame](Lock& held) {
                    const End& to = link->end(1 - from);
                    if (!matches(to.wanted, *shared_topic)) return;  // unsubscribed meanwhile
                    network.scheduler().call_out(held, to.node.get(), [&] {
                      to.node->events.published(to.number, *shared_topic, *shared_frame);
                    });
                  });
  }
  if (wanted && shared_topic == nullptr)
    return {Code::kWouldBlock, "inproc transport: every subscriber of this topic is slow"};
  return {};
}

Status InprocTransport::subscribe(std::uint64_t connection, ByteView prefix) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_of(lock, connection);
  if (link == nullptr) return no_connection();
  const int from = my(link);
  std::vector<std::string>& wanted = link->end(from).wanted;
  const std::string text(prefix);
  if (std::find(wanted.begin(), wanted.end(), text) != wanted.end()) return {};
  if (wanted.size() >= kMaxSubscriptions)
    return {Code::kLimit, "inproc transport: " + std::to_string(kMaxSubscriptions) +
                              " subscriptions to one peer is the most"};
  wanted.push_back(text);
  network_.send(lock, link, from, Carriage::kControl, 0,
                [link, from, text](Lock&) { link->end(1 - from).granted.push_back(text); });
  return {};
}

Status InprocTransport::unsubscribe(std::uint64_t connection, ByteView prefix) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_of(lock, connection);
  if (link == nullptr) return {};
  const int from = my(link);
  const std::string text(prefix);
  if (std::erase(link->end(from).wanted, text) == 0) return {};
  network_.send(lock, link, from, Carriage::kControl, 0,
                [link, from, text](Lock&) { std::erase(link->end(1 - from).granted, text); });
  return {};
}

Status InprocTransport::request(std::uint64_t connection, std::uint64_t request, std::uint32_t lane,
                                std::uint64_t timeout_ms, ByteView frame) {
  Lock lock = network_.scheduler().lock();
  const LinkPtr link = link_of(lock, connection);
  if (link == nullptr) return no_connection();
  const int from = my(link);
  End& end = link->end(from);
  const bool many = end.asked >= kMaxAsked;
  if (many || !has_room(end, frame.size())) {
    (many ? end.blocked_asked : end.blocked_bytes) |= 1U << lane;
    return {Code::kWouldBlock, "inproc transport: too much under way to this peer"};
  }
  const std::uint64_t deadline = network_.scheduler().now_ns() + timeout_ms * kMillisecond;
  if (!node_->asked.emplace(request, Asked{link, deadline, 0}).second)
    return {Code::kInvalid,
            "inproc transport: request number " + std::to_string(request) + " is used twice"};
  ++end.asked;
  node_->asked_deadlines.emplace(deadline, request);
  network_.arm_deadlines(lock, node_);
  network_.send(
      lock, link, from, Carriage::kOrdered, frame.size(),
      [this_network = &network_, link, from, request, deadline, bytes = share(frame)](Lock& held) {
        const End& there = link->end(1 - from);
        const NodePtr& to = there.node;
        const std::uint64_t token = to->next_token++;
        to->open.emplace(token, Open{link, deadline, request, 0});
        to->open_deadlines.emplace(deadline, token);
        this_network->arm_deadlines(held, to);
        this_network->scheduler().call_out(
            held, to.get(), [&] { to->events.request(there.number, token, *bytes); });
      });
  return {};
}

namespace {

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
    network.release_asked(lock, asked.link, end_of(*asked.link, asker.get()));
  }
  network.scheduler().call_out(lock, asker.get(),
                               [&] { asker->events.reply(request, Code::kOk, *frame, last); });
}

}  // namespace

Status InprocTransport::reply(std::uint64_t token, std::uint32_t lane, ByteView frame, bool last) {
  Lock lock = network_.scheduler().lock();
  const auto found = node_->open.find(token);
  if (!node_->started || found == node_->open.end())
    return {Code::kClosed, "inproc transport: nobody waits for this reply"};
  const LinkPtr link = found->second.link;
  const int from = my(link);
  if (!has_room(link->end(from), frame.size())) {
    link->end(from).blocked_bytes |= 1U << lane;
    return {Code::kWouldBlock, "inproc transport: the asker reads too slowly"};
  }
  const std::uint64_t request = found->second.request;
  const std::uint32_t index = found->second.next_frame++;
  if (last) {
    node_->open_deadlines.erase({found->second.deadline_ns, token});
    node_->open.erase(found);
  }
  network_.send(
      lock, link, from, Carriage::kOrdered, frame.size(),
      [&network = network_, link, from, request, index, bytes = share(frame), last](Lock& held) {
        deliver_reply(network, held, link->end(1 - from).node, request, index, bytes, last);
      });
  return {};
}

}  // namespace rhizome::inproc
