#!/usr/bin/env python3
"""A cheap model of a big fabric, for sizes that real nodes in one process do not reach.

    fabric_model.py [NODES ...]        default: 100 300 1000 3000 10000

The graph, the delays and the heartbeat are those of tests/simulation/scale.cpp. A delta goes down its
origin's tree: a node's parent is whoever told it first that there is such an origin. A node that could
not subscribe (it may to 64 origins at each peer) hears of the delta at a peer's next heartbeat and
fetches it. Printed: when a delta is at half, at 99% and at all of the nodes, and how many
announced positions a node receives for it. docs/simulation.md sets it beside the real nodes.
"""
import heapq
import random
import sys

DIALS = 3
DELAY = (0.010, 0.050)       # seconds, one way
HEARTBEAT = 1.0
SUBSCRIPTIONS = 64           # of one peer
ORIGINS = 12                 # tried, each a delta


def graph(nodes, draw):
    links = [[] for _ in range(nodes)]
    for i in range(1, nodes):
        for to in {draw.randrange(i) for _ in range(DIALS)}:
            links[i].append(to)
            links[to].append(i)
    return links


def spread(links, draw, pushed_share):
    """(arrival time of each node, announced positions received in all) of one delta."""
    nodes = len(links)
    phase = [draw.random() * HEARTBEAT for _ in range(nodes)]
    pushed = [draw.random() < pushed_share(len(links[i])) for i in range(nodes)]
    origin = draw.randrange(nodes)
    start = draw.random() * HEARTBEAT
    parent = tree(links, draw, origin)
    arrival = [None] * nodes
    queue = [(start, origin)]
    while queue:
        time, node = heapq.heappop(queue)
        if arrival[node] is not None:
            continue
        arrival[node] = time
        tick = time + (phase[node] - time) % HEARTBEAT
        for other in links[node]:
            if arrival[other] is not None:
                continue
            # A node always subscribes to its direct peers' own topics.
            if parent[other] == node and (pushed[other] or node == origin):
                heapq.heappush(queue, (time + draw.uniform(*DELAY), other))
            else:
                heapq.heappush(queue, (tick + sum(draw.uniform(*DELAY) for _ in range(3)), other))
    return [time - start for time in arrival], announces(links, draw, phase, arrival)


def tree(links, draw, origin):
    """Each node's parent: an origin's first numbers are announced at once and fetched, hop by hop."""
    parent = [None] * len(links)
    queue = [(0.0, origin, origin)]
    while queue:
        time, node, told_by = heapq.heappop(queue)
        if parent[node] is not None:
            continue
        parent[node] = told_by
        for other in links[node]:
            if parent[other] is None:
                heapq.heappush(queue, (time + sum(draw.uniform(*DELAY) for _ in range(3)), other, node))
    return parent


def announces(links, draw, phase, arrival):
    """Each link carries a position both ways, but not back to who announced it in time."""
    received = 0
    ticks = [time + (phase[i] - time) % HEARTBEAT for i, time in enumerate(arrival)]
    for node, others in enumerate(links):
        for other in others:
            heard = ticks[other] + draw.uniform(*DELAY)
            received += 0 if heard < ticks[node] else 1
    return received


def main():
    sizes = [int(word) for word in sys.argv[1:]] or [100, 300, 1000, 3000, 10000]
    for nodes in sizes:
        draw = random.Random(nodes)
        links = graph(nodes, draw)
        # Of as many origins as there are nodes.
        every = [spread(links, draw, lambda degree: min(1.0, SUBSCRIPTIONS * degree / nodes))
                 for _ in range(ORIGINS)]
        whole = [spread(links, draw, lambda degree: 1.0) for _ in range(ORIGINS)]
        print(f'{nodes:6} nodes: subscribed everywhere: {times(whole)}; within the bound of '
              f'{SUBSCRIPTIONS} a peer: {times(every)}; '
              f'{sum(count for _, count in every) / ORIGINS / nodes:.1f} announced positions a node '
              'and delta')


def times(runs):
    halves, most, all_ = [], [], []
    for arrival, _ in runs:
        arrival = sorted(arrival)
        halves.append(arrival[len(arrival) // 2])
        most.append(arrival[len(arrival) * 99 // 100])
        all_.append(arrival[-1])

    def mean(values):
        return sum(values) / len(values)
    return f'half {mean(halves):.2f} s, 99% {mean(most):.2f} s, all {mean(all_):.2f} s'


if __name__ == '__main__':
    main()
