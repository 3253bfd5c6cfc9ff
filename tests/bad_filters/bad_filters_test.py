#!/usr/bin/env python3
"""Each bad filter language fails exactly its own check of the conformance suite, and each check has one.

    bad_filters_test.py SUITE PLUGIN JSON-LOGIC SOURCES

Called by ctest; Python's own library only.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

# fault: the check that must find it
FAULTS = {
    'atoms_greater': 'Filter.AtomsNeverUnderMatch',
    'atoms_strict': 'Filter.AtomsNeverUnderMatch',
    'atoms_sink': 'Filter.AtomsAreTheSameAtEachCallAndStopWhereTheSinkSaysSo',
    'travels_true': 'Filter.WhatTravelsMeansTheSame',
    'travels_many': 'Filter.WhatTravelsMeansTheSame',
    'deep': 'Filter.DeepAndLongSourcesTravelWithinTheBoundsOrAreRefused',
    'travels_sink': 'Filter.ASinkThatRefusesWhatTravelsEndsTheCallWithItsCode',
    'travels_numbered': 'Filter.EqualFiltersTravelAsEqualBytes',
    'one_word': 'Filter.ABatchAnswersAsItsDeltasOneByOneAndAgain',
    'pairs': 'Filter.PairsAnswerAsEachFilterOnEachDelta',
    'fixed_stride': 'Filter.ADeltaOfALaterHostReadsTheSame',
    'budget_matches': 'Filter.ABudgetStopsADeltaOrLeavesItsAnswerAlone',
    'budget_limit': 'Filter.ABudgetStopsADeltaOrLeavesItsAnswerAlone',
    'free': 'Filter.WorkThatGrowsWithTheDeltaIsCountedInSteps',
    'clock': 'Filter.EvaluationReadsNoClockAndNoChance',
    'threads': 'Filter.ThreadsAskOneFilterAtTheSameTime',
    'one_instance': 'Filter.InstancesComeAndGoBesideEachOther',
    'no_reason': 'Filter.AnyBytesAreCompiledOrRefusedWithAReason',
    'wild_position': 'Filter.DamagedSourcesAreRefusedWithAPlaceOrRun',
    'large': 'Filter.ATooLargeSourceIsRefused',
    'null_error': 'Filter.AMissingErrorBlockIsNoProblem',
    'kept_source': 'Filter.TheSourceIsNotKept',
}
# What the suite asks of JSON-Logic alone.
JSON_LOGIC = {'Filter.ADeltaInPlaceAnswersAsTheSameDeltaInJson', 'Filter.GreedyRulesEndInTheirBudget'}


def run(*arguments, sources=None):
    return subprocess.run([SUITE, PLUGIN, '--json-logic', REFERENCE, '--sources', sources or SOURCES,
                           *arguments],
                          capture_output=True, text=True, errors='replace', check=False,
                          timeout=120,
                          env={**os.environ, 'RHIZOME_SEED': '1'})


def failed(fault):
    """The checks that fail for the plugin with this fault."""
    result = run('--config', json.dumps({'fault': fault}))
    if 'test suites ran.' not in result.stdout:
        return {f'the suite ended early: {result.stdout[-400:]}{result.stderr[-400:]}'}
    return set(re.findall(r'^\[  FAILED  \] (\w+\.\w+) \(', result.stdout, re.M))


class BadFilters(unittest.TestCase):
    def test_a_language_without_a_fault_conforms(self):
        self.assertEqual(failed('none'), set())

    def test_each_fault_fails_its_own_check_alone(self):
        for fault, check in FAULTS.items():
            with self.subTest(fault=fault):
                self.assertEqual(failed(fault), {check})

    def test_each_check_has_a_fault(self):
        listed = run('--config', '{"fault": "none"}', '--gtest_list_tests').stdout
        own = listed.split('\nFilter.\n')[1]
        checks = {f'Filter.{name}' for name in re.match(r'(?:  .*\n?)*', own)[0].split()}
        self.assertEqual(checks - JSON_LOGIC, set(FAULTS.values()))

    def test_a_source_that_does_not_compile_is_named_with_its_line(self):
        with tempfile.NamedTemporaryFile('w', suffix='.txt') as sources:
            sources.write('year >= 1990\nname =\nyear >= 3\n')
            sources.flush()
            result = run('--config', '{"fault": "none"}', sources=sources.name)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f'{sources.name}: every source must compile', result.stderr)
        self.assertIn('line 2: name =: invalid: expected ROLE >= NUMBER', result.stderr)
        self.assertNotIn('line 1', result.stderr)
        self.assertEqual(result.stdout, '')

    def test_a_compile_that_does_not_return_ends_the_suite_and_names_the_source(self):
        result = run('--config', '{"fault": "loops"}', '--patience', '2')
        self.assertEqual(result.returncode, 1)
        self.assertIn('in compile of: not year >= 1990', result.stderr)

    def test_a_compile_that_crashes_is_named_with_its_source(self):
        result = run('--config', '{"fault": "crashes"}')
        self.assertEqual(result.returncode, -signal.SIGSEGV)
        self.assertIn('the plugin crashes in', result.stderr)
        self.assertIn('in compile of: not year >= 1990', result.stderr)

    def test_what_fails_is_printed_as_text(self):
        result = run('--config', '{"fault": "no_reason"}')
        self.assertEqual(result.returncode, 1)
        self.assertNotIn('\ufffd', result.stdout)


if __name__ == '__main__':
    SUITE, PLUGIN, REFERENCE, SOURCES = sys.argv[1:5]
    unittest.main(argv=sys.argv[:1])
