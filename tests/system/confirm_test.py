#!/usr/bin/env python3
"""Confirmation between processes: voters that are down, kills, tokens on other nodes, rosters."""
import json
import os
import subprocess
import threading
import time

import fixture
from fixture import NodesTest, command

DEADLINE = '30'


class Confirm(NodesTest):
    def mesh(self, names, prepare=lambda node: None):
        """Each node knows and dials those before it."""
        nodes = [self.node(name) for name in names]
        for i, node in enumerate(nodes):
            node.peers(*nodes[:i] + nodes[i + 1:], dial=nodes[:i])
            prepare(node)
        for node in nodes:
            node.start()
        self.eventually('all greeted', lambda: all(n.status()['peers_up'] == len(nodes) - 1 for n in nodes))
        return nodes

    def value(self, node, *arguments):
        result = node.run('get', 'movie:matrix', '--json', *arguments, check=False)
        if result.returncode != 0:
            return None
        return json.loads(result.stdout)['properties'].get('title')

    def write(self, node, *arguments, check=True):
        return node.run('write', 'movie:matrix', 'title', 'The Matrix', '--json', *arguments, check=check)

    def test_a_majority_confirms_while_one_node_is_down_and_all_do_when_it_is_back(self):
        a, b, c = self.mesh('abc')
        c.stop()
        written = json.loads(self.write(a, '--confirm', 'majority', '--deadline', DEADLINE).stdout)
        confirm = written['confirm']
        self.assertTrue(confirm['confirmed'])
        self.assertEqual((confirm['held'], confirm['voters']), (2, 3))
        self.assertEqual((confirm['holders'], confirm['missing']), (['a', 'b'], ['c']))
        result = self.write(a, '--confirm', 'all', '--deadline', '1', check=False)
        self.assertEqual(result.returncode, 1)
        unconfirmed = json.loads(result.stdout)['confirm']
        self.assertEqual((unconfirmed['state'], unconfirmed['held'], unconfirmed['missing']),
                         ('unconfirmed', 2, ['c']))
        text = a.run('write', 'movie:matrix', 'year', '1999', '--confirm', 'all', '--deadline', '0.5', check=False)
        self.assertEqual(text.returncode, 1)
        self.assertRegex(text.stderr, r'the deadline passed unconfirmed: asked for all, reached 2/3 \(a, b\), .*'
                                      r'missing: c')
        c.start()
        written = json.loads(self.write(a, '--confirm', 'all', '--deadline', DEADLINE).stdout)
        self.assertEqual((written['confirm']['held'], written['confirm']['voters']), (3, 3))

    def test_more_than_there_is_to_have_is_refused_and_nothing_written(self):
        a = self.node('a').start()
        for asked, told in (('2', 'the roster has 1 voters'), ('most', "'most' is no voter")):
            result = self.write(a, '--confirm', asked, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(told, result.stderr)
        self.assertEqual(a.status()['deltas'], 0)
        self.assertIn('confirmed by 1/1', a.run('write', 'e', 'p', 'v', '--confirm', 'all').stdout)

    def test_a_value_is_provisional_and_then_confirmed_seen_from_another_node(self):
        a, b, c = self.mesh('abc')
        b.stop()
        c.stop()
        token = json.loads(self.write(a).stdout)['token']
        mine = self.value(a)
        self.assertEqual((mine['provisional'], mine['extent']), (True, {'held': 1, 'voters': 3}))
        self.assertIsNone(self.value(a, '--min-confirm', 'majority'))
        a.stop()
        c.start()  # alone: it cannot have seen the write, and says so
        result = c.run('query', '--after-token', token, '--deadline', '0.5')
        self.assertIn('provisional', result.stderr)
        a.start()
        view = c.json('get', 'movie:matrix', '--after-token', token, '--deadline', DEADLINE)
        self.assertEqual((view['tokens'][0]['state'], view['provisional']), ('held', False))
        self.eventually('c sees the majority', lambda: (self.value(c) or {}).get('provisional') is False)
        self.assertGreaterEqual(self.value(c)['extent']['held'], 2)
        self.assertEqual(self.value(c, '--min-confirm', 'majority')['value'], 'The Matrix')
        b.start()
        self.eventually('all hold it', lambda: self.value(c)['extent'] == {'held': 3, 'voters': 3})
        before, after = mine['confidence'], self.value(c)['confidence']
        self.assertGreater(after['durability'], before['durability'])
        self.assertRegex(c.run('get', 'movie:matrix').stdout, r'title +The Matrix  3/3\n')

    def test_the_count_stays_right_over_kills(self):
        a, b, c = self.mesh('abc')
        ids = []
        for round_ in range(3):
            victim = (b, c)[round_ % 2]
            victim.kill()
            written = a.json('write', f'e:{round_}', 'p', 'v', '--confirm', 'majority', '--deadline', DEADLINE)
            self.assertEqual(written['confirm']['held'], 2)
            ids.append(written['ids'][0])
            victim.start()
        for delta in ids:
            self.eventually('three hold it', lambda d=delta: a.json('extent', d)['held'] == 3)
        a.kill()
        a.start()
        for delta in ids:
            self.eventually('a knows again', lambda d=delta: a.json('extent', d)['held'] == 3)
            self.assertEqual(a.json('extent', delta)['missing'], [])
        self.assertEqual(a.status()['confirmation']['incarnation_conflicts'], 0)

    def test_a_killed_writer_finds_its_confirmed_write_again(self):
        a, b, c = self.mesh('abc')
        written = json.loads(self.write(a, '--confirm', 'b,c', '--deadline', DEADLINE).stdout)
        a.kill()
        for node in (b, c):
            self.assertEqual(self.value(node)['value'], 'The Matrix')
        told = b.json('extent', written['token'])
        self.assertEqual(told['token_state'], 'held')

    def test_a_signed_roster_spreads_and_counts(self):
        authority = os.path.join(self.root, 'authority.key')
        key = json.loads(command('keygen', authority, '--json').stdout)['key']
        a, b, c = self.mesh('abc', lambda node: node.edit('\nlog:\n', f"\nroster:\n  authority: '{key}'\nlog:\n"))
        a.run('roster', 'set', f'a={a.key}', f'b={b.key}', '--key', authority)
        for node in (a, b, c):
            self.eventually('the roster came', lambda n=node: n.json('roster', 'show')['version'] == 1)
        written = c.json('write', 'e', 'p', 'v', '--confirm', 'all', '--deadline', DEADLINE)
        self.assertEqual((written['confirm']['holders'], written['confirm']['non_voters']), (['a', 'b'], ['c']))
        self.assertIn('this node is no voter', c.run('roster', 'show').stdout)
        stranger = os.path.join(self.root, 'stranger.key')
        command('keygen', stranger)
        result = a.run('roster', 'set', f'a={a.key}', '--key', stranger, check=False)
        self.assertIn('another authority', result.stderr)

    def test_a_subscriber_to_confirmed_deltas_gets_each_once_it_is_confirmed_in_order(self):
        a, b = self.mesh('ab')
        b.stop()
        for i in range(3):
            a.run('write', f'e:{i}', 'p', str(i))
        watching = subprocess.Popen([fixture.RHIZOME, 'subscribe', '--min-confirm', 'all', '--extent',
                                     '--node', a.directory], stdout=subprocess.PIPE, text=True)
        rows = []
        reader = threading.Thread(target=lambda: rows.extend(
            json.loads(watching.stdout.readline()) for _ in range(3)))
        reader.start()
        time.sleep(0.5)
        self.assertEqual(rows, [], 'one of two is no confirmation')
        b.start()
        reader.join(60)
        watching.terminate()
        watching.wait(20)
        watching.stdout.close()
        self.assertEqual([row['seq'] for row in rows], [1, 2, 3])
        self.assertEqual(rows[0]['extent'], {'held': 2, 'voters': 2})

    def test_status_tells_members_lag_and_the_last_writes(self):
        a, b = self.mesh('ab')
        a.run('write', 'e', 'p', 'v', '--confirm', 'all', '--deadline', DEADLINE)
        status = a.status()
        self.assertEqual(status['members'][0]['name'], 'b')
        self.assertEqual(status['members'][0]['receipt']['missing'], 0)
        self.assertEqual(status['confirmation']['last_writes'][0]['held'], 2)


if __name__ == '__main__':
    fixture.main()
