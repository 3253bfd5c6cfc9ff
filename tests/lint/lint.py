#!/usr/bin/env python3
"""Refuses what the compiler lets pass: includes between layers, long files, machine paths.

    lint.py ROOT           prints one line a finding (path:line: rule: what); status 1 if any
    lint.py --self-test    builds a small bad tree for every rule and checks that it is refused

Called by ctest. The layers are those of docs/architecture.md.
"""
import os
import re
import sys
import tempfile

SOURCE_LINES = 400
HEADER_CODE_LINES = 160  # "about 150"
SOURCES = ('.h', '.hpp', '.c', '.cpp')
TEXTS = SOURCES + ('.txt', '.cmake', '.json', '.yaml', '.yml', '.md', '.py', '.sh', '.in', '')
OUR_FOLDERS = ('sdk', 'host', 'stores', 'transports', 'plugins', 'samples', 'tests', 'docs', 'cmake')
PLUGIN_FOLDERS = ('stores', 'transports', 'plugins')
# Who may include whom inside host: only downwards or sideways in this order.
RANKS = {name: rank for rank, names in enumerate((
    ('runtime',),
    ('config', 'plugins', 'importer', 'tools'),
    ('journal',),
    ('admission', 'wire'),
    ('links',),
    ('session',),
    ('membership',),
    ('extent', 'sync', 'match', 'feeds'),
    ('fabric', 'views', 'functions', 'authoring'),
    ('core',),
    ('api',),
    ('control',),
    ('node',),
    ('commands',),
)) for name in names}
# Headers of what plugins wrap: the host knows stores and transports only through the ABI.
PLUGIN_LIBRARIES = re.compile(r'^(leveldb/|zmq|rocksdb/|lmdb)')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r'(?<![\w.$}~])/(?:home|root|work|farm|Users)/\w|/tmp/bash_' + r'jobs')


def files(root):
    """Our files, as paths relative to root."""
    for entry in sorted(os.listdir(root)):
        path = os.path.join(root, entry)
        if os.path.isfile(path) and entry != '.git':  # a file in a linked worktree
            yield entry
        elif entry in OUR_FOLDERS or entry == '.ci':
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    yield os.path.relpath(os.path.join(folder, name), root)


def code_lines(text):
    """Lines that are neither blank nor only comment."""
    text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m.group(0).count('\n'), text, flags=re.S)
    return sum(1 for line in text.split('\n')
               if line.strip() and not line.strip().startswith('//'))


def check_include(root, path, kind, name):
    """The rule that an include breaks, or None."""
    parts = path.split(os.sep)
    top = parts[0]
    beside = os.path.exists(os.path.join(root, os.path.dirname(path), name))
    if '..' in name.split('/'):
        return 'include-parent', f'"{name}" climbs out of its folder; link the folder and name it'
    in_host = os.path.exists(os.path.join(root, 'host', name)) and not beside
    if kind == '<':
        if top == 'host' and PLUGIN_LIBRARIES.match(name):
            return 'host-includes-plugin', f'<{name}> belongs inside a plugin'
        return None
    if top in PLUGIN_FOLDERS and in_host:
        return 'plugin-includes-host', f'"{name}" is the host\'s; a plugin sees only the SDK'
    if top == 'sdk' and in_host:
        return 'sdk-includes-host', f'"{name}" is the host\'s; the SDK sees nothing of ours'
    if top == 'host' and not beside:
        if PLUGIN_LIBRARIES.match(name) or re.match(r'(stores|transports)/', name):
            return 'host-includes-plugin', f'"{name}" belongs inside a plugin'
        if re.match(r'plugins/', name) and not in_host:
            return 'host-includes-plugin', f'"{name}" is no part of host/plugins'
        mine, other = parts[1], name.split('/')[0]
        if in_host and not re.search(r'_test\.cpp$|_bench\.cpp$', path):
            for folder in (mine, other):
                if folder not in RANKS:
                    return 'layer', f'host/{folder} has no rank; give it one in tests/lint/lint.py'
            if RANKS[mine] < RANKS[other]:
                return 'layer', f'host/{mine} includes "{name}", which lies above it'
    return None


def check_file(root, path):
    """(line, rule, message) for each finding in one file."""
    if not path.endswith(TEXTS) or path == 'LICENSE':
        return
    with open(os.path.join(root, path), 'rb') as handle:
        data = handle.read()
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        if path.endswith(SOURCES):
            yield 1, 'utf8', 'not UTF-8'
        return
    lines = text.split('\n')
    is_source = path.endswith(SOURCES)
    for number, line in enumerate(lines, 1):
        if MACHINE_PATH.search(line):
            yield number, 'machine-path', 'names a path of one machine'
        include = INCLUDE.match(line) if is_source else None
        found = include and check_include(root, path, include.group(1), include.group(2))
        if found:
            yield number, found[0], found[1]
    if is_source and len(lines) - 1 > SOURCE_LINES:
        yield SOURCE_LINES, 'long-file', f'{len(lines) - 1} lines; at most {SOURCE_LINES}'
    if re.match(r'sdk/include/', path) and code_lines(text) > HEADER_CODE_LINES:
        yield 1, 'long-header', f'{code_lines(text)} lines of code; at most {HEADER_CODE_LINES}'


def lint(root):
    """All findings as (path, line, rule, message)."""
    return [(path, *finding) for path in files(root) for finding in check_file(root, path)]


def self_test():
    """Every rule refuses its own bad tree and nothing else does."""
    good = {
        'host/journal/journal.hpp': '#pragma once\n',
        'host/plugins/loader.hpp': '#pragma once\n',
        'host/runtime/log.hpp': '#pragma once\n',
        'host/journal/journal.cpp': '#include "journal/journal.hpp"\n#include "runtime/log.hpp"\n'
                                    '#include "plugins/loader.hpp"\n#include "rhizome/abi.h"\n',
        'stores/memory/memory.cpp': '#include "memory.hpp"\n#include "rhizome/plugin.hpp"\n',
        'stores/memory/memory.hpp': '#pragma once\n',
        'sdk/include/rhizome/abi.h': '#include <stdint.h>\n',
    }
    bad = {
        'include-parent': ('host/journal/a.cpp', '#include "../runtime/log.hpp"\n'),
        'host-includes-plugin': ('host/journal/a.cpp', '#include <leveldb/db.h>\n'),
        'plugin-includes-host': ('stores/memory/a.cpp', '#include "journal/journal.hpp"\n'),
        'sdk-includes-host': ('sdk/delta/a.cpp', '#include "runtime/log.hpp"\n'),
        'layer': ('host/runtime/a.cpp', '#include "journal/journal.hpp"\n'),
        'long-file': ('host/journal/a.cpp', '\n' * (SOURCE_LINES + 1)),
        'long-header': ('sdk/include/rhizome/a.hpp', 'int a;\n' * (HEADER_CODE_LINES + 1)),
        'machine-path': ('docs/a.md', 'see ' + '/home' + '/someone/x\n'),
        'utf8': ('host/journal/a.cpp', b'// \xff\n'),
    }
    also_bad = {
        'host-includes-plugin': ('host/journal/a.cpp', '#include "stores/memory/memory.hpp"\n'),
        'layer': ('host/unheard/a.cpp', '#include "runtime/log.hpp"\n'),
    }
    failures = 0
    for rule, extra in [(None, None), *bad.items(), *also_bad.items()]:
        with tempfile.TemporaryDirectory() as root:
            tree = dict(good)
            if extra:
                tree[extra[0]] = extra[1]
            for path, text in tree.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), 'wb') as handle:
                    handle.write(text if isinstance(text, bytes) else text.encode())
            found = {(path, name) for path, _, name, _ in lint(root)}
            wanted = {(extra[0], rule)} if extra else set()
            if found != wanted:
                failures += 1
                print(f'{rule}: found {sorted(found)}, expected {sorted(wanted)}')
    print(f'{len(bad) + len(also_bad) + 1} trees, {failures} failures')
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    findings = lint(sys.argv[1])
    for path, line, rule, message in findings:
        print(f'{path}:{line}: {rule}: {message}')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
