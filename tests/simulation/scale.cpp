// scale: what a node of a big fabric costs, measured on real nodes under virtual time: traffic by
// kind of frame, time to reach everybody, memory. The figures of docs/simulation.md. One thread.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

#include "simulation/network.hpp"
#include "wire/messages.hpp"

namespace {

using namespace rhizome;
using simulation::Network;
using simulation::Traffic;

constexpr std::uint64_t kMillisecond = 1'000'000, kSecond = 1000 * kMillisecond;
constexpr std::size_t kDials = 3;  // each node dials three before it: six links a node
constexpr std::size_t kSteadySeconds = 10;

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Traffic sum(Network& network) {
  Traffic total;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const Traffic& one = network.node(i).traffic();
    total.frames += one.frames;
    total.bytes += one.bytes;
    for (std::size_t k = 0; k < one.bytes_of_kind.size(); ++k) {
      total.bytes_of_kind[k] += one.bytes_of_kind[k];
      total.frames_of_kind[k] += one.frames_of_kind[k];
    }
  }
  return total;
}

std::uint64_t of(const Traffic& traffic, wire::Kind kind) {
  return traffic.bytes_of_kind[static_cast<std::size_t>(kind)];
}

// What one thing weighs on the wire.
void print_sizes() {
  std::array<std::uint8_t, 32> seed{};
  const SigningKey key = SigningKey::from_seed(seed);
  const auto weigh = [](wire::Kind kind, const std::string& body) {
    wire::Frame frame;
    frame.kind = kind;
    frame.body = body;
    return wire::encode_frame(frame).size();
  };
  std::vector<wire::Position> positions(101, {key.public_key(), 1767225600, 1000, {}});
  const std::size_t many = wire::encode_announce(positions).size();
  positions.resize(1);
  const std::size_t one = wire::encode_announce(positions).size();
  std::printf("sizes: a position %zu bytes; a frame of nothing %zu; an announce of one %zu\n",
              (many - one) / 100, weigh(wire::Kind::kAck, {}),
              weigh(wire::Kind::kAnnounce, wire::encode_announce(positions)));
}

// Time until every node holds as many deltas as the first; in steps of 10 ms.
double until_equal(Network& network, std::uint64_t deltas) {
  const std::uint64_t begin = network.executor().monotonic_ns();
  for (std::size_t i = 0; i < network.size();) {
    if (network.node(i).deltas() >= deltas) {
      ++i;
      continue;
    }
    network.run_for(10 * kMillisecond);
    if (network.executor().monotonic_ns() - begin > 600 * kSecond)
      throw std::runtime_error("no convergence within 600 s");
  }
  return static_cast<double>(network.executor().monotonic_ns() - begin) /
         static_cast<double>(kSecond);
}

double per(std::uint64_t bytes, std::size_t of_what) {
  return static_cast<double>(bytes) / static_cast<double>(of_what);
}

void build(Network& network, std::size_t nodes) {
  std::mt19937_64 draw(nodes);
  network.faults(0, 0, 10, 50);
  for (std::size_t i = 0; i < nodes; ++i) {
    std::vector<std::size_t> dials;
    for (std::size_t k = 0; k < kDials && i != 0; ++k) {
      const std::size_t to = draw() % i;
      if (std::find(dials.begin(), dials.end(), to) == dials.end()) dials.push_back(to);
    }
    simulation::Node& node = network.node(network.add(dials, /*runs=*/false));
    node.count_traffic(true);
    node.start();
    network.run_for(draw() % 50 * kMillisecond);  // or all hearts would beat at once
  }
}

// One fabric: idle, then everybody writes once, then `writers` write once a second.
void measure(std::size_t nodes, std::size_t writers) {
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t heap = heap_bytes();
  Network network(nodes);
  build(network, nodes);
  network.run_for(10 * kSecond);
  const std::size_t empty = (heap_bytes() - heap) / nodes;
  Traffic before = sum(network);
  network.run_for(10 * kSecond);
  const double idle = per(sum(network).bytes - before.bytes, nodes * 10);
  for (std::size_t i = 0; i < nodes; ++i) network.node(i).write("first");
  const double all = until_equal(network, nodes);
  network.run_for(20 * kSecond);  // sources settle
  const std::size_t full = (heap_bytes() - heap) / nodes;
  network.node(0).write("alone");
  const double alone = until_equal(network, nodes + 1);
  before = sum(network);
  for (std::size_t second = 0; second < kSteadySeconds; ++second) {
    for (std::size_t w = 0; w < writers; ++w)
      network.node((w * 7 + second) % nodes).write("steady " + std::to_string(second));
    network.run_for(kSecond);
  }
  const double tail = until_equal(network, nodes + 1 + writers * kSteadySeconds);
  const Traffic after = sum(network);
  const std::size_t deltas = nodes * writers * kSteadySeconds;  // received, over all nodes
  const auto each = [&](wire::Kind kind) {
    return per(of(after, kind) - of(before, kind), deltas);
  };
  const std::size_t grown = (heap_bytes() - heap) / nodes - full;
  const std::size_t a_delta = grown / (writers * kSteadySeconds + 1);
  const std::size_t an_origin = (full - empty) / nodes - a_delta;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf(
      "%5zu nodes: idle %.0f B/s a node; all write once: everywhere after %.2f s; one writes: %.2f "
      "s; a delta costs each node %.0f B (propagate %.0f, announce %.0f, fetched %.0f); last one "
      "after %.2f s; memory a node: %zu KiB, %zu B an origin, %zu B a delta in the memory store; "
      "%.1f "
      "s of one core\n",
      nodes, idle, all, alone, per(after.bytes - before.bytes, deltas),
      each(wire::Kind::kPropagate), each(wire::Kind::kAnnounce), each(wire::Kind::kFetchReply),
      tail, empty / 1024, an_origin, a_delta, took.count());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  try {
    print_sizes();
    for (int i = 1; i < count; ++i) {
      const std::size_t nodes = std::stoul(words[i]);
      measure(nodes, std::min<std::size_t>(nodes, 20));
    }
    if (count == 1) std::printf("scale NODES...: measures a fabric of each of these sizes\n");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale: %s\n", error.what());
    return 1;
  }
}
