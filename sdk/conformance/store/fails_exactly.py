#!/usr/bin/env python3
"""Runs a conformance suite against a plugin that breaks one rule, and expects one check to fail.

    fails_exactly.py CHECK SUITE PLUGIN [ARGUMENT...]

Exit code 0: exactly the check of this name failed. Called by ctest; Python's own library only.
"""
import re
import subprocess
import sys


def main():
    check, command = sys.argv[1], sys.argv[2:]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    failed = sorted(set(re.findall(r'^\[  FAILED  \] (\w+\.\w+)', result.stdout, re.M)))
    if failed == [check]:
        print(f'{check} fails, and no other check')
        return 0
    print(result.stdout[-4000:], result.stderr[-2000:], sep='\n')
    print(f'expected {check} alone to fail, found {failed or "nothing"}; exit code '
          f'{result.returncode}')
    return 1


if __name__ == '__main__':
    sys.exit(main())
