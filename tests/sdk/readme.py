#!/usr/bin/env python3
"""Does what sdk/README.md says: readme.py README FOLDER PREFIX

Writes its ```LANG file=NAME blocks into FOLDER and runs its ```sh blocks there, in order and in one
shell, with RHIZOME set to PREFIX, where the SDK is installed. Called by ctest.
"""
import os
import re
import shutil
import subprocess
import sys


def main():
    readme, folder, prefix = sys.argv[1:]
    os.umask(0o022)  # a host refuses plugins that others can write
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(readme, encoding='utf-8') as handle:
        blocks = re.findall(r'^```(\w+)([^\n]*)\n(.*?)^```$', handle.read(), re.S | re.M)
    script = 'set -euo pipefail\n'
    for language, words, text in blocks:
        named = re.search(r'file=(\S+)', words)
        if named:
            path = os.path.join(folder, named.group(1))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='utf-8') as handle:
                handle.write(text)
        elif language == 'sh' and 'tests/sdk' in words:
            script += text
    environment = dict(os.environ, RHIZOME=prefix,
                       PKG_CONFIG_PATH=os.path.join(prefix, 'lib', 'pkgconfig'))
    return subprocess.run(['bash', '-xc', script], cwd=folder, env=environment,
                          check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
