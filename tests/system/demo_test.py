#!/usr/bin/env python3
"""The demo, interrupted while its nodes run and an import is under way: nothing is left of it."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

DEMO, BUILD = sys.argv[1:3]


def left_of(session):
    """Processes of a session that have not ended."""
    left = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
                name, fields = file.read().rsplit(')', 1)
        except OSError:
            continue  # it has just ended
        state, _, _, its_session = fields.split()[:4]
        if state != 'Z' and int(its_session) == session:
            left.append(name)
    return left


class Interrupted(unittest.TestCase):
    def test_nothing_is_left_running_or_behind(self):
        folder = tempfile.mkdtemp(prefix='rhizome-interrupted-')
        try:
            demo = subprocess.Popen([DEMO], env=dict(os.environ, TMPDIR=folder, RHIZOME_BUILD_DIR=BUILD),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                    start_new_session=True)
            for line in demo.stdout:  # as soon as it has killed b, the import goes on
                if 'killed with' in line and 'deltas' in line:
                    break
            os.killpg(demo.pid, signal.SIGINT)
            self.assertEqual(demo.wait(timeout=60), 130)
            demo.stdout.close()
            deadline = time.monotonic() + 60
            while left_of(demo.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(left_of(demo.pid), [])
            self.assertEqual(os.listdir(folder), [])
        finally:
            shutil.rmtree(folder)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
