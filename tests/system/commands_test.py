#!/usr/bin/env python3
"""The command line as people use it: values, negation, transactions, errors, exit codes."""
import json
import os
import pty
import shutil
import stat
import subprocess

import fixture
from fixture import NodesTest, command


def claims(entity, context, value):
    return json.dumps({'pointers': [{'role': 'subject', 'target': {'id': entity, 'context': context}},
                                    {'role': 'value', 'target': value}]})


class Commands(NodesTest):
    def value(self, node, entity, context):
        return node.json('get', entity)['properties'].get(context, {}).get('value')

    def test_falsy_values_are_kept(self):
        a = self.node('a').start()
        for value in (0, False, ''):
            a.run('write', '--claims', claims('e', 'p', value))
            self.assertEqual(self.value(a, 'e', 'p'), value)

    def test_a_later_write_wins_and_all_keeps_both(self):
        a = self.node('a').start()
        a.run('write', 'e', 'score', '95')
        a.run('write', 'e', 'score', '90')
        self.assertEqual(self.value(a, 'e', 'score'), 90)
        self.assertEqual(a.json('get', 'e', '--resolver', 'all')['properties']['score']['value'], [95, 90])
        self.assertEqual(a.json('get', 'e', '--resolver', 'first-write')['properties']['score']['value'], 95)

    def test_get_tells_that_it_shows_one_of_several_values(self):
        a = self.node('a').start()
        for reference in ('subdivision:SE-AB', 'subdivision:SE-C', 'subdivision:SE-C'):
            a.run('write', 'country:SE', 'subdivisions', '--reference', reference)
        a.run('write', 'country:SE', 'name', 'Sweden')
        shown = a.run('get', 'country:SE').stdout
        self.assertRegex(shown, r'subdivisions +-> subdivision:SE-C  \(of 2 values\)')
        self.assertRegex(shown, r'name +Sweden  1/1\n')
        self.assertIn('--resolver all', shown)
        self.assertNotIn('(of', a.run('get', 'country:SE', '--resolver', 'all').stdout)

    def test_a_text_that_reads_like_a_reference_or_a_number_is_shown_in_quotes(self):
        a = self.node('a').start()
        a.run('write', 'e', 'friend', '--reference', 'f')
        for name, text in (('arrow', '-> f'), ('number', '42'), ('word', 'plain')):
            a.run('write', '--claims', claims('e', name, text))
        shown = a.run('get', 'e').stdout
        for line in (r'friend +-> f  ', r'arrow +"-> f"  ', r'number +"42"  ', r'word +plain  '):
            self.assertRegex(shown, line)

    def test_a_text_of_others_cannot_steer_the_terminal(self):
        a = self.node('a').start()
        a.run('write', '--claims', claims('e', 'name\x1b[2J', 'red\x1b[31m\u202egnol\n  forged  line\u009b1m'))
        shown = a.run('get', 'e').stdout
        self.assertIn('red\\u001b[31m\\u202egnol\\u000a  forged', shown)
        self.assertEqual(len(shown.splitlines()), 2)
        for steering in '\x1b\u202e\u009b':
            self.assertNotIn(steering, shown)

    def test_negation_withdraws_and_a_negated_negation_restores(self):
        a = self.node('a').start()
        kept = a.json('write', 'e', 'p', 'kept')['ids'][0]
        gone = a.json('write', 'e', 'p', 'gone')['ids'][0]
        negation = a.json('negate', gone, '--reason', 'a typo')['ids'][0]
        self.assertEqual(self.value(a, 'e', 'p'), 'kept')
        again = a.json('negate', negation)['ids'][0]
        self.assertEqual(self.value(a, 'e', 'p'), 'gone')
        a.run('negate', again)
        self.assertEqual(self.value(a, 'e', 'p'), 'kept')
        a.run('negate', kept)
        self.assertIsNone(self.value(a, 'e', 'p'))

    def test_a_transaction_shows_only_when_all_of_it_is_there(self):
        a, b = self.node('a').start(), self.node('b').start()
        a.run('write', '--transaction', '--claims', '-', text=claims('account:1', 'balance', -5) + '\n'
              + claims('account:2', 'balance', 5) + '\n')
        manifest, first, second = a.run('export').stdout.splitlines()
        path = os.path.join(self.root, 'part.jsonl')

        def bring(*lines):
            with open(path, 'w', encoding='utf-8') as file:
                file.write(''.join(line + '\n' for line in lines))
            b.run('import', path)

        bring(manifest, first)
        self.assertIsNone(self.value(b, 'account:1', 'balance'), 'one of two')
        bring(second)
        self.assertEqual(self.value(b, 'account:1', 'balance'), -5)
        self.assertEqual(self.value(b, 'account:2', 'balance'), 5)

    def test_one_delta_shows_whole_under_each_entity_it_points_at(self):
        a = self.node('a').start()
        a.run('write', '--claims', json.dumps({'pointers': [
            {'role': 'actor', 'target': {'id': 'keanu', 'context': 'roles'}},
            {'role': 'role', 'target': {'id': 'neo', 'context': 'actor'}},
            {'role': 'film', 'target': {'id': 'the_matrix', 'context': 'cast'}},
            {'role': 'base_salary', 'target': 1000000}, {'role': 'salary_currency', 'target': 'usd'}]}))
        ids = set()
        for entity, context in (('keanu', 'roles'), ('neo', 'actor'), ('the_matrix', 'cast')):
            view = json.loads(a.run('get', entity, '--lossless').stdout)
            delta = view['properties'][context][0]['delta']
            self.assertEqual(len(delta['claims']['pointers']), 5)
            ids.add(delta['id'])
        self.assertEqual(len(ids), 1)
        self.assertEqual(self.value(a, 'keanu', 'roles'), {
            'roles': {'base_salary': 1000000, 'film': {'id': 'the_matrix', 'context': 'cast'},
                      'role': {'id': 'neo', 'context': 'actor'}, 'salary_currency': 'usd'}})

    def test_what_is_exported_is_imported_with_the_same_digest(self):
        a, b = self.node('a').start(), self.node('b').start()
        for i in range(10):
            a.run('write', f'e:{i}', 'p', str(i))
        path = os.path.join(self.root, 'all.jsonl')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(a.run('export').stdout)
        self.assertEqual(b.json('import', path)['added'], 10)
        self.assertEqual(b.status()['digest'], a.status()['digest'])
        self.assertEqual(b.json('import', path)['known'], 10)

    def test_a_bad_line_is_reported_and_the_rest_goes_on(self):
        a = self.node('a').start()
        result = a.run('write', '--claims', '-', '--json', check=False,
                       text=claims('e', 'p', 1) + '\n{"pointers":[]}\n' + claims('e', 'q', 2) + '\n')
        self.assertEqual(result.returncode, 1)
        answer = json.loads(result.stdout)
        self.assertEqual((answer['added'], answer['refused'], answer['problems'][0]['line']), (2, 1, 2))

    def on_a_terminal(self, *arguments):
        """What a command draws where its standard error is a terminal."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([fixture.RHIZOME, *arguments], stdout=subprocess.DEVNULL, stderr=follower)
        os.close(follower)
        drawn = b''
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the terminal's other end is closed: the command has ended
                break
            drawn += piece
        os.close(leader)
        self.assertEqual(process.wait(timeout=60), 0)
        return drawn.decode()

    def test_an_import_shows_a_bar_on_a_terminal_and_none_in_a_pipe(self):
        a = self.node('a').start()
        path = os.path.join(self.root, 'many.csv')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('nick\n' + ''.join(f'n{i}\n' for i in range(3000)))
        table = os.path.join(self.root, 'map.yaml')
        with open(table, 'w', encoding='utf-8') as file:
            file.write('entity: {id: "p:{nick}"}\nproperties: [{property: nick, value: "{nick}"}]\n')
        drawn = self.on_a_terminal('import', path, '--map', table, '--node', a.directory)
        self.assertRegex(drawn, r'\r\[#+ +\] +\d\d%  \d+ records, \d+ deltas added')
        self.assertIn('100%  3000 records, 3000 deltas added', drawn)
        again = a.run('import', path, '--map', table)
        self.assertNotIn('%', again.stderr)
        self.assertIn('3000 deltas read, 0 added, 3000 known, 0 refused', again.stdout)

    def test_an_import_that_was_cut_off_is_taken_up_by_running_it_again(self):
        a = self.node('a').start()
        path = os.path.join(self.root, 'many.jsonl')
        lines = [claims(f'e:{i}', 'n', i) for i in range(20000)]
        lines = [json.dumps({**json.loads(line), 'author': 'x', 'timestamp': 1}) for line in lines]
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')
        cut = subprocess.Popen([fixture.RHIZOME, 'import', path, '--node', a.directory], stdout=subprocess.DEVNULL)
        self.eventually('some are in', lambda: a.status()['deltas'] > 0)
        cut.kill()
        cut.wait()
        answer = a.json('import', path)
        self.assertEqual(answer['added'] + answer['known'], 20000)
        self.assertEqual(a.json('query', '--author', 'x', '--count')['matched'], 20000)

    def test_errors_say_what_to_do(self):
        a = self.node('a')
        result = a.run('status', check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f'start it with `rhizome run {a.directory}`', result.stderr)
        a.start()
        result = a.run('get', 'nobody', check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn("no delta points at the entity 'nobody'", result.stderr)
        result = a.run('query', '--filter', 'true', '--language', 'klingon', check=False)
        self.assertIn("filter language 'klingon' is not loaded; loaded: ", result.stderr)

    def test_exit_codes(self):
        self.assertEqual(command('nonsense', check=False).returncode, 2)
        self.assertEqual(command('get', check=False).returncode, 2)
        verbs = [line.split()[0] for line in command('--help').stdout.splitlines() if line.startswith('  ')]
        self.assertGreater(len(verbs), 17)
        for verb in verbs:
            shown = command(verb, '--help').stdout
            self.assertIn('--json', shown, verb)
            self.assertIn('Example: ', shown, verb)
            self.assertEqual(command(verb, '--nonsense', check=False).returncode, 2, verb)
        a = self.node('a')
        a.edit('level: info', 'level: loud')
        for arguments in (('config', 'check', a.directory), ('run', a.directory)):
            result = command(*arguments, check=False)
            self.assertEqual(result.returncode, 78)
            self.assertIn('log.level: expected one of', result.stderr)

    def test_keys_and_directories_are_private(self):
        a = self.node('a')
        mode = stat.S_IMODE(os.stat(os.path.join(a.directory, 'node.key')).st_mode)
        self.assertEqual(mode, 0o600)
        os.chmod(os.path.join(a.directory, 'node.key'), 0o644)
        result = command('run', a.directory, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn('expected 0600', result.stderr)
        again = command('init', a.directory, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn('exists already', again.stderr)

    def test_doctor_and_plugin_inspect(self):
        a = self.node('a')
        checks = {check['check']: check for check in a.json('doctor')}
        self.assertTrue(all(check['ok'] for check in checks.values()))
        for plugin in ('store rhizome.leveldb', 'transport rhizome.zeromq', 'filters[0] rhizome.jsonlogic',
                       'resolvers[0] rhizome.standard'):
            self.assertIn(plugin, checks['plugins']['message'])
        info = a.json('plugin', 'inspect', 'leveldb')
        self.assertTrue(info['would_load'])
        self.assertIn('rhizome.store/1', info['interfaces'])
        a.run('plugin', 'trust', 'leveldb')
        self.assertTrue(a.json('plugin', 'inspect', 'leveldb')['pinned'])

    def strange(self, node):
        """Puts a copy of the standard resolver, in a directory of its own, into the node's config."""
        plugins = os.path.join(os.path.dirname(os.path.dirname(fixture.RHIZOME)), 'lib', 'rhizome', 'plugins')
        copy = os.path.join(self.root, 'standard.so')
        shutil.copyfile(os.path.join(plugins, 'standard.so'), copy)
        node.edit('  - plugin: standard\n', f'  - plugin: {copy}\n')

    def test_a_strangers_resolver_runs_in_the_node_only_where_the_config_says_so(self):
        a = self.node('a')
        self.strange(a)
        for arguments in (('config', 'check', a.directory), ('run', a.directory)):
            refused = command(*arguments, check=False)
            self.assertEqual(refused.returncode, 78)
            self.assertRegex(refused.stderr, r'rhizome.yaml:\d+: resolvers\[0\].isolate: expected isolate: none')
        a.edit('standard.so\n', 'standard.so\n    isolate: process\n')
        refused = command('config', 'check', a.directory, check=False)
        self.assertIn('resolvers[0].isolate: expected one of "none"', refused.stderr)
        a.edit('isolate: process', 'isolate: none')
        a.start()
        a.run('write', 'e', 'p', 'v')
        self.assertEqual(self.value(a, 'e', 'p'), 'v')

    def test_a_plugin_of_another_kind_is_told_before_anything_starts(self):
        a = self.node('a')
        a.edit('plugin: leveldb', 'plugin: jsonlogic')
        refused = command('config', 'check', a.directory, check=False)
        self.assertEqual(refused.returncode, 78)
        self.assertIn('is rhizome.jsonlogic, a filter', refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(a.directory, 'data')))


if __name__ == '__main__':
    fixture.main()
