#!/usr/bin/env python3
"""Nodes between processes: relay, kills, restarts, catch-up, swapping plugins by YAML alone."""
import json
import os
import subprocess
import threading

import fixture
from fixture import NodesTest, command


class Nodes(NodesTest):
    def test_a_write_at_one_end_of_a_chain_is_read_at_the_other(self):
        a, b, c = self.chain('abc')
        a.run('write', 'movie:matrix', 'title', 'The Matrix')
        self.eventually('c has it', lambda: c.status()['deltas'] == 1)
        view = c.json('get', 'movie:matrix')
        self.assertEqual(view['properties']['title']['value'], 'The Matrix')
        self.assertEqual(view['properties']['title']['values'], 1)
        c.run('write', 'movie:matrix', 'year', '1999')
        self.converged([a, b, c])
        self.assertEqual(a.json('get', 'movie:matrix')['properties']['year']['value'], 1999)
        self.assertEqual(b.status()['fabric_counters']['duplicate_frames'], 0)

    def test_a_killed_relay_comes_back_and_misses_nothing(self):
        a, b, c = self.chain('abc')
        stop = threading.Event()
        written = []

        def write():
            while not stop.is_set():
                written.append(a.json('write', f'e:{len(written)}', 'n', str(len(written)))['ids'][0])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(3):
                self.eventually('b relays', lambda: b.status()['deltas'] > 0)
                b.kill()
                b.start()
        finally:
            stop.set()
            writer.join()
        self.converged([a, b, c])
        self.assertEqual(c.status()['deltas'], len(written))

    def test_acknowledged_writes_survive_sigkill(self):
        a = self.node('a').start()
        ids = [a.json('write', f'e:{i}', 'n', str(i))['ids'][0] for i in range(20)]
        digest = a.status()['digest']
        a.kill()
        a.start()
        self.assertEqual(a.status()['digest'], digest)
        held = {json.loads(line)['id'] for line in a.run('query').stdout.splitlines()}
        self.assertEqual(held, set(ids))

    def test_a_late_joiner_gets_everything(self):
        a = self.node('a')
        b = self.node('b')
        a.peers(b)
        b.peers(a, dial=[a])
        a.start()
        lines = ''.join(json.dumps({'pointers': [
            {'role': 'subject', 'target': {'id': f'e:{i}', 'context': 'n'}},
            {'role': 'value', 'target': i}]}) + '\n' for i in range(4000))
        self.assertEqual(a.json('write', '--transaction', '--claims', '-', text=lines)['added'], 4000)
        b.start()
        self.converged([a, b])
        self.assertEqual(b.status()['admission']['known'], 0, 'nothing was fetched twice')

    def test_a_stranger_is_kept_out_of_an_allow_list(self):
        a = self.node('a')
        stranger = self.node('stranger')
        stranger.peers(a, dial=[a])
        a.start()
        stranger.start()
        a.run('write', 'e', 'p', 'private')
        with self.assertRaises(AssertionError):
            self.eventually('the stranger is let in', lambda: stranger.status()['deltas'] > 0, 3)
        self.assertEqual(a.json('peers'), [])

    def test_the_store_is_swapped_by_yaml_alone(self):
        a, b = self.node('a'), self.node('b')
        a.edit('plugin: leveldb', 'plugin: memory')
        a.peers(b)
        b.peers(a, dial=[a])
        a.start()
        b.start()
        a.run('write', 'e', 'p', 'v')
        self.converged([a, b])
        self.assertEqual(b.json('get', 'e')['properties']['p']['value'], 'v')
        a.stop()
        a.start()  # the memory store kept nothing: its peer has it
        self.converged([a, b])
        self.assertEqual(a.status()['deltas'], 1)

    def test_the_transport_is_swapped_by_yaml_alone(self):
        a = self.node('a')
        a.edit('plugin: zeromq', 'plugin: inproc')
        a.edit(f'listen: {a.address}', 'address: a')
        a.start()
        a.run('write', 'e', 'p', 'v')
        self.assertEqual(a.json('get', 'e')['properties']['p']['value'], 'v')

    def test_a_second_node_on_the_same_data_is_refused(self):
        a = self.node('a').start()
        second = command('run', a.directory, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn('has it open', second.stderr)
        self.assertEqual(a.status()['deltas'], 0, 'the first goes on')

    def test_a_node_stops_cleanly(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', 'v')
        self.assertEqual(a.stop(), 0)
        self.assertFalse(os.path.exists(os.path.join(a.directory, 'control.sock')))

    def test_a_subscription_brings_history_then_what_comes(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', 'first')
        follower = subprocess.Popen([fixture.RHIZOME, 'subscribe', '--entity', 'e', '--node', a.directory],
                                    stdout=subprocess.PIPE, text=True)
        try:
            self.assertIn('first', follower.stdout.readline())
            a.run('write', 'other', 'p', 'not asked for')
            a.run('write', 'e', 'p', 'second')
            self.assertIn('second', follower.stdout.readline())
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
        self.assertEqual(a.status()['deltas'], 3, 'a client that goes harms nobody')


if __name__ == '__main__':
    fixture.main()
