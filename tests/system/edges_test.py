#!/usr/bin/env python3
"""What comes into a node's process from outside: arguments, descriptors, files, the log's reader."""
import fcntl
import json
import os
import shutil
import socket
import subprocess

import fixture
from fixture import NodesTest, command

F_SETPIPE_SZ = 1031
VERBS = ('init', 'run', 'status', 'peers', 'invite', 'join', 'roster', 'doctor', 'repair', 'write', 'negate',
         'import', 'export', 'query', 'get', 'subscribe', 'extent', 'config', 'plugin', 'keygen', 'delta', 'filter')


def claims(entity, context, value):
    return json.dumps({'pointers': [{'role': 'subject', 'target': {'id': entity, 'context': context}},
                                    {'role': 'value', 'target': value}]})


class Arguments(NodesTest):
    def test_bytes_that_are_no_utf8_are_a_usage_error_of_every_verb(self):
        for verb in VERBS:
            for arguments in ([b'k\xff'], [b'e', b'p', b'v\xff'], [b'--node', b'\xed\xa0\x80']):
                got = subprocess.run([fixture.RHIZOME.encode(), verb.encode(), *arguments],
                                     capture_output=True, timeout=60)
                self.assertEqual(got.returncode, 2, (verb, arguments, got.stderr))
                self.assertIn(f'argument {len(arguments) + 1}'.encode(), got.stderr)
                self.assertIn(b'expected UTF-8', got.stderr)
        got = subprocess.run([fixture.RHIZOME, 'status'], capture_output=True, timeout=60,
                             env={**os.environb, b'RHIZOME_NODE': b'/tmp/\xff'})
        self.assertEqual(got.returncode, 2)
        self.assertIn(b'$RHIZOME_NODE', got.stderr)

    def test_a_value_nested_deeper_than_the_stack_is_text(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '[' * 100_000)
        self.assertEqual(a.json('get', 'e')['properties']['p']['value'], '[' * 100_000)

    def test_paths_that_cannot_be_read_are_errors_with_a_reason(self):
        long_name = os.path.join(self.root, 'x' * 300)
        line = ('rhizome:' + '11' * 32 + '@tcp://127.0.0.1:9,fabric=default,ticket=' + '22' * 16)
        for arguments, code in ((('config', 'check', long_name), 78), (('init', long_name), 1),
                                (('join', line, '--node', long_name), 1), (('status', '--node', long_name), 1),
                                (('doctor', '--node', long_name), 1), (('run', long_name), 78)):
            got = command(*arguments, check=False)
            self.assertEqual(got.returncode, code, (arguments, got.stderr))
            self.assertIn('File name too long', got.stderr + got.stdout)

    def test_an_invitation_cannot_open_a_node_or_add_keys_to_its_config(self):
        for address, fabric in (('tcp://h:1', '--open'), ('tcp://h1:1', '--store'), ('tcp://h:1', 'a%0ab')):
            directory = os.path.join(self.root, f'n{len(os.listdir(self.root))}')
            line = f'rhizome:{"3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"}@{address}' \
                   f',fabric={fabric},ticket={"22" * 16}'
            command('join', line, '--node', directory)
            with open(os.path.join(directory, 'rhizome.yaml'), encoding='utf-8') as file:
                text = file.read()
            self.assertIn('admission: allow-list', text)
            self.assertIn('plugin: leveldb', text)
            self.assertEqual(command('config', 'check', directory).returncode, 0)
        for address in ('tcp://h:1\n  x: y', "tcp://h'", 'tcp://h"', 'tcp://h 1'):
            got = command('join', f'rhizome:{"11" * 32}@{address},fabric=f,ticket={"22" * 16}', '--node',
                          os.path.join(self.root, 'never'), check=False)
            self.assertEqual(got.returncode, 1)
            self.assertFalse(os.path.exists(os.path.join(self.root, 'never')))


class Configs(NodesTest):
    def problems(self, node, path, *said):
        """config check, doctor and run refuse alike; run with 78."""
        check = command('config', 'check', node.directory, check=False)
        self.assertEqual(check.returncode, 78, check.stdout)
        ran = command('run', node.directory, check=False)
        self.assertEqual(ran.returncode, 78, ran.stderr)
        doctor = command('doctor', '--node', node.directory, check=False)
        self.assertEqual(doctor.returncode, 1)
        for text in (check.stderr, ran.stderr, doctor.stdout):
            self.assertRegex(text, rf'rhizome.yaml:[0-9]+: {path}: expected')
            for part in said:
                self.assertIn(part, text)

    def test_what_run_refuses_the_check_refuses_with_its_line(self):
        for listen in ('udp://127.0.0.1:1', 'tcp://127.0.0.1', 'tcp://127.0.0.1:99999', 'ipc:x/y'):
            a = self.node('a')
            a.edit(a.address, listen)
            self.problems(a, 'transport.config.listen', 'tcp://HOST:PORT', listen)
            shutil.rmtree(a.directory)

    def test_an_address_that_the_transport_cannot_dial_is_a_problem_of_the_config(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b, dial=[b])
        a.edit(b.address, 'udp://127.0.0.1:1')
        self.problems(a, r'peers\[0\].address', 'zeromq can dial', 'udp://127.0.0.1:1')

    def test_a_name_of_a_host_is_an_address_to_listen_on(self):
        a = self.node('a')
        a.edit('tcp://127.0.0.1:', 'tcp://localhost:')
        self.assertIn('all right', command('config', 'check', a.directory).stdout)
        a.start()

    def test_plugins_are_found_by_their_ids_whatever_their_files_are_called(self):
        a = self.node('a')
        built = os.path.join(os.path.dirname(fixture.RHIZOME), '..', 'lib', 'rhizome', 'plugins')
        plugins = os.path.join(self.root, 'plugins')
        os.mkdir(plugins, 0o700)
        for name, called in (('leveldb', 'one'), ('zeromq', 'two'), ('standard', 'jsonlogic'),
                             ('jsonlogic', 'standard')):
            shutil.copy(os.path.join(built, name + '.so'), os.path.join(plugins, called + '.so'))
        a.edit('store:', f'plugins:\n  path: [{plugins}]\nstore:')
        a.edit('- plugin: jsonlogic', '- {plugin: rhizome.jsonlogic, isolate: none}')
        a.edit('- plugin: standard', '- {plugin: standard, isolate: none}')
        a.start()
        a.run('write', 'e', 'p', '1')
        self.assertEqual(a.json('get', 'e')['properties']['p']['value'], 1)
        self.assertEqual(a.run('query', '--filter', '{">": [{"var": "timestamp"}, 0]}', '--count').returncode, 0)
        self.assertEqual(a.stop(), 0)
        a.edit('plugin: leveldb', 'plugin: rocksdb')
        self.problems(a, 'store.plugin', "no store plugin has the id 'rocksdb'", 'rhizome.leveldb')

    def test_the_default_resolver_is_the_configs_and_an_unknown_one_is_refused(self):
        a = self.node('a')
        a.edit('resolvers:', 'views:\n  resolver: all\nresolvers:')
        a.start()
        a.run('write', 'e', 'p', '1')
        a.run('write', 'e', 'p', '2')
        self.assertEqual(a.json('get', 'e')['properties']['p']['value'], [1, 2])
        self.assertEqual(a.json('get', 'e', '--resolver', 'first-write')['properties']['p']['value'], 1)
        self.assertEqual(a.stop(), 0)
        a.edit('resolver: all', 'resolver: longest')
        self.problems(a, 'views.resolver', "a resolver that is offered, found no resolver 'longest'")

    def test_a_resolver_takes_its_options_from_the_config_and_from_the_request(self):
        a = self.node('a')
        a.edit('resolvers:', 'views:\n  resolver: most-recent\n  options: {count: 2}\nresolvers:')
        a.start()
        for value in '123':
            a.run('write', 'e', 'p', value)

        def value(*options):
            return a.json('get', 'e', *options)['properties']['p']['value']
        self.assertEqual(value(), [3, 2])
        self.assertEqual(value('--resolver-options', '{"count": 1}'), [3])
        self.assertEqual(value('--resolver', 'most-recent'), [3, 2, 1])  # named: the usual options
        for options, said in (('{"count": 0}', 'count'), ('{"size": 1}', 'size'), ('{"count"', 'not JSON'),
                              ('[1]', 'expected an object')):
            ran = a.run('get', 'e', '--resolver-options', options, check=False)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(said, ran.stderr)
        self.assertEqual(a.stop(), 0)
        a.edit('count: 2', 'count: 5000')
        self.problems(a, 'views.options', 'options that the resolver takes', 'count')


class Log(NodesTest):
    def started_with_a_full_log(self, node):
        """A node whose standard error is a full 4 KiB pipe; the pipe's reading end."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writer, b'.')
        os.set_blocking(writer, True)
        node.process = subprocess.Popen([fixture.RHIZOME, 'run', node.directory], stdout=subprocess.PIPE,
                                        stderr=writer, text=True)
        os.close(writer)
        self.assertTrue(node.process.stdout.readline().startswith('ready '))
        return reader

    def test_a_reader_that_stands_still_stops_neither_the_node_nor_its_end(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b)
        b.peers(a, dial=[a])
        reader = self.started_with_a_full_log(a)
        b.start()
        self.eventually('a line waits', lambda: a.status()['log']['waiting_bytes'] > 0)
        for i in range(20):
            a.run('write', 'e', f'p{i}', str(i))
        self.converged([a, b])
        b.kill()  # one more line
        self.eventually('b is down', lambda: a.status()['peers_up'] == 0)
        self.assertEqual(a.stop(), 0)
        os.close(reader)

    def test_lines_that_waited_come_once_the_log_is_read_again(self):
        a, b = self.node('a'), self.node('b')
        a.peers(b)
        b.peers(a, dial=[a])
        reader = self.started_with_a_full_log(a)
        b.start()
        self.eventually('a line waits', lambda: a.status()['log']['waiting_bytes'] > 0)
        text = b''
        while b'peer.up' not in text:
            text += os.read(reader, 65536)
        self.eventually('none waits', lambda: a.status()['log'] == {'dropped': 0, 'waiting_bytes': 0})
        self.assertEqual(a.stop(), 0)
        os.close(reader)


class Descriptors(NodesTest):
    def test_log_lines_never_land_in_the_store_where_the_first_descriptors_were_closed(self):
        a = self.node('a')
        a.edit('level: info', 'level: debug')
        # As `rhizome run a <&- >&- 2>&-` starts it.
        a.process = subprocess.Popen(['sh', '-c', 'exec "$0" run "$1" <&- >&- 2>&-', fixture.RHIZOME,
                                      a.directory], stdout=subprocess.PIPE, text=True)
        self.eventually('it answers', lambda: a.run('status', check=False).returncode == 0)
        for descriptor in (0, 1, 2):
            self.assertEqual(os.readlink(f'/proc/{a.process.pid}/fd/{descriptor}'), '/dev/null')
        a.run('write', 'e', 'p', '1')
        self.assertEqual(a.stop(), 0)
        self.assertEqual(a.start().json('get', 'e')['properties']['p']['value'], 1)

    def test_silent_connections_leave_descriptors_for_the_store_and_for_status(self):
        a = self.node('a')
        a.process = subprocess.Popen(['prlimit', '--nofile=256:256', fixture.RHIZOME, 'run', a.directory],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        a.process.stdout.readline()
        strangers, most = [], 0
        try:
            for i in range(26):
                for _ in range(50):
                    one = socket.socket()
                    one.setblocking(False)
                    one.connect_ex(('127.0.0.1', a.port))
                    strangers.append(one)
                lines = ''.join(claims(f'e{i}', f'p{j}', 'x' * 2000) + '\n' for j in range(200))
                a.run('write', '--claims', '-', text=lines)
                most = max(most, a.status()['descriptors']['open'])
        finally:
            for one in strangers:
                one.close()
        self.assertLess(most, 240)
        self.assertEqual(a.status()['deltas'], 26 * 200)
        b = self.node('b')  # and a peer gets in
        b.peers(a, dial=[a])
        self.assertEqual(a.stop(), 0)
        a.peers(b)
        a.start()
        b.start()
        self.converged([a, b])

    def test_the_soft_limit_is_raised_and_status_shows_what_is_used(self):
        a = self.node('a')
        a.process = subprocess.Popen(['prlimit', '--nofile=256:512', fixture.RHIZOME, 'run', a.directory],
                                     stdout=subprocess.PIPE, text=True)
        a.process.stdout.readline()
        use = a.status()['descriptors']
        self.assertEqual(use['limit'], 512)
        self.assertEqual(use['open'], len(os.listdir(f'/proc/{a.process.pid}/fd')) + 1)  # the asker's


if __name__ == '__main__':
    fixture.main()
