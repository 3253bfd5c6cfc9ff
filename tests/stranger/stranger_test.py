#!/usr/bin/python3
"""A peer that knows docs/protocol.md and nothing else exchanges deltas with a real node, both ways.

    stranger_test.py RHIZOME BLAKE3_LIBRARY
"""
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'system')]

import fixture  # noqa: E402
from peer import Blake3, Peer  # noqa: E402

BLAKE3_LIBRARY = ''


class AStranger(fixture.NodesTest):
    def setUp(self):
        super().setUp()
        self.a = self.node('a')
        self.a.edit('admission: allow-list', 'admission: open')
        self.a.start()
        self.peer = Peer(Blake3(BLAKE3_LIBRARY), self.a.address,
                         bytes.fromhex(self.a.key.removeprefix('ed25519:')), 'default', bytes(range(32)))
        self.addCleanup(self.peer.channel.close)

    def wait(self, what, seconds=15):
        until = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), until, 'not within the time')
            self.peer.channel.pump(0.1)

    def test_fetches_what_a_node_holds_and_checks_it(self):
        lines = ''.join(f'{{"pointers":[{{"role":"subject","target":{{"id":"film:{i}","context":"title"}}}},'
                        f'{{"role":"value","target":"number {i}"}}]}}\n' for i in range(3000))
        self.a.run('write', '--claims', '-', text=lines)
        name, _, provides, positions = self.peer.hello()
        self.assertEqual(name, 'a')
        self.assertIn('fetch', provides)
        for origin, epoch, last, head in positions:
            self.peer.fetch_all(origin, epoch, last)
            self.assertEqual(self.peer.heads[origin, epoch], (last, head))
        self.assertEqual(len(self.peer.held), self.a.json('status')['deltas'])

    def test_hears_what_is_written_while_it_listens(self):
        self.peer.hello()
        self.peer.channel.subscribe(b'o' + self.peer.node_key)
        self.peer.channel.pump(0.5)
        self.a.run('write', 'film:1', 'title', 'The Matrix')
        self.wait(lambda: len(self.peer.held) == 1)

    def test_what_it_wrote_is_read_on_the_node(self):
        self.peer.hello()
        self.peer.write({'timestamp': 1.5, 'pointers': [
            {'role': 'subject', 'target': {'id': 'film:2', 'context': 'title'}},
            {'role': 'value', 'target': 'Solaris'}]})
        self.wait(lambda: self.a.json('status')['deltas'] == 1)
        self.assertIn('Solaris', self.a.run('get', 'film:2').stdout)


if __name__ == '__main__':
    BLAKE3_LIBRARY = sys.argv.pop(2)
    fixture.main()
