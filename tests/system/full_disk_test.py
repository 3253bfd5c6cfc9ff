#!/usr/bin/env python3
"""A node whose disk runs full reads on, says so, and writes again once there is space: no restart.

Its data lies on a small tmpfs in a mount namespace of this process. Exit code 77: cannot run here.
"""
import ctypes
import os
import subprocess
import sys
import time

import fixture
from fixture import NodesTest

CLONE_NEWNS = 0x00020000


def separate():
    """A mount namespace of our own, which ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(CLONE_NEWNS) == 0 and subprocess.run(
        ['mount', '--make-rprivate', '/'], check=False, capture_output=True).returncode == 0


class FullDisk(NodesTest):
    def setUp(self):
        super().setUp()
        self.disks = []

    def tearDown(self):
        for disk in self.disks:  # lazily: its node may run still
            subprocess.run(['umount', '-l', disk], check=True)
        super().tearDown()

    def small_disk(self, node, mib):
        data = os.path.join(node.directory, 'data')
        os.makedirs(data, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={mib}m,mode=700', 'tmpfs', data], check=True)
        self.disks.append(data)
        return data

    def write(self, node, number, size=100):
        """Whether it was acknowledged, and what was said."""
        result = node.run('write', f'e{number % 7}', 'said', f'{number} ' + 'v' * size, check=False)
        return result.returncode == 0, result.stderr

    def test_a_node_that_was_killed_on_a_full_disk_starts_and_reads(self):
        a = self.node('a')
        self.small_disk(a, 48)
        a.start()
        written = 0
        while written < 400 and self.write(a, written, size=100_000)[0]:
            written += 1
        self.assertLess(written, 400)
        a.kill()
        a.start()
        self.assertTrue(a.json('get', 'e0'))
        self.assertGreaterEqual(a.status()['deltas'], written)

    def test_writes_go_on_once_there_is_space(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b)
        b.peers(a, dial=[a])
        data = self.small_disk(a, 64)
        for node in (a, b):
            node.start()
        self.assertTrue(self.write(a, 0)[0])
        filler = os.path.join(data, 'filler')
        with open(filler, 'wb') as file:
            os.posix_fallocate(file.fileno(), 0, 30 << 20)
        said, written = '', 1
        while written < 400:
            good, said = self.write(a, written, size=100_000)
            if not good:
                break
            written += 1
        self.assertIn('No space left on device', said)
        status = a.status()
        self.assertEqual(status['store']['state'], 'read_only')
        self.assertIn('No space left on device', status['store']['cause'])
        good, said = self.write(a, written)
        self.assertFalse(good)
        self.assertIn('reads go on', said)
        self.assertTrue(a.json('get', 'e0'))
        process = a.process.pid
        os.remove(filler)
        began = time.monotonic()
        self.eventually('the store is ready again', lambda: a.status()['store']['state'] == 'ready')
        print(f'ready {time.monotonic() - began:.2f} s after there was space', file=sys.stderr)
        self.assertTrue(self.write(a, written)[0])
        self.assertEqual(a.process.pid, process)
        self.assertIn('store.read_only', a.log())
        self.assertIn('store.ready', a.log())
        self.converged([a, b])
        held = a.status()['deltas']
        self.assertGreaterEqual(held, written + 1, 'what was acknowledged')
        self.assertEqual(a.stop(), 0)
        a.start()
        self.converged([a, b])
        self.assertEqual(a.status()['deltas'], held)


if __name__ == '__main__':
    if not separate():
        print('this system allows no mount namespace')
        sys.exit(77)
    fixture.main()
