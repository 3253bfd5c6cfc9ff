"""Nodes for tests: directories, processes and commands, ended by pid and removed at the end."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

RHIZOME = ''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Node:
    """One node's directory and, between start and stop, its process."""

    def __init__(self, root, name):
        self.directory = os.path.join(root, name)
        self.name = name
        self.port = free_port()
        self.process = None
        made = json.loads(command('init', self.directory, '--listen', self.address, '--json').stdout)
        self.key = made['key']

    @classmethod
    def made(cls, directory, name, port, key):
        """One whose directory another command made."""
        node = cls.__new__(cls)
        node.directory, node.name, node.port, node.key, node.process = directory, name, port, key, None
        return node

    @property
    def address(self):
        return f'tcp://127.0.0.1:{self.port}'

    def peers(self, *others, dial=()):
        """Writes who is known; those in `dial` are dialled."""
        lines = ''.join(f"  - {{name: {n.name}, key: '{n.key}'"
                        + (f", address: '{n.address}'" if n in dial else '') + '}\n' for n in others)
        self.edit('peers: []\n', 'peers:\n' + lines)

    def edit(self, old, new):
        path = os.path.join(self.directory, 'rhizome.yaml')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        assert old in text, f'{old!r} is not in {path}'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new))

    def start(self):
        with open(os.path.join(self.directory, 'log'), 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen([RHIZOME, 'run', self.directory], stdout=subprocess.PIPE,
                                            stderr=log, text=True)
        ready = self.process.stdout.readline()
        assert ready.startswith('ready '), f'{self.name}: {ready!r}\n{self.log()}'
        return self

    def log(self):
        with open(os.path.join(self.directory, 'log'), encoding='utf-8') as file:
            return file.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process = None
        return code

    def run(self, verb, *arguments, check=True, text=None):
        return command(verb, *arguments, '--node', self.directory, check=check, text=text)

    def json(self, verb, *arguments, text=None):
        return json.loads(self.run(verb, *arguments, '--json', text=text).stdout)

    def status(self):
        return self.json('status')


def command(*arguments, check=True, text=None):
    result = subprocess.run([RHIZOME, *arguments], capture_output=True, text=True, input=text, timeout=60)
    if check and result.returncode != 0:
        raise AssertionError(f'rhizome {" ".join(arguments)}: exit {result.returncode}\n{result.stderr}')
    return result


class NodesTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='rhizome-system-')
        self.nodes = []

    def tearDown(self):
        for node in self.nodes:
            if node.process is not None:
                node.kill()
        shutil.rmtree(self.root)

    def node(self, name):
        made = Node(self.root, name)
        self.nodes.append(made)
        return made

    def chain(self, names):
        """Each node dials the one before it."""
        nodes = [self.node(name) for name in names]
        for i, node in enumerate(nodes):
            node.peers(*nodes[max(0, i - 1):i] + nodes[i + 1:i + 2], dial=nodes[max(0, i - 1):i])
        return [node.start() for node in nodes]

    def eventually(self, what, holds, seconds=60):
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                self.fail(f'not within {seconds} s: {what}')
            time.sleep(0.05)

    def converged(self, nodes, seconds=90):
        self.eventually('one digest', lambda: len({n.status()['digest'] for n in nodes}) == 1, seconds)


def main():
    global RHIZOME
    RHIZOME = sys.argv.pop(1)
    unittest.main(module='__main__', verbosity=1)
