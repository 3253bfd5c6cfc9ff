#!/usr/bin/env python3
"""Two nodes over a link that loses, delays and has little room (tests/proxy); reliability.md row 10.

    slow_links_test.py RHIZOME
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'proxy'))

import fixture  # noqa: E402
from fixture import NodesTest  # noqa: E402
from proxy import Proxy  # noqa: E402

MISSING = 600  # on each side


def claims(name, count):
    return ''.join(json.dumps({'pointers': [
        {'role': 'subject', 'target': {'id': f'{name}:{i}', 'context': 'said'}},
        {'role': 'value', 'target': f'number {i} of {name}'}]}) + '\n' for i in range(count))


class SlowLinks(NodesTest):
    def test_both_ways_over_a_bad_link_within_a_minute_and_twice_the_bytes(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b)
        a.start()
        a.run('write', '--claims', '-', text=claims('a', MISSING))
        b.start()
        b.run('write', '--claims', '-', text=claims('b', MISSING))
        missing = sum(n.status()['claims_bytes'] + 64 * MISSING for n in (a, b))
        b.stop()
        proxy = Proxy(a.port, rtt_ms=200, jitter_ms=100, rate=125_000, loss=0.05)
        self.addCleanup(proxy.close)
        b.peers(a)
        b.edit(f"key: '{a.key}'", f"key: '{a.key}', address: 'tcp://127.0.0.1:{proxy.port}'")
        b.start()
        began = time.monotonic()
        self.converged([a, b], 60)
        seconds = time.monotonic() - began
        self.assertEqual(b.status()['deltas'], 2 * MISSING)
        moved = sum(proxy.bytes)
        print(f'{missing} bytes missing; {moved} moved, {proxy.lost} segments lost, {seconds:.1f} s', flush=True)
        self.assertLessEqual(moved, 2 * missing + (64 << 10))

    def test_a_link_that_breaks_again_and_again_is_resumed_where_it_was(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b)
        a.start()
        for i in range(4):
            a.run('write', '--claims', '-', text=claims(f'a{i}', 1000))
        proxy = Proxy(a.port, rtt_ms=20, rate=250_000)
        self.addCleanup(proxy.close)
        b.peers(a)
        b.edit(f"key: '{a.key}'", f"key: '{a.key}', address: 'tcp://127.0.0.1:{proxy.port}'")
        b.start()
        for part in (500, 1500, 2500):
            self.eventually(f'{part} deltas came', lambda: b.status()['deltas'] >= part)  # noqa: B023
            proxy.cut()
            time.sleep(0.5)
            proxy.mend()
        b.kill()  # and the node itself
        b.start()
        self.converged([a, b], 60)
        payload = a.status()['claims_bytes'] + 64 * 4000
        self.assertLessEqual(sum(proxy.bytes), 2 * payload, 'what had come was not fetched again')


if __name__ == '__main__':
    fixture.main()
