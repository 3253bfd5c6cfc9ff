#!/usr/bin/env python3
"""Bits flipped on a node's disk: reported, never a wrong value, and made good by its peer."""
import glob
import json
import os
import random

import fixture
from fixture import NodesTest

SEED = int(os.environ.get('RHIZOME_SEED') or random.randrange(2 ** 32))


def claims(entity, value):
    return json.dumps({'pointers': [{'role': 'subject', 'target': {'id': entity, 'context': 'n'}},
                                    {'role': 'value', 'target': value}]}) + '\n'


class Repair(NodesTest):
    def flip_bits(self, node, chance, count):
        """In tables anywhere, in logs before their middle: what was written last is not hit."""
        files = [f for kind in ('ldb', 'log') for f in glob.glob(f'{node.directory}/data/db/*.{kind}')]
        for _ in range(count):
            path = chance.choices(files, [os.path.getsize(f) for f in files])[0]
            size = os.path.getsize(path)
            at = chance.randrange(size // 2 if path.endswith('log') else size)
            with open(path, 'r+b') as file:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << chance.randrange(8)]))

    def damage_is_reported(self, node, deltas):
        """By refusing to start, or by the first query that meets it; or it hit nothing that is needed."""
        try:
            node.start()
        except AssertionError:
            node.end()
            self.assertIn('rhizome repair', node.log())
            return
        query = node.run('query', '--filter', '{">=":[{"var":"timestamp"},0]}', check=False)
        node.stop()
        if query.returncode == 0:
            self.assertEqual(len(query.stdout.splitlines()), deltas)
        else:
            self.assertRegex(query.stderr, 'damaged|orruption')

    def test_flipped_bits_are_reported_and_made_good_by_a_peer(self):
        print(f'RHIZOME_SEED={SEED}')
        chance = random.Random(SEED)
        for write_buffer in ('1', '16'):  # mostly tables; one log
            a, b = self.node(f'a{write_buffer}'), self.node(f'b{write_buffer}')
            a.peers(b)
            b.peers(a, dial=[a])
            b.edit('(keeps nothing after a stop)\n  config: {}',
                   f'(keeps nothing after a stop)\n  config: {{write_buffer_mib: {write_buffer}}}')
            a.start()
            b.start()
            for batch in range(8):
                a.run('write', '--claims', '-', text=''.join(claims(f'e:{batch}:{i}', i) for i in range(1000)))
            self.converged([a, b])
            a.stop()
            mine = [b.json('write', f'mine:{i}', 'n', str(i))['ids'][0] for i in range(20)]
            b.stop()
            self.flip_bits(b, chance, 4)
            self.damage_is_reported(b, 8020)
            repaired = b.json('repair')
            self.assertGreater(repaired['kept'], 0)
            self.assertTrue(os.path.isdir(repaired['damaged']))
            a.start()
            b.start()
            self.eventually('both have all', lambda: {n.status()['deltas'] for n in (a, b)} == {8020})
            self.converged([a, b])
            held = {json.loads(line)['id'] for line in a.run('query').stdout.splitlines()}
            self.assertLessEqual(set(mine), held, 'what only b had came to a')
            for entity, value in (('e:3:500', 500), ('mine:7', 7)):
                self.assertEqual(b.json('get', entity)['properties']['n']['value'], value)
            a.stop()
            b.stop()

    def test_a_running_node_is_not_repaired_and_a_store_without_a_disk_neither(self):
        a = self.node('a').start()
        a.run('write', 'e', 'n', '1')
        refused = a.run('repair', check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('another handle or process has it open', refused.stderr)
        self.assertEqual(a.status()['deltas'], 1)
        a.stop()
        a.edit('plugin: leveldb', 'plugin: memory')
        refused = a.run('repair', check=False)
        self.assertIn('there is nothing to repair', refused.stderr)


if __name__ == '__main__':
    fixture.main()
