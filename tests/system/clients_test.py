#!/usr/bin/env python3
"""Many clients of one node: what they cost it, and a node that may make no thread for them."""
import json
import os
import resource
import struct
import subprocess

import fixture
from control import Control
from fixture import NodesTest

NOBODY = 65534  # a user without processes; the limit does not bind root


def threads_of(pid):
    return len(os.listdir(f'/proc/{pid}/task'))


class Subscriber(Control):
    """A connection with one subscription; `row` waits for the next row."""

    def __init__(self, directory, entity):
        super().__init__(directory)
        header = json.dumps({'op': 'subscribe', 'entity': entity}).encode()
        self.socket.sendall(struct.pack('<II', 4 + len(header), len(header)) + header)

    def next(self):
        total, size = struct.unpack('<II', self.read(8))
        body = self.read(total - 4)
        return json.loads(body[:size]), body[size:]

    def live(self):
        while not self.next()[0].get('live'):
            pass
        return self

    def row(self):
        rows = b''
        while not rows:
            rows = self.next()[1]
        return json.loads(rows)


class Clients(NodesTest):
    def test_a_thousand_subscribers_of_one_node_cost_it_no_threads(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        try:
            node = self.node('a')
            # So that the store has made its own thread as well.
            node.edit('  config: {}\n\ntransport:', '  config: {write_buffer_mib: 1}\n\ntransport:')
            node.start()
            bulk = '\n'.join(json.dumps({'pointers': [{'role': 'value', 'target': f'{i} ' + 'x' * 1000}]})
                             for i in range(4000))
            node.run('write', '--claims', '-', text=bulk)
            subscribers = [Subscriber(node.directory, f'e:{i % 10}') for i in range(1000)]
            for subscriber in subscribers:
                subscriber.live()
            for i in range(10):
                node.run('write', f'e:{i}', 'p', str(i))
            for i, subscriber in enumerate(subscribers):
                row = subscriber.row()
                self.assertEqual(row['claims']['pointers'][1]['target'], i % 10)
            self.assertLessEqual(threads_of(node.process.pid), 2 * os.cpu_count() + 4)
            for subscriber in subscribers:
                subscriber.close()
            self.eventually('the subscriptions end', lambda: node.json('filter', 'explain') == [])
            node.stop()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_node_that_may_make_few_threads_serves_any_number_of_connections(self):
        if os.geteuid() != 0:
            self.skipTest('the limit counts all threads of this user: it takes a user that has none')
        node = self.node('a')
        os.chmod(self.root, 0o755)
        subprocess.run(['chown', '-R', f'{NOBODY}:{NOBODY}', node.directory], check=True)
        log = os.path.join(node.directory, 'log')
        with open(log, 'w', encoding='utf-8') as errors:
            os.chmod(log, 0o666)
            node.process = subprocess.Popen([fixture.RHIZOME, 'run', node.directory], stdout=subprocess.PIPE,
                                            stderr=errors, text=True, user=NOBODY, group=NOBODY,
                                            extra_groups=[],
                                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (12, 12)))
        ready = node.process.stdout.readline()
        self.assertTrue(ready.startswith('ready '), node.log())
        clients = [Control(node.directory) for _ in range(20)]
        for client in clients:
            self.assertEqual(client.status()['deltas'], 0)
        for client in clients:
            client.close()
        self.assertEqual(node.stop(), 0)


if __name__ == '__main__':
    fixture.main()
