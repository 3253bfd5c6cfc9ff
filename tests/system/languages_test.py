#!/usr/bin/env python3
"""A filter language beside JSON-Logic: its config takes effect, and its filters travel to nodes without it."""
import json
import os
import sys

import fixture
from fixture import NodesTest

SAMPLE = ''


class Languages(NodesTest):
    def with_terms(self, node, config):
        node.edit('  - plugin: jsonlogic\n',
                  f'  - plugin: jsonlogic\n  - plugin: {SAMPLE}\n    isolate: none\n    config: {config}\n')
        return node

    def test_a_query_in_another_language_finds_what_it_means(self):
        node = self.with_terms(self.node('a'), '{}').start()
        for year in (1989, 1990, 1991):
            node.run('write', f'film:{year}', 'year', str(year))
        node.run('write', 'film:text', 'year', '"1995"')
        rows = node.run('query', '--language', 'sample.filter-terms', '--filter', 'value:value >= 1990').stdout
        found = sorted(json.loads(row)['claims']['pointers'][1]['target'] for row in rows.splitlines())
        self.assertEqual(found, [1990, 1991])  # typed: the text is no number

    def test_the_config_of_a_language_takes_effect(self):
        node = self.with_terms(self.node('a'), '{max_terms: 1}').start()
        node.run('write', 'film:x', 'year', '1990')
        one = node.run('query', '--language', 'sample.filter-terms', '--filter', 'entity = "film:x"')
        self.assertEqual(len(one.stdout.splitlines()), 1)
        two = node.run('query', '--language', 'sample.filter-terms', '--filter',
                       'entity = "film:x" and value:value = 1990', check=False)
        self.assertIn('more terms than max_terms', two.stderr)

    def test_a_config_that_the_language_does_not_take_is_refused_before_it_runs(self):
        node = self.with_terms(self.node('a'), '{max_terms: 1000}')
        checked = fixture.command('config', 'check', node.directory, check=False)
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn('max_terms', checked.stdout + checked.stderr)

    def test_its_filters_travel_to_a_node_that_lacks_it(self):
        publisher, subscriber = self.node('publisher'), self.with_terms(self.node('subscriber'), '{}')
        publisher.peers(subscriber)
        subscriber.peers(publisher, dial=[publisher])
        publisher.start()
        subscriber.start()
        for year in (1989, 1990):
            publisher.run('write', f'film:{year}', 'year', str(year))
        rows = subscriber.run('query', '--peer', 'publisher', '--language', 'sample.filter-terms', '--filter',
                              'value:value >= 1990 and not entity = "film:1"').stdout
        self.assertEqual([json.loads(row)['claims']['pointers'][1]['target'] for row in rows.splitlines()],
                         [1990])


if __name__ == '__main__':
    SAMPLE = os.path.realpath(sys.argv.pop(2))
    fixture.main()
