#!/usr/bin/env python3
"""Runs the transport suite against a transport that breaks one promise at a time.

    run.py SUITE BAD_TRANSPORT.so [NAME...]

Each must fail the tests that hold the promise and no others, but where the promise is one of all
events; unbroken, it must pass them all. Without RHIZOME_SOAK only the quick ones run, each with the tests of its
own groups; with it all of them with the whole suite, which takes minutes.
Called by ctest; Python's own library only.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

LONG = 'RHIZOME_SOAK' in os.environ
CONFIG = '{"network":"bad","address":"node{n}"}'
BROKEN = {
    '': [],
    'proves_nothing': ['TransportProof.ADiallerIsNotTakenForTheHolderOfAKeyThatItShows',
                       'TransportProof.AListenerIsNotTakenForTheHolderOfAKeyThatItShows'],
    'reports_a_lower_level': ['TransportProof.TheLevelOfConnectionsIsTheOneThatTheManifestDeclares'],
    'keeps_the_identity': ['TransportProof.TheTransportKeepsNothingOfTheIdentityThatItWasLent'],
    'lets_in_what_is_not_denied': ['TransportContract.AnAnswerOfAuthorizeThatIsNotOkDenies'],
    'forgets_requests_at_stop': [
        'TransportContract.StopGivesEachRequestItsLastReplyAndEachConnectionItsEnd',
        'TransportPressure.StopWhileBusyEndsEverythingAndThenThereIsSilence'],
    'stops_slowly': ['TransportContract.StopIsBoundedWhileAPeerReadsNothing'],
    'has_addresses_before_start': ['TransportContract.WithoutAStartNothingIsThereAndCloseIsEnough'],
    'refuses_to_end_after_stop': ['TransportContract.AfterStopWhatSendsIsClosedAndWhatEndsIsFine'],
    'refuses_to_unsubscribe_from_nothing': [
        'TransportContract.EndingWhatIsNotThereIsFine',
        'TransportPatterns.AfterUnsubscribeNothingOfThatPrefixArrives'],
    'takes_any_address': ['TransportContract.AnAddressIsCheckedWithoutAnInstance',
                          'TransportConnections.AnAddressOfAnUnknownSchemeIsInvalid'],
    'takes_any_lane': ['TransportContract.ALaneThatDoesNotExistIsInvalid'],
    'keeps_its_first_host': ['TransportContract.AnInstanceUsesNoHostButItsOwn'],
    'waits_for_its_own_thread': [
        'TransportContract.QuickFunctionsDoNotWaitForTheTransportsThread'],
    'uses_numbers_again': ['TransportNumbers.EachConnectionHasANumberOfItsOwn'],
    'publishes_before_up': ['TransportNumbers.EventsOfAConnectionLieBetweenItsUpAndItsDown'],
    'publishes_after_down': ['TransportNumbers.EventsOfAConnectionLieBetweenItsUpAndItsDown'],
    'ends_requests_after_down': ['TransportConnections.RequestsUnderWayEndWhenThePeerGoes'],
    'ends_nothing': ['TransportNumbers.AnEndedConnectionIsDialledAgainAndOthersStay'],
    'subscribes_again': ['TransportNumbers.SubscriptionsEndWithTheirConnection'],
    'reorders_replies_of_lanes': ['TransportNumbers.RepliesKeepTheirOrderWhateverTheirLanes'],
    'never_says_writable': ['TransportNumbers.ARefusedReplyIsFollowedByAWritableEvent',
                            'TransportNumbers.ARefusedRequestIsFollowedByAWritableEvent'],
    'says_writable_unasked': ['TransportNumbers.WithoutARefusalThereIsNoWritableEvent'],
    'ends_requests_late': ['TransportFrames.AnUnansweredRequestEndsAtItsDeadline'],
}
# What every run asks: each group of tests, in seconds. The others are asked in the long set.
QUICK = ('proves_nothing', 'reports_a_lower_level', 'keeps_the_identity', 'lets_in_what_is_not_denied',
         'has_addresses_before_start', 'refuses_to_end_after_stop', 'takes_any_address', 'takes_any_lane',
         'keeps_its_first_host')
# A promise of all events, or of every connection, that other tests meet as well.
OTHERS_MAY_FAIL = ('forgets_requests_at_stop', 'uses_numbers_again', 'publishes_before_up', 'publishes_after_down',
                   'ends_requests_after_down', 'ends_nothing')


def failures(suite, plugin, how):
    """Names of the tests that failed; None where the suite did not come to its end."""
    groups = {name.split('.')[0] + '.*' for name in BROKEN.get(how, [])}
    asked = '*' if LONG or not groups else ':'.join(sorted(groups))
    run = subprocess.run([suite, plugin, '--config', CONFIG, '--gtest_brief=1',
                          f'--gtest_filter={asked}'], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                         env={**os.environ, 'RHIZOME_BAD_TRANSPORT': how}, timeout=300)
    if not re.search(r'test suites? ran\.', run.stdout):
        print(run.stdout)
        return None
    return set(re.findall(r'^\[  FAILED  \] (\w+\.\w+) \(', run.stdout, re.M))


def main():
    suite, plugin, *names = sys.argv[1:]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        runs = {how: pool.submit(failures, suite, plugin, how) for how in names or (BROKEN if LONG else QUICK)}
        for how, run in runs.items():
            found, expected = run.result(), set(BROKEN.get(how, []))
            good = found == expected or (how in OTHERS_MAY_FAIL and found and expected <= found)
            wrong += not good
            print(f'{"ok" if good else "WRONG"} {how or "unbroken"}:'
                  f' {sorted(found) if found is not None else "did not end"}', flush=True)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
