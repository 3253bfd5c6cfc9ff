// Deadlines, and what a test may do to a network: cuts, loss, counts. See network.hpp.
#include <algorithm>

#include "inproc/network.hpp"

namespace rhizome::inproc {

void Network::arm_deadlines(Lock& lock, const NodePtr& node) {
  std::uint64_t next = UINT64_MAX;
  // A node that has stopped is answered nothing: its deadlines would be due again and again.
  if (node->started && !node->asked_deadlines.empty()) next = node->asked_deadlines.begin()->first;
  if (!node->open_deadlines.empty()) next = std::min(next, node->open_deadlines.begin()->first);
  if (next >= node->armed_ns) return;
  node->armed_ns = next;
  scheduler_.at(lock, next, [this, node](Lock& held) { check_deadlines(held, node); });
}

void Network::check_deadlines(Lock& lock, const NodePtr& node) {
  const std::uint64_t now = scheduler_.now_ns();
  if (now >= node->armed_ns) node->armed_ns = UINT64_MAX;
  while (!node->open_deadlines.empty() && node->open_deadlines.begin()->first <= now) {
    node->open.erase(node->open_deadlines.begin()->second);
    node->open_deadlines.erase(node->open_deadlines.begin());
  }
  while (node->started && !node->asked_deadlines.empty() &&
         node->asked_deadlines.begin()->first <= now) {
    const std::uint64_t request = node->asked_deadlines.begin()->second;
    node->asked_deadlines.erase(node->asked_deadlines.begin());
    const Asked asked = node->asked[request];
    node->asked.erase(request);
    release_asked(lock, asked.link, end_of(*asked.link, node.get()));
    scheduler_.call_out(lock, node.get(),
                        [&] { node->events.reply(request, Code::kDeadline, {}, true); });
  }
  arm_deadlines(lock, node);
}

bool Network::is_cut(const Node& from, const Node& to) const {
  return !cuts_.empty() && cuts_.count({from.options.address, to.options.address}) != 0;
}

void Network::cut(const std::string& from, const std::string& to) {
  Lock lock = scheduler_.lock();
  cuts_.emplace(from, to);
  const auto found = nodes_.find(from);
  if (found == nodes_.end()) return;
  for (const auto& entry : found->second->links) {
    const LinkPtr& link = entry.second;
    Node& near = *link->ends[0].node;
    Node& far = *link->ends[1].node;
    if (near.options.address != to && far.options.address != to) continue;
    const std::uint64_t detect = std::min(near.options.detect_ms, far.options.detect_ms);
    scheduler_.at(lock, scheduler_.now_ns() + detect * kMillisecond, [this, link](Lock& held) {
      const Node& one = *link->ends[0].node;
      const Node& other = *link->ends[1].node;
      if (link->damaged || is_cut(one, other) || is_cut(other, one)) drop(held, link);
    });
  }
}

void Network::heal(const std::string& from, const std::string& to) {
  const Lock lock = scheduler_.lock();
  cuts_.erase({from, to});
}

void Network::heal_all() {
  const Lock lock = scheduler_.lock();
  cuts_.clear();
}

Status Network::set_loss(const std::string& address, double loss) {
  const Lock lock = scheduler_.lock();
  const auto found = nodes_.find(address);
  if (found == nodes_.end())
    return {Code::kNotFound, "no started transport has the address '" + address + "'"};
  found->second->options.loss = loss;
  return {};
}

rz_inproc_counts Network::counts() {
  const Lock lock = scheduler_.lock();
  return counts_;
}

}  // namespace rhizome::inproc
