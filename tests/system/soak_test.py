#!/usr/bin/env python3
"""Three nodes under steady work: memory does not creep, descriptors stay, nothing is lost.

Figure 16 of the reliability tests. Seconds from RHIZOME_SOAK, else a few. Judged is the memory that is the
process's own (LevelDB maps its tables: those pages are the kernel's to take back), over the second half of
a run of five minutes or more: before that caches are filling."""
import json
import os
import statistics
import time

import fixture
from fixture import NodesTest

SECONDS = float(os.environ.get('RHIZOME_SOAK') or 15)
JUDGED_FROM = 300
MIB_AN_HOUR = 1.0
WRITE_BUFFERS = 2.0  # MiB: between two flushes they fill
WARM_UP = min(SECONDS / 3, 120)  # many deltas a round; then few, so that tables add next to no indexes


def grown(samples):
    """MiB from the middle of the run to its end, each the median of a tenth of it."""
    tenth, half = max(1, len(samples) // 10), len(samples) // 2
    return statistics.median(samples[-tenth:]) - statistics.median(samples[half:half + tenth])


class Samples:
    def __init__(self, node):
        self.pid = node.process.pid
        self.memory, self.descriptors = [], []

    def take(self):
        with open(f'/proc/{self.pid}/status', encoding='ascii') as file:
            kib = next(int(line.split()[1]) for line in file if line.startswith('RssAnon'))
        self.memory.append(kib / 1024)
        self.descriptors.append(len(os.listdir(f'/proc/{self.pid}/fd')))


def claims(round_number, count):
    return ''.join(json.dumps({'pointers': [
        {'role': 'subject', 'target': {'id': f'e:{i % 50}', 'context': f'p{round_number % 1000}'}},
        {'role': 'value', 'target': f'{round_number}:{i}'}]}) + '\n' for i in range(count))


class Soak(NodesTest):
    def small_nodes(self):
        """A chain whose stores' caches are full soon."""
        nodes = [self.node(name) for name in 'abc']
        for i, node in enumerate(nodes):
            node.peers(*nodes[max(0, i - 1):i] + nodes[i + 1:i + 2], dial=nodes[max(0, i - 1):i])
            node.edit('(keeps nothing after a stop)\n  config: {}',
                      '(keeps nothing after a stop)\n  '
                      'config: {write_buffer_mib: 1, block_cache_mib: 1, bloom_bits_per_key: 0, max_open_files: 64}')
        return [node.start() for node in nodes]

    def one_round(self, nodes, number, count, written):
        here = nodes[number % len(nodes)]
        ids = here.json('write', '--claims', '-', text=claims(number, count))['ids']
        written.update(ids)
        written.update(here.json('negate', ids[0])['ids'])
        there = nodes[(number + 1) % len(nodes)]
        there.json('query', '--filter', '{"@context":"p1"}', '--count', '--after',
                   str(max(0, there.status()['deltas'] - 1000)))
        there.run('get', 'e:1', check=False)

    def test_memory_and_descriptors_stay_and_nothing_is_lost(self):
        nodes = self.small_nodes()
        samples = [Samples(node) for node in nodes]
        written, number, begun = set(), 0, time.monotonic()
        while time.monotonic() - begun < SECONDS:
            turn = time.monotonic()
            self.one_round(nodes, number, 200 if turn - begun < WARM_UP else 3, written)
            number += 1
            for sample in samples:
                sample.take()
            time.sleep(max(0, 0.5 - (time.monotonic() - turn)))
        self.converged(nodes)
        for node, sample in zip(nodes, samples):
            held = {json.loads(line)['id'] for line in node.run('query', '--limit', '0').stdout.splitlines()}
            self.assertLessEqual(written, held, f'{node.name} lost some')
            settled = sample.descriptors[len(sample.descriptors) // 2:]
            self.assertLessEqual(max(settled) - min(settled), 8, f'{node.name}: descriptors {settled}')
            growth = grown(sample.memory)
            print(f'{node.name}: {sample.memory[-1]:.1f} MiB, {growth:+.2f} MiB in the second half, '
                  f'{settled[-1]} descriptors, {len(held)} deltas')
            if SECONDS >= JUDGED_FROM:
                self.assertLess(growth, WRITE_BUFFERS + MIB_AN_HOUR * SECONDS / 2 / 3600, f'{node.name} grows')


if __name__ == '__main__':
    fixture.main()
