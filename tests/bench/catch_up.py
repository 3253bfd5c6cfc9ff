#!/usr/bin/env python3
"""Catching up between node processes over ZeroMQ with CURVE: times, bytes on the wire, from how many peers.

    catch_up.py RHIZOME [--quick] [--json FILE]

Three parts: a new node gets everything over loopback; two nodes with 195,000 deltas in common lack 5,000 of
each other, on loopback and at a round trip of 50 ms; a new node gets everything from one peer and from four,
each behind a link of 1 MB/s and 50 ms (tests/proxy), so that the links and not the cores are the limit.
Times run from when the node that was away says it is ready to when both have one digest: dialling, greeting,
fetching, checking and storing.
"""
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'system'), os.path.join(HERE, '..', 'proxy')]

import fixture  # noqa: E402
from control import Control  # noqa: E402
from proxy import Proxy  # noqa: E402

LINK_BYTES_PER_S = 1_000_000


class Bench:
    def __init__(self, root):
        self.root, self.nodes, self.proxies, self.controls = root, [], [], {}

    def node(self, name):
        made = fixture.Node(self.root, name)
        self.nodes.append(made)
        return made

    def start(self, node):
        node.start()
        self.controls[node.name] = Control(node.directory)
        return self.controls[node.name]

    def stop(self, node):
        self.controls.pop(node.name).close()
        node.stop()

    def write(self, node, first, count):
        """Imported, as a user would: signed manifests over 2,048 deltas each."""
        path = os.path.join(self.root, 'claims.jsonl')
        with open(path, 'w', encoding='ascii') as file:
            for i in range(first, first + count):
                file.write(f'{{"timestamp":{1700000000000 + i},"pointers":[{{"role":"item","target":{{"id":'
                           f'"item:{i // 4}","context":"p{i % 4}"}}}},{{"role":"value","target":"value number {i}"}}]}}\n')
        node.json('import', path)
        os.remove(path)

    def equal(self, *nodes, seconds=300):
        """Seconds until all have one digest."""
        began = time.monotonic()
        while len({self.controls[node.name].digest() for node in nodes}) != 1:
            if time.monotonic() - began > seconds:
                sys.exit('not equal within the time: ' + str([self.controls[n.name].status() for n in nodes]))
            time.sleep(0.005)
        return time.monotonic() - began

    def payload(self, node):
        """Bytes of all claims that a node holds (their signatures are one a manifest of 2,048)."""
        return self.controls[node.name].status()['claims_bytes']

    def through(self, target, **shape):
        proxy = Proxy(target.port, **shape)
        self.proxies.append(proxy)
        return proxy

    def end(self):
        for node in self.nodes:
            if node.process is not None:
                node.kill()
        for proxy in self.proxies:
            proxy.close()


def know(node, peers):
    """Writes the peers of a node's config: (node, port to dial or None)."""
    lines = ''.join(f"  - {{name: {peer.name}, key: '{peer.key}'"
                    + (f", address: 'tcp://127.0.0.1:{port}'" if port else '') + '}\n' for peer, port in peers)
    node.edit('peers: []\n', 'peers:\n' + lines)


def forget(node):
    path = os.path.join(node.directory, 'rhizome.yaml')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    at, end = text.index('peers:'), text.index('\nlog:')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text[:at] + 'peers: []\n' + text[end:])


def missing_both_ways(bench, common, lacking, rounds, figures):
    """Every round adds `lacking` to each node while they are apart, and brings them together again."""
    a, b = bench.node('a'), bench.node('b')
    know(a, [(b, None)])
    know(b, [(a, a.port)])
    at_a = bench.start(a)
    bench.write(a, 0, common)
    bench.start(b)
    seconds = bench.equal(a, b)
    figures['new_node_per_s'] = round(common / seconds)
    figures['new_node_peak_buffer_mib'] = round(
        bench.controls['b'].status()['catch_up']['peak_buffered_bytes'] / 2 ** 20, 1)
    first = common
    for name, rtt in [('loopback', 0), ('50ms', 50)] * rounds:
        bench.stop(b)
        forget(b)
        bench.start(b)  # alone
        before = bench.payload(a), bench.payload(b)
        bench.write(a, first, lacking)
        bench.write(b, first + lacking, lacking)
        first += 2 * lacking
        missing = bench.payload(a) - before[0] + bench.payload(b) - before[1]
        assert at_a.digest() != bench.controls['b'].digest(), 'they were to be apart'
        bench.stop(b)
        forget(b)
        proxy = bench.through(a, rtt_ms=rtt)
        know(b, [(a, proxy.port)])
        bench.start(b)
        seconds = bench.equal(a, b)
        assert at_a.status()['deltas'] >= first, f'not all of it came: {at_a.status()["deltas"]} of {first}'
        figures.setdefault(f'both_ways_{name}_s', []).append(round(seconds, 3))
        figures.setdefault(f'both_ways_{name}_over_payload', []).append(round(sum(proxy.bytes) / missing, 4))
        figures[f'both_ways_{name}_payload'] = missing
    bench.stop(a)
    bench.stop(b)


def from_several(bench, count, figures):
    peers = [bench.node(f'peer{i}') for i in range(4)]
    late = {1: bench.node('late1'), 4: bench.node('late4')}
    for i, peer in enumerate(peers):
        know(peer, [(other, other.port if j < i else None) for j, other in enumerate(peers) if j != i]
             + [(node, None) for node in late.values()])
        bench.start(peer)
    bench.write(peers[0], 0, count)
    bench.equal(*peers)
    for number, node in late.items():
        links = [(peer, bench.through(peer, rtt_ms=50, rate=LINK_BYTES_PER_S).port) for peer in peers[:number]]
        know(node, links)
        bench.start(node)
        seconds = bench.equal(node, peers[0])
        figures[f'from_{number}_s'] = round(seconds, 3)
        time.sleep(1.5)  # what peers() tells is as old as the last heartbeat
        from_whom = [peer['catch_up'] for peer in bench.controls[node.name].peers()]
        figures[f'from_{number}_twice_share'] = round(sum(p['duplicates'] for p in from_whom) / count, 4)
        figures[f'from_{number}_shares'] = [p['deltas'] for p in from_whom]
        bench.stop(node)
    figures['four_over_one'] = round(figures['from_1_s'] / figures['from_4_s'], 2)


def main():
    fixture.RHIZOME = os.path.abspath(sys.argv[1])
    quick = '--quick' in sys.argv
    root = tempfile.mkdtemp(prefix='rhizome-catch-up-')
    bench = Bench(root)
    figures = {}
    try:
        missing_both_ways(bench, 19_500 if quick else 195_000, 5_000, 1 if quick else 3, figures)
        from_several(bench, 15_000 if quick else 30_000, figures)
        print(json.dumps(figures, indent=1))
        if '--json' in sys.argv:
            with open(sys.argv[sys.argv.index('--json') + 1], 'w', encoding='ascii') as file:
                json.dump(figures, file)
    finally:
        bench.end()
        shutil.rmtree(root)


if __name__ == '__main__':
    main()
