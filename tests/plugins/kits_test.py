#!/usr/bin/env python3
"""The conformance suites load what a host loads, and say what is wrong with the rest.

    kits_test.py BAD_PLUGINS SUITE...

BAD_PLUGINS is the directory of tests/plugins/bad. Called by ctest; Python's own library only.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

# A plugin of kind store, and what the store's suite says of it.
REFUSED = {
    'another_abi': 'manifest: abi: expected 1, found 9',
    'control': 'manifest: interfaces: expected rhizome.store/1 among them',
    'unknown_capability': 'manifest: capabilities: expected of a store',
    'unknown_manifest_key': 'an unknown key',
    'unsupported_schema': 'manifest: config',
    'no_note': 'no manifest note',
    'declares_in_vain': 'answers NULL for rhizome.store.resolve/1, which its manifest declares',
    'offers_in_silence': 'answers rhizome.store.resolve/1, which its manifest does not declare',
}


def run(suite, *arguments, **options):
    return subprocess.run([suite, *arguments], capture_output=True, text=True, check=False,
                          timeout=60, **options)


class Kits(unittest.TestCase):
    def test_the_store_suite_refuses_what_a_host_would_not_load(self):
        store = next(suite for suite in SUITES if 'store' in os.path.basename(suite))
        for name, reason in REFUSED.items():
            with self.subTest(plugin=name):
                result = run(store, f'{PLUGINS}/{name}.so')
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn(reason, result.stderr)
                self.assertTrue(result.stderr.endswith('\n'))
                self.assertEqual(result.stdout, '')

    def test_a_plugin_of_another_kind_is_refused(self):
        for suite in SUITES:
            if 'store' in os.path.basename(suite):
                continue
            result = run(suite, f'{PLUGINS}/control.so')
            self.assertEqual(result.returncode, 1)
            self.assertIn('manifest: kind: expected ', result.stderr)

    def test_help_is_the_suites_own_and_no_failure(self):
        for suite in SUITES:
            result = run(suite, '--help')
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(result.stdout.startswith(f'usage: {os.path.basename(suite)} PATH.so'))
            self.assertIn('--config JSON', result.stdout)
            self.assertNotIn('This program contains tests', result.stdout)

    def test_a_wrong_command_line_names_the_word(self):
        for suite in SUITES:
            result = run(suite, f'{PLUGINS}/control.so', '--nonsense')
            self.assertEqual(result.returncode, 2)
            self.assertIn("unexpected argument '--nonsense'", result.stderr)
            self.assertEqual(run(suite).returncode, 2)

    def test_a_bare_name_is_a_file_of_the_current_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(f'{PLUGINS}/another_abi.so', f'{directory}/plain.so')
            for suite in SUITES:
                result = run(suite, 'plain.so', cwd=directory)
                self.assertIn('plain.so: manifest: abi: expected 1', result.stderr)


if __name__ == '__main__':
    PLUGINS, SUITES = sys.argv[1], sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
