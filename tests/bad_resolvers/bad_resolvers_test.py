#!/usr/bin/env python3
"""Each bad resolver fails exactly its own check of the conformance suite, and each check has one.

    bad_resolvers_test.py SUITE PLUGIN

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
    'instances': 'Resolver.EveryInstanceNamesTheSameResolversAndMakesThem',
    'unknown_name': 'Resolver.AnUnknownNameIsNotFoundAndTheMessageListsTheKnownOnes',
    'options': 'Resolver.OptionsThatItDoesNotTakeAreInvalid',
    'describe': 'Resolver.WhatItReadsIsDescribedAlikeEachTime',
    'local': 'Resolver.ADeterministicPluginReadsNothingOfTheNodesOwn',
    'undeclared': 'Resolver.InputsThatItDoesNotDescribeChangeNothing',
    'stride': 'Resolver.CandidatesOfALaterHostAreReadByTheirStride',
    'kept': 'Resolver.NothingBorrowedIsKept',
    'twice': 'Resolver.TheSameQuestionTwiceGivesTheSameAnswer',
    'sink': 'Resolver.ASinkThatRefusesEndsTheCallWithItsCode',
    'hostile': 'Resolver.HostileValuesAreResolvedAsAnyOthers',
    'order': 'Resolver.AnyOrderGivesTheSameValueAndTheSameDeciders',
    'duplicates': 'Resolver.ACandidateThatComesTwiceChangesNothing',
    'duplicate_bits': 'Resolver.ADuplicateOfACandidateThatDecidedDecidesToo',
    'empty': 'Resolver.WithoutCandidatesAPropertyHasNoValue',
    'decided': 'Resolver.ThoseThatDecidedAloneGiveTheSameValue',
    'rests_on': 'Resolver.ThoseThatDecidedAloneGiveTheSameValue',
    'decides_all': 'Resolver.EachThatDecidedIsNeededForTheValue',
    'first_identity': 'Resolver.AnyOrderOfTheIdentitiesGivesTheSameAnswer',
    'vouched': 'Resolver.AKeyThatOnlyVouchesOrIsOnlyNamedIsNotTheKeyThatSigned',
    'named': 'Resolver.AKeyThatOnlyVouchesOrIsOnlyNamedIsNotTheKeyThatSigned',
    'json': 'Resolver.TheValueIsJsonOnOneLine',
    'batch': 'Resolver.ManyPropertiesInOneCallAreAnsweredAsEachAlone',
    'fold_value': 'Fold.AfterEachStepItsValueIsThatOfTheSet',
    'fold_decided': 'Fold.AfterEachStepItNamesThoseThatDecidedTheSet',
    'fold_asked': 'Fold.AskingChangesNothing',
    'fold_sink': 'Fold.ASinkThatRefusesEndsTheCallWithItsCode',
    'config_own': 'Config.TheCheckFindsNothingInTheConfigThatTheSuiteRunsWith',
    'config_place': 'Config.EachProblemNamesAPlaceInTheConfigAndWhatWasExpected',
    'config_again': 'Config.TheSameConfigHasTheSameProblemsAgain',
    'config_sink': 'Config.ASinkThatRefusesEndsTheCheckWithItsCode',
    'config_open': 'Config.WhatTheCheckFindsNothingInIsOpened',
}


def run(*arguments):
    return subprocess.run([SUITE, PLUGIN, *arguments], capture_output=True, text=True, check=False,
                          timeout=60, env={**os.environ, 'RHIZOME_SEED': '1'})


def failed(fault):
    """The checks that fail for the plugin with this fault."""
    result = run('--config', json.dumps({'fault': fault}))
    if 'test suites ran.' not in result.stdout:
        return {f'the suite ended early: {result.stderr[-400:]}'}
    return set(re.findall(r'^\[  FAILED  \] (\w+\.\w+) \(', result.stdout, re.M))


class BadResolvers(unittest.TestCase):
    def test_a_resolver_without_a_fault_conforms(self):
        self.assertEqual(failed('none'), set())

    def test_each_fault_fails_its_own_check_alone(self):
        for fault, check in FAULTS.items():
            with self.subTest(fault=fault):
                self.assertEqual(failed(fault), {check})

    def test_a_config_that_the_schema_refuses_is_refused_by_the_suite(self):
        result = run('--config', '{"least": 101}')
        self.assertEqual(result.returncode, 1)
        self.assertIn('config.least: expected at least 0 and at most 100, found 101', result.stderr)

    def test_the_defaults_of_the_schema_are_filled_in(self):
        # 20 is over the default of `most`, which `open` sees.
        result = run('--config', '{"least": 20}')
        self.assertEqual(result.returncode, 1)
        self.assertIn('least is over most', result.stderr)

    def test_a_check_that_vouching_is_asked_for_can_be_left_out(self):
        result = run('--config', '{"fault": "vouched"}', '--vouchers')
        self.assertEqual(result.returncode, 0, result.stdout[-2000:])

    def test_each_check_has_a_fault(self):
        listed = run('--gtest_list_tests').stdout
        checks, suite = set(), ''
        for line in listed.splitlines():
            if line.endswith('.') and not line.startswith(' '):
                suite = line
            elif line.startswith('  '):
                checks.add(suite + line.strip())
        self.assertEqual(checks, set(FAULTS.values()))


if __name__ == '__main__':
    SUITE, PLUGIN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
