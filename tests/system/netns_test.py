#!/usr/bin/env python3
"""Figure 9 of the reliability tests: seven nodes, each in a network namespace of its own, on a
bridge that is split, made one-way and flapped; 30 seconds after each healing all digests are equal.

Needs root and `ip`; the namespaces, their names and addresses are this test's alone, and go with it.
RHIZOME_SOAK: 30 rounds instead of 2. Exit code 77: cannot run here, and why.
"""
import os
import re
import subprocess
import sys
import time

import fixture
from fixture import Node, NodesTest

ROUNDS = 30 if os.environ.get('RHIZOME_SOAK') else 2
COUNT = 7
WITHIN = 30  # seconds
LEFT, RIGHT = range(0, 3), range(3, COUNT)


def ip(*arguments, check=True):
    return subprocess.run(['ip', *arguments], check=check, capture_output=True, text=True, timeout=20)


class Wires:
    """A bridge in a namespace of its own, and a namespace a node; `ends` removes them all."""

    def __init__(self, count):
        self.prefix = f'rhizome-{os.getpid()}'
        self.switch = f'{self.prefix}-switch'
        self.spaces = [f'{self.prefix}-{i}' for i in range(count)]
        self.made = []

    def build(self):
        self.sweep()
        for space in [self.switch, *self.spaces]:
            ip('netns', 'add', space)
            self.made.append(space)
        for bridge in ('left', 'right'):
            ip('-n', self.switch, 'link', 'add', bridge, 'type', 'bridge')
            ip('-n', self.switch, 'link', 'set', bridge, 'up')
        for i, space in enumerate(self.spaces):
            ip('link', 'add', 'eth0', 'netns', space, 'type', 'veth', 'peer', 'name', f'port{i}',
               'netns', self.switch)
            ip('-n', space, 'addr', 'add', f'{address(i)}/24', 'dev', 'eth0')
            for device in ('lo', 'eth0'):
                ip('-n', space, 'link', 'set', device, 'up')
            self.plug(i, 'left')

    @staticmethod
    def sweep():
        """Removes what a run of this test left that was killed."""
        for line in ip('netns', 'list').stdout.splitlines():
            left = re.match(r'rhizome-(\d+)-', line)
            if left and not os.path.exists(f'/proc/{left.group(1)}'):
                ip('netns', 'del', line.split()[0], check=False)

    def plug(self, i, bridge):
        ip('-n', self.switch, 'link', 'set', f'port{i}', 'master', bridge, 'up')

    def unplug(self, i):
        ip('-n', self.switch, 'link', 'set', f'port{i}', 'down')

    def deafen(self, sender, receiver):
        """What one sends to the other goes to nobody's hardware address; the way back is whole."""
        ip('-n', self.spaces[sender], 'neigh', 'replace', address(receiver), 'lladdr',
           '02:00:00:00:00:fe', 'dev', 'eth0', 'nud', 'permanent')

    def hear(self, sender, receiver):
        ip('-n', self.spaces[sender], 'neigh', 'del', address(receiver), 'dev', 'eth0')

    def ends(self):
        for space in self.made:
            ip('netns', 'del', space, check=False)
        self.made = []


def address(i):
    return f'10.77.0.{i + 1}'


class NodeInSpace(Node):
    def __init__(self, root, name, wires, index):
        self.space = wires.spaces[index]
        self.host = address(index)
        super().__init__(root, name)

    @property
    def address(self):
        return f'tcp://{self.host}:{self.port}'

    def start(self):
        with open(os.path.join(self.directory, 'log'), 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                ['ip', 'netns', 'exec', self.space, fixture.RHIZOME, 'run', self.directory],
                stdout=subprocess.PIPE, stderr=log, text=True)
        ready = self.process.stdout.readline()
        assert ready.startswith('ready '), f'{self.name}: {ready!r}\n{self.log()}'
        return self


class Namespaces(NodesTest):
    def setUp(self):
        super().setUp()
        self.wires = Wires(COUNT)
        self.addCleanup(self.wires.ends)  # after tearDown, which ends the nodes
        self.wires.build()
        for i in range(COUNT):
            self.nodes.append(NodeInSpace(self.root, f'n{i}', self.wires, i))
        for i, node in enumerate(self.nodes):
            node.peers(*(n for n in self.nodes if n is not node), dial=self.nodes[:i])
        for node in self.nodes:
            node.start()
        self.written = 0

    def write(self, at):
        self.written += 1
        self.nodes[at].run('write', f'entity:{at}', 'said', str(self.written))

    def healed(self, after):
        """All nodes hold everything, in time."""
        begin = time.monotonic()
        self.eventually(f'after {after}: all hold {self.written} deltas under one digest', self.is_one,
                        WITHIN)
        print(f'{after}: one digest {time.monotonic() - begin:.1f} s after healing', flush=True)

    def is_one(self):
        found = [node.status() for node in self.nodes]
        return (len({status['digest'] for status in found}) == 1 and
                found[0]['deltas'] == self.written)

    def test_seven_nodes_agree_after_every_kind_of_cut(self):
        for at in range(COUNT):
            self.write(at)
        self.healed('the start')
        for number in range(ROUNDS):
            self.split(number)
            self.one_way(number)
            self.flap(number)

    def split(self, number):
        """Three and four: each side goes on by itself."""
        for i in RIGHT:
            self.wires.plug(i, 'right')
        before = self.written
        left, right = LEFT[number % len(LEFT)], RIGHT[number % len(RIGHT)]
        for _ in range(5):
            self.write(left)
            self.write(right)
        for side in (LEFT, RIGHT):
            self.eventually('each side has its own half',
                            lambda side=side: all(self.nodes[i].status()['deltas'] == before + 5
                                                  for i in side), WITHIN)
        for i in RIGHT:
            self.wires.plug(i, 'left')
        self.healed(f'split {number}')

    def one_way(self, number):
        """One node hears everybody and is heard by nobody."""
        mute = number % COUNT
        others = [i for i in range(COUNT) if i != mute]
        for i in others:
            self.wires.deafen(mute, i)
        for i in (mute, others[0], others[-1]):
            self.write(i)
        time.sleep(4)
        for i in others:
            self.wires.hear(mute, i)
        self.healed(f'one-way {number}')

    def flap(self, number):
        """Two nodes' wires are pulled and put back, over and over, while everybody writes."""
        pulled = [number % COUNT, (number + 3) % COUNT]
        for turn in range(6):
            for i in pulled:
                self.wires.unplug(i)
            self.write(turn % COUNT)
            time.sleep(0.5)
            for i in pulled:
                self.wires.plug(i, 'left')
            self.write((turn + 1) % COUNT)
            time.sleep(0.3)
        self.healed(f'flapping {number}')


def cannot():
    """Why this machine cannot make namespaces; empty where it can."""
    if os.geteuid() != 0:
        return 'not root'
    probe = Wires(1)
    try:
        probe.build()
    except FileNotFoundError:
        return 'no `ip` (the package iproute2)'
    except subprocess.CalledProcessError as error:
        return f'`{" ".join(error.cmd)}`: {error.stderr.strip()}'
    finally:
        probe.ends()
    return ''


if __name__ == '__main__':
    if why := cannot():
        print(f'netns_test: no network namespaces here: {why}')
        sys.exit(77)
    fixture.main()
