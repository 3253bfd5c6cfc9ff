#!/usr/bin/env python3
"""Subscriptions between processes: at a peer, through kills of either side, without gap or repetition."""
import json
import os
import subprocess
import threading

import fixture
from fixture import NodesTest


class Follower:
    """A `rhizome subscribe` process whose rows land in a file."""

    def __init__(self, node, *arguments):
        self.path = os.path.join(node.directory, 'rows')
        self.rows = open(self.path, 'a', encoding='utf-8')
        self.errors = open(os.path.join(node.directory, 'subscribe-errors'), 'a', encoding='utf-8')
        self.process = subprocess.Popen([fixture.RHIZOME, 'subscribe', *arguments, '--node', node.directory],
                                        stdout=self.rows, stderr=self.errors)

    def values(self):
        with open(self.path, encoding='utf-8') as file:
            return [json.loads(line)['claims']['pointers'][1]['target'] for line in file if line.endswith('\n')]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.rows.close()
        self.errors.close()


class Subscriptions(NodesTest):
    def pair(self):
        publisher, subscriber = self.node('publisher'), self.node('subscriber')
        publisher.peers(subscriber)
        subscriber.peers(publisher, dial=[publisher])
        return publisher.start(), subscriber.start()

    def test_a_peer_is_followed_and_queried_with_a_filter(self):
        publisher, subscriber = self.pair()
        for i in range(10):
            publisher.run('write', 'e:keep', 'n', str(i))
            publisher.run('write', 'e:skip', 'n', str(i))
        rows = subscriber.run('query', '--peer', 'publisher', '--entity', 'e:keep').stdout.splitlines()
        self.assertEqual(len(rows), 10)
        self.assertEqual(len(subscriber.run('query', '--peer', 'publisher', '--limit', '3').stdout.splitlines()), 3)
        rule = json.dumps({'@entity': 'e:keep'})
        follower = Follower(subscriber, '--peer', 'publisher', '--filter', rule)
        try:
            self.eventually('history', lambda: len(follower.values()) == 10)
            publisher.run('write', 'e:keep', 'n', '10')
            self.eventually('live', lambda: follower.values() == list(range(11)))
            listed = publisher.json('filter', 'explain')
            self.assertEqual([entry['index_keys'] for entry in listed], [['entity == "e:keep"']])
        finally:
            follower.end()
        unknown = subscriber.run('query', '--peer', 'nobody', check=False)
        self.assertIn("knows no peer 'nobody'", unknown.stderr)

    def test_kills_of_publisher_subscriber_and_reader_lose_and_repeat_nothing(self):
        publisher, subscriber = self.pair()
        stop = threading.Event()
        written = []

        def write():
            while not stop.is_set():
                answer = publisher.run('write', 'e:keep', 'n', str(len(written)), check=False)
                if answer.returncode == 0:
                    written.append(len(written))

        arguments = ['--peer', 'publisher', '--entity', 'e:keep', '--resume-file',
                     os.path.join(subscriber.directory, 'token')]
        follower = Follower(subscriber, *arguments)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for i in range(6):
                seen = len(follower.values())
                self.eventually('it flows', lambda: len(follower.values()) > seen + 2)
                if i % 2 == 0:
                    publisher.kill()
                    publisher.start()
                else:
                    subscriber.kill()
                    follower.process.wait(timeout=20)
                    follower.end()
                    subscriber.start()
                    follower = Follower(subscriber, *arguments)
        finally:
            stop.set()
            writer.join()
        self.eventually('all is there', lambda: len(set(follower.values())) >= len(written))
        values = follower.values()
        follower.end()
        # A write whose process was answered by nobody may stand all the same, once.
        self.assertEqual(values, sorted(values))
        self.assertLessEqual(set(written), set(values))
        with open(follower.path, encoding='utf-8') as rows:
            ids = [json.loads(line)['id'] for line in rows]
        self.assertEqual(len(ids), len(set(ids)), 'nothing came twice')


if __name__ == '__main__':
    fixture.main()
