#!/usr/bin/env python3
"""Subscriptions between two processes over ZeroMQ on loopback, with real LevelDB stores.

    feeds.py RHIZOME COUNT [--json FILE]

From a buffered write on one node to its row at a subscriber of the other; the rate at which a subscriber
reads history and a burst; and a burst of COUNT deltas with a second subscriber that is stopped: what the
publisher's memory grows by, and that everyone gets everything. Called by ./run bench.
"""
import argparse
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'system'))
import fixture  # noqa: E402


class Control:
    """A connection to a node's control socket (docs/control.md)."""

    def __init__(self, node):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(node.directory, 'control.sock'))
        self.file = self.socket.makefile('rb')

    def send(self, request, blob=b''):
        header = json.dumps(request).encode()
        self.socket.sendall(struct.pack('<II', 4 + len(header) + len(blob), len(header)) + header + blob)

    def receive(self):
        total, size = struct.unpack('<II', self.file.read(8))
        return json.loads(self.file.read(size)), self.file.read(total - 4 - size)

    def call(self, request, blob=b''):
        self.send(request, blob)
        return self.receive()

    def follow(self, **wanted):
        """Subscribes, and waits until there is nothing more to tell."""
        self.send({'op': 'subscribe', **wanted})
        while True:
            header, _ = self.receive()
            assert 'error' not in header, header
            if header.get('live'):
                return

    def rows(self, wanted):
        """Waits for so many rows."""
        seen = 0
        while seen < wanted:
            header, blob = self.receive()
            assert 'error' not in header, header
            seen += blob.count(b'\n')
        return seen


def line(entity, value):
    return json.dumps({'pointers': [{'role': 'subject', 'target': {'id': entity, 'context': 'n'}},
                                    {'role': 'value', 'target': value}]}).encode() + b'\n'


def resident_kib(process, field='VmRSS'):
    with open(f'/proc/{process.pid}/status', encoding='ascii') as file:
        return next(int(row.split()[1]) for row in file if row.startswith(field + ':'))


def latency_us(publisher, subscriber, rounds):
    follow, write = Control(subscriber), Control(publisher)
    follow.follow(peer=publisher.name, entity='e:latency', **{'from': 'now'})
    times = []
    for i in range(rounds):
        begin = time.perf_counter()
        write.send({'op': 'write', 'buffered': True}, line('e:latency', i))
        follow.rows(1)
        times.append((time.perf_counter() - begin) * 1e6)
        write.receive()
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.99)]


def burst(publisher, subscriber, count):
    """Seconds for a live subscriber to have it all, the publisher's growth, and what the stalled one got."""
    stalled_rows = os.path.join(subscriber.directory, 'stalled')
    with open(stalled_rows, 'wb') as out:
        stalled = subprocess.Popen([fixture.RHIZOME, 'subscribe', '--peer', publisher.name, '--entity', 'e:burst',
                                    '--node', subscriber.directory], stdout=out)
    follow, write = Control(subscriber), Control(publisher)
    follow.follow(peer=publisher.name, entity='e:burst')
    time.sleep(1)
    stalled.send_signal(signal.SIGSTOP)
    before = resident_kib(publisher.process)
    begin = time.perf_counter()

    def author():
        for first in range(0, count, 10_000):
            lines = b''.join(line('e:burst', i) for i in range(first, min(first + 10_000, count)))
            answer, _ = write.call({'op': 'import'}, lines)
            assert answer['added'] == min(10_000, count - first), answer

    thread = threading.Thread(target=author)
    thread.start()
    follow.rows(count)
    seconds = time.perf_counter() - begin
    thread.join()
    grown = resident_kib(publisher.process) - before
    stalled.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 300
    while open(stalled_rows, 'rb').read().count(b'\n') < count and time.monotonic() < deadline:
        time.sleep(0.2)
    stalled.kill()
    stalled.wait()
    with open(stalled_rows, 'rb') as file:
        ids = [json.loads(row)['id'] for row in file]
    assert len(set(ids)) == len(ids) == count, (len(set(ids)), len(ids))
    return seconds, grown


def alone_mib(root, count):
    """What the same burst grows a node by that nobody subscribes to."""
    node = fixture.Node(root, 'alone').start()
    write = Control(node)
    before = resident_kib(node.process)
    for first in range(0, count, 10_000):
        write.call({'op': 'import'}, b''.join(line('e:burst', i) for i in range(first, min(first + 10_000, count))))
    grown = resident_kib(node.process) - before
    node.kill()
    return grown / 1024


def history(publisher, subscriber, count):
    follow = Control(subscriber)
    begin = time.perf_counter()
    follow.send({'op': 'subscribe', 'peer': publisher.name, 'filter': {'in': ['ed25519', {'var': 'author'}]}})
    follow.rows(count)
    return count / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('rhizome')
    parser.add_argument('count', type=int)
    parser.add_argument('--json')
    options = parser.parse_args()
    fixture.RHIZOME = options.rhizome
    with tempfile.TemporaryDirectory(prefix='rhizome-feeds-') as root:
        publisher, subscriber = fixture.Node(root, 'publisher'), fixture.Node(root, 'subscriber')
        # The subscriber takes no part in spreading but by its feeds: it is another node all the same.
        publisher.peers(subscriber)
        subscriber.peers(publisher, dial=[publisher])
        publisher.start()
        subscriber.start()
        try:
            p50, p99 = latency_us(publisher, subscriber, 300)
            seconds, grown = burst(publisher, subscriber, options.count)
            figures = {'latency_p50_us': p50, 'latency_p99_us': p99,
                       'burst': options.count, 'burst_per_s': options.count / seconds,
                       'publisher_grown_mib': grown / 1024,
                       'grown_without_subscribers_mib': alone_mib(root, options.count),
                       'publisher_peak_mib': resident_kib(publisher.process, 'VmHWM') / 1024,
                       'history_per_s': history(publisher, subscriber, options.count)}
        finally:
            publisher.kill()
            subscriber.kill()
    print(json.dumps(figures, indent=1))
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(figures, file)


if __name__ == '__main__':
    main()
