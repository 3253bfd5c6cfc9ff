#!/usr/bin/env python3
"""A mistake never asks for more than was meant, and what could not be done is never a success."""
import json
import os
import shutil
import subprocess

import fixture
from fixture import NodesTest, command


def into_a_full_disk(*arguments):
    with open('/dev/full', 'wb') as full:
        return subprocess.run([fixture.RHIZOME, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)


class Options(NodesTest):
    def test_an_option_that_is_given_empty_is_a_usage_error(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        for verb, option in (('query', '--filter'), ('query', '--entity'), ('subscribe', '--author'),
                             ('get', '--resolver')):
            got = a.run(verb, *(['e'] if verb == 'get' else []), option, '', check=False)
            self.assertEqual(got.returncode, 2, got.stdout)
            self.assertEqual(got.stdout, '')
            self.assertIn(option, got.stderr)

    def test_a_number_below_zero_or_beyond_64_bits_is_a_usage_error(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        for option in ('--after', '--limit'):
            for number in ('-1', '99999999999999999999', '1.5', 'x'):
                got = a.run('query', option, number, check=False)
                self.assertEqual(got.returncode, 2, got.stdout)
                self.assertIn('expected a whole number from 0 on', got.stderr)

    def test_a_position_beyond_all_is_behind_the_last_one(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        for after in (1, 2**48 - 1, 2**48, 2**64 - 1):
            self.assertEqual(a.json('query', '--count', '--after', str(after))['matched'], 0, after)

    def test_a_rule_that_is_wrong_is_told_with_its_place_by_every_verb(self):
        a = self.node('a').start()
        rule = '{"==": [1, 2}'
        for verb in ('query', 'subscribe'):
            got = a.run(verb, '--filter', rule, check=False)
            self.assertEqual(got.returncode, 1)
            self.assertIn(f'  {rule}\n  {" " * 12}^ byte 12', got.stderr)
            told = json.loads(a.run(verb, '--filter', rule, '--json', check=False).stderr)['error']
            self.assertEqual(told['position'], 13)

    def test_init_makes_no_node_that_cannot_run(self):
        for option, value, said in (('--listen', 'udp://127.0.0.1:1', 'tcp://HOST:PORT'), ('--store', 'nope', 'nope'),
                                    ('--transport', '/tmp/none.so', '/tmp/none.so')):
            directory = os.path.join(self.root, 'n')
            got = command('init', directory, option, value, check=False)
            self.assertNotEqual(got.returncode, 0)
            self.assertIn('the config would be wrong', got.stderr)
            self.assertIn(said, got.stderr)
            self.assertFalse(os.path.exists(os.path.join(directory, 'rhizome.yaml')))

    def test_a_plugin_is_named_to_every_command_as_in_the_config(self):
        for name in ('jsonlogic', 'rhizome.jsonlogic'):
            self.assertIn('rhizome.jsonlogic', command('plugin', 'inspect', name).stdout)
            self.assertIn('found by', command('filter', 'explain', '{"@entity":"e"}', '--language', name).stdout)
        wrong = command('plugin', 'inspect', 'json-logic', check=False)
        self.assertEqual(wrong.returncode, 78)
        self.assertIn('there are: rhizome.inproc, rhizome.jsonlogic', wrong.stderr)

    def test_two_files_of_one_id_and_one_name_in_two_directories_are_refused(self):
        a = self.node('a')
        built = os.path.join(os.path.dirname(fixture.RHIZOME), '..', 'lib', 'rhizome', 'plugins')
        other = os.path.join(self.root, 'other')
        os.mkdir(other, 0o700)
        with open(os.path.join(built, 'memory.so'), 'rb') as file:
            bytes_of_it = file.read()
        with open(os.path.join(other, 'memory.so'), 'wb') as file:
            file.write(bytes_of_it.replace(b'"version": "0.1.0"', b'"version": "0.1.9"'))
        a.edit('store:', f'plugins:\n  path: [{os.path.realpath(built)}, {other}]\nstore:')
        a.edit('plugin: leveldb', 'plugin: memory')
        check = command('config', 'check', a.directory, check=False)
        self.assertEqual(check.returncode, 78, check.stdout)
        self.assertIn('two plugins have the id rhizome.memory', check.stderr)


    def test_a_config_that_is_no_utf8_is_refused_as_a_whole(self):
        a = self.node('a')
        with open(os.path.join(a.directory, 'rhizome.yaml'), 'ab') as file:
            file.write(b'# \xff\xfe\n')
        check = command('config', 'check', a.directory, check=False)
        self.assertEqual(check.returncode, 78)
        self.assertIn('expected UTF-8 text', check.stderr)

    def test_a_config_that_cannot_be_read_is_a_problem_in_json_too(self):
        check = command('config', 'check', '/nonexistent', '--json', check=False)
        self.assertEqual(check.returncode, 78)
        self.assertIn('expected a file that can be read', json.loads(check.stdout)['problems'][0]['found'])

    def test_claims_and_a_property_at_once_are_a_usage_error(self):
        a = self.node('a').start()
        got = a.run('write', 'e', 'p', 'v', '--claims', '{}', check=False)
        self.assertEqual(got.returncode, 2)

    def test_a_node_without_descriptors_does_not_start(self):
        a = self.node('a')
        got = subprocess.run(['sh', '-c', 'ulimit -n 40; exec "$0" run "$1"', fixture.RHIZOME, a.directory],
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(got.returncode, 1)
        self.assertIn('expected a limit of at least 128, found 40', got.stderr)


class Output(NodesTest):
    def test_what_a_full_disk_cuts_is_a_failure_of_every_verb(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        node = ('--node', a.directory)
        for arguments in (('export', *node), ('query', *node), ('get', 'e', *node), ('status', *node),
                          ('peers', *node), ('write', 'e', 'q', '2', *node), ('roster', 'show', *node),
                          ('doctor', *node), ('invite', *node), ('plugin', 'list'), ('config', 'schema'),
                          ('--help',), ('query', '--help')):
            got = into_a_full_disk(*arguments)
            self.assertEqual(got.returncode, 1, arguments)
            self.assertIn('standard output cannot be written', got.stderr, arguments)

    def test_a_subscriptions_token_stays_behind_the_rows_that_were_written(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        token = os.path.join(self.root, 'token')
        got = into_a_full_disk('subscribe', '--resume-file', token, '--node', a.directory)
        self.assertEqual(got.returncode, 1)
        with subprocess.Popen([fixture.RHIZOME, 'subscribe', '--resume-file', token, '--node', a.directory],
                              stdout=subprocess.PIPE, text=True) as again:
            self.assertIn('"context":"p"', again.stdout.readline())
            again.terminate()

    def test_a_token_file_that_cannot_be_written_is_told_at_once_with_its_path(self):
        a = self.node('a').start()
        got = a.run('subscribe', '--resume-file', '/nonexistent/token', check=False)
        self.assertEqual(got.returncode, 1)
        self.assertIn('/nonexistent/token.new cannot be written: No such file or directory', got.stderr)


class Damage(NodesTest):
    def test_a_store_without_its_file_current_is_damaged_and_not_new(self):
        a = self.node('a').start()
        for i in range(20):
            a.run('write', 'e', 'p', str(i))
        for _ in range(2):  # the log becomes a table
            a.stop()
            a.start()
        a.stop()
        files = os.path.join(a.directory, 'data', 'db')
        os.remove(os.path.join(files, 'CURRENT'))
        before = sorted(os.listdir(files))
        ran = command('run', a.directory, check=False)
        self.assertNotEqual(ran.returncode, 0)
        self.assertIn('CURRENT is missing', ran.stderr)
        self.assertIn('rhizome repair', ran.stderr)
        self.assertEqual(sorted(os.listdir(files)), before)
        self.assertIn('kept     20', command('repair', '--node', a.directory).stdout)

    def test_a_repair_that_takes_nothing_over_is_a_failure(self):
        a = self.node('a').start()
        a.run('write', 'e', 'p', '1')
        a.stop()
        files = os.path.join(a.directory, 'data', 'db')
        shutil.rmtree(files)
        os.mkdir(files)
        got = command('repair', '--node', a.directory, check=False)
        self.assertEqual(got.returncode, 1)
        self.assertIn('no delta could be taken over', got.stderr)


if __name__ == '__main__':
    fixture.main()
