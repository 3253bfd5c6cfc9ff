#!/usr/bin/env python3
"""Joining by one copied line, as a user does it: a new node, a running node, wrong lines, restarts."""
import json
import os

import fixture
from fixture import Node, NodesTest, command


class Joining(NodesTest):
    def invited(self, inviter, name):
        """A node that `rhizome join` made from one line, running."""
        line = inviter.run('invite').stdout.strip()
        self.assertNotIn('\n', line)
        port = fixture.free_port()
        directory = os.path.join(self.root, name)
        made = json.loads(command('join', line, '--listen', f'tcp://127.0.0.1:{port}', '--node', directory,
                                  '--json').stdout)
        node = Node.made(directory, name, port, made['key'])
        self.nodes.append(node)
        return node.start()

    def up(self, node, key):
        return any(peer['key'] == key and peer['up'] and not peer['problem'] for peer in node.json('peers'))

    def test_a_new_node_joins_by_one_line_and_reads_what_the_other_wrote(self):
        a = self.node('a').start()
        a.run('write', 'movie:matrix', 'title', 'The Matrix')
        b = self.invited(a, 'b')
        self.eventually('b has it', lambda: b.status()['deltas'] == 1)
        b.run('write', 'movie:matrix', 'year', '1999')
        self.converged([a, b])

    def test_a_running_node_joins_and_both_find_each_other_after_restarts(self):
        a, b = self.node('a').start(), self.node('b').start()
        b.run('join', a.run('invite').stdout.strip())
        self.eventually('a is up', lambda: self.up(b, a.key))
        a.kill()
        b.kill()
        # Only a is dialled by b's memory of the invitation; a remembers b by its hello.
        a.start()
        b.start()
        self.eventually('b is up', lambda: self.up(a, b.key))
        b.stop()
        a.run('write', 'e:1', 'p', '1')
        b.start()
        self.converged([a, b])

    def test_an_invitation_lets_in_one_node_only(self):
        a = self.node('a').start()
        line = a.run('invite').stdout.strip()
        b, c = self.node('b').start(), self.node('c').start()
        b.run('join', line)
        self.eventually('a is up', lambda: self.up(b, a.key))
        c.run('join', line)
        self.eventually('c is told', lambda: any('used by another node' in peer['problem']
                                                 or 'does not know' in peer['problem']
                                                 or not peer['up'] for peer in c.json('peers')))
        self.assertFalse(self.up(c, a.key))
        self.assertFalse(any(peer['key'] == c.key for peer in a.json('peers')))

    def test_a_forgotten_node_is_out(self):
        a = self.node('a').start()
        b = self.invited(a, 'b')
        self.eventually('b is up', lambda: self.up(a, b.key))
        a.run('peers', '--forget', b.key)
        self.eventually('b is out', lambda: not self.up(b, a.key))
        self.assertEqual(a.json('peers'), [])

    def test_wrong_lines_are_refused_with_what_was_expected(self):
        a, b = self.node('a').start(), self.node('b').start()
        line = a.run('invite').stdout.strip()
        for wrong, told in ((line[:-1], '32 hex digits'), (line[1:], 'begins rhizome:'),
                            (line.replace('fabric=default', 'fabric=other'), "fabric 'other'")):
            result = b.run('join', wrong, check=False)
            self.assertEqual(result.returncode, 1, wrong)
            self.assertIn(told, result.stderr)
        self.assertIn('this very node', a.run('join', line, check=False).stderr)

    def test_nodes_of_two_fabrics_say_so_by_the_name_of_the_setting(self):
        a, b = self.node('a'), self.node('b')
        b.edit('fabric: default', 'fabric: other')
        a.peers(b)
        b.peers(a, dial=[a])
        a.start()
        b.start()
        self.eventually('b knows why', lambda: any('node.fabric' in peer['problem'] for peer in b.json('peers')))

    def test_settings_that_differ_are_named_with_both_values(self):
        a, b = self.node('a'), self.node('b')
        with open(os.path.join(b.directory, 'rhizome.yaml'), 'a', encoding='utf-8') as file:
            file.write('limits:\n  max_future_ms: 60000\n')
        a.peers(b)
        b.peers(a, dial=[a])
        a.start()
        b.start()
        self.eventually('a shows it', lambda: ['limits.max_future_ms: 900000 here, 60000 there'] in
                        [peer['differences'] for peer in a.json('peers')])


if __name__ == '__main__':
    fixture.main()
