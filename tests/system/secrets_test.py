#!/usr/bin/env python3
"""A node's key: in no log, in no core dump, in no memory that one could take it from."""
import json
import os
import re
import resource
import signal
import subprocess

import fixture
from fixture import NodesTest

REGION = re.compile(r'^([0-9a-f]+)-([0-9a-f]+) (\S+)')


def dumpable_regions(pid):
    """Readable memory that a core dump would hold: all that is not marked `dd` (MADV_DONTDUMP)."""
    with open(f'/proc/{pid}/smaps', encoding='utf-8') as file:
        begin, end, readable = 0, 0, False
        for line in file:
            head = REGION.match(line)
            if head:
                begin, end, readable = int(head[1], 16), int(head[2], 16), head[3].startswith('r')
            elif line.startswith('VmFlags:') and readable and not {'dd', 'io'} & set(line.split()):
                yield begin, end


def found_in_memory(pid, needles):
    found = set()
    with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        for begin, end in dumpable_regions(pid):
            try:
                memory.seek(begin)
                held = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue  # the kernel's own pages
            found |= {needle for needle in needles if needle in held}
    return found


def dumps_core(process):
    """Ends it by an abort; did the kernel write a core?"""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    return os.WCOREDUMP(status)


class Secrets(NodesTest):
    def setUp(self):
        super().setUp()
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    def busy_node(self):
        a, b = self.node('a'), self.node('b')
        for node, other, dial in ((a, b, ()), (b, a, (a,))):
            node.edit('level: info', 'level: debug')
            node.peers(other, dial=dial)
            node.start()
        a.run('write', 'e', 'p', 'v')
        a.run('write', '--transaction', '--claims', '-', text=json.dumps({'pointers': [
            {'role': 's', 'target': {'id': 'e', 'context': 'q'}}, {'role': 'v', 'target': 1}]}) + '\n')
        self.converged([a, b])
        return a, b

    def seed_of(self, node):
        with open(os.path.join(node.directory, 'node.key'), encoding='ascii') as file:
            return file.read().strip()

    def test_no_key_is_logged_at_any_level_or_told_by_a_command(self):
        a, b = self.busy_node()
        told = a.log() + b.log()
        for verb in (('status',), ('peers',), ('doctor',), ('query',), ('get', 'e')):
            result = a.run(*verb, check=False)
            told += result.stdout + result.stderr
        for node in (a, b):
            seed = self.seed_of(node)
            self.assertEqual(len(seed), 64)
            self.assertNotIn(seed, told)
            self.assertNotIn(seed, told.replace(':', '').lower())

    def test_no_memory_that_a_core_would_hold_has_the_seed(self):
        a, _ = self.busy_node()
        seed = self.seed_of(a)
        public = bytes.fromhex(a.key.split(':')[1])
        try:
            found = found_in_memory(a.process.pid, {bytes.fromhex(seed), seed.encode(), public})
        except PermissionError:
            return  # not root: PR_SET_DUMPABLE 0 keeps even this user from its memory
        self.assertEqual(found, {public}, 'the public key is there, so that the search can find')

    def test_a_node_that_aborts_leaves_no_core(self):
        a, _ = self.busy_node()
        control = dumps_core(subprocess.Popen(['sleep', '60'], cwd=self.root))
        self.assertFalse(dumps_core(a.process), f'the control, a program without a secret, dumps: {control}')
        a.process.stdout.close()
        a.process = None


if __name__ == '__main__':
    fixture.main()
