#!/usr/bin/env python3
"""Each bad filter language fails exactly its own check of the conformance suite, and each check has one.

    bad_filters_test.py SUITE PLUGIN JSON-LOGIC SOURCES

Called by ctest; Python's own library only.
"""
import json
import os
import re
import subprocess
import sys
import unittest

# fault: the check that must find it
FAULTS = {
    'atoms_greater': 'Filter.AtomsNeverUnderMatch',
    'atoms_strict': 'Filter.AtomsNeverUnderMatch',
    'atoms_sink': 'Filter.AtomsAreTheSameAtEachCallAndStopWhereTheSinkSaysSo',
    'travels_true': 'Filter.WhatTravelsMeansTheSame',
    'travels_numbered': 'Filter.EqualFiltersTravelAsEqualBytes',
    'one_word': 'Filter.ABatchAnswersAsItsDeltasOneByOneAndAgain',
    'pairs': 'Filter.PairsAnswerAsEachFilterOnEachDelta',
    'fixed_stride': 'Filter.ADeltaOfALaterHostReadsTheSame',
    'budget_matches': 'Filter.ABudgetStopsADeltaOrLeavesItsAnswerAlone',
    'budget_limit': 'Filter.ABudgetStopsADeltaOrLeavesItsAnswerAlone',
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


def run(*arguments):
    return subprocess.run([SUITE, PLUGIN, '--json-logic', REFERENCE, '--sources', SOURCES, *arguments],
                          capture_output=True, text=True, errors='replace', check=False,
                          timeout=120,
                          env={**os.environ, 'RHIZOME_SEED': '1'})


def failed(fault):
    """The checks that fail for the plugin with this fault."""
    result = run('--config', json.dumps({'fault': fault}))
    if 'test suite ran.' not in result.stdout:
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
        checks = {f'Filter.{line.strip()}' for line in listed.splitlines() if line.startswith('  ')}
        self.assertEqual(checks - JSON_LOGIC, set(FAULTS.values()))


if __name__ == '__main__':
    SUITE, PLUGIN, REFERENCE, SOURCES = sys.argv[1:5]
    unittest.main(argv=sys.argv[:1])
