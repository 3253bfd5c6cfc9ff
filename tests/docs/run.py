#!/usr/bin/env python3
"""Runs what a document shows: run.py --build BUILD --source SOURCE DOCUMENT.md

A document's fenced blocks are taken in order, in one shell and one temporary folder with rhizome on
the PATH and RHIZOME the repository. The words after the language say what is done with a block:

    ```sh run            run; it must succeed. `rhizome run DIR &` is waited for until it answers
    ```sh run fails      run; it must fail
    ```sh shown: WHY     not run here; WHY names what runs it
    ```text expect       its lines stand in this order in the output of the block before; "..." stands
                         for any text within a line
    ```LANG file=NAME    written to NAME
    ```yaml config       checked with `rhizome config check`
    ```yaml map          checked with `rhizome import --check --map`
    ```cpp compile       compiled against the SDK

A block of sh, cpp or yaml with none of these is an error, so that no command goes untested. Links to
files of the repository must lead somewhere. Called by ctest; Python's own library only.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

FENCE = re.compile(r'^```(\w*)[ \t]*(.*)$')
LINK = re.compile(r'\[[^\]]*\]\(([^)#\s]+)[^)]*\)')
TIMEOUT = 240
READY = '''wait_for_node() {
  for _ in $(seq 100); do
    rhizome status --node "$1" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "the node in $1 does not answer" >&2
  return 1
}
'''


class Block:
    def __init__(self, language, words, line):
        self.language, self.words, self.line = language, words, line
        self.lines = []

    @property
    def text(self):
        return '\n'.join(self.lines) + '\n'


def parse(path):
    """The blocks of a document, and the lines outside of them."""
    blocks, prose, block = [], [], None
    with open(path, encoding='utf-8') as handle:
        for number, line in enumerate(handle.read().split('\n'), 1):
            fence = FENCE.match(line)
            if block is not None:
                if line == '```':
                    blocks.append(block)
                    block = None
                else:
                    block.lines.append(line)
            elif fence:
                block = Block(fence.group(1), fence.group(2).strip(), number)
            else:
                prose.append((number, line))
    if block is not None:
        raise SystemExit(f'{path}:{block.line}: this block is not closed')
    return blocks, prose


def broken_links(path, prose, source):
    for number, line in prose:
        for target in LINK.findall(line):
            if re.match(r'[a-z]+:', target):
                continue
            base = source if target.startswith('/') else os.path.dirname(path)
            if not os.path.exists(os.path.join(base, target.lstrip('/'))):
                yield f'{path}:{number}: the link to {target} leads nowhere'


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


class Script:
    """The document as one shell script, each block's output in a file of its own."""

    def __init__(self, path, folder, source, build):
        self.path, self.folder, self.source, self.build = path, folder, source, build
        self.lines = ['set -euo pipefail', READY,
                      'trap \'jobs -p | xargs -r kill 2>/dev/null || true; wait || true\' EXIT']
        self.expectations = []
        self.errors = []
        self.count = 0

    def step(self, block, command, fails=False):
        self.count += 1
        output = os.path.join(self.folder, f'.block-{self.count}')
        self.lines.append(f'echo {block.line} >{quote(self.folder)}/.at')
        if fails:
            self.lines.append(f'if ( {command}\n) >{quote(output)} 2>&1; then\n'
                              f'  echo "succeeded, and was to fail" >>{quote(output)}; exit 1; fi')
        else:
            self.lines.append('{ :\n' + command + '\n} >' + quote(output) + ' 2>&1')

    def file(self, name, text):
        self.count += 1
        kept = os.path.join(self.folder, f'.file-{self.count}')
        with open(kept, 'w', encoding='utf-8') as handle:
            handle.write(text)
        return f'mkdir -p "$(dirname {quote(name)})"; cp {quote(kept)} {quote(name)}'

    def shell(self, block):
        words = block.words.split()
        if words[:1] == ['run']:
            command = block.text.rstrip('\n')
            for node in re.findall(r'rhizome run (\S+)[^\n]*&\s*(?:\n|$)', command):
                command += f'\nwait_for_node {node}'
            self.step(block, command, fails='fails' in words)
        elif re.match(r'shown: \S', block.words):
            for name in re.findall(r'^\./run (\w+)', block.text, re.M):
                with open(os.path.join(self.source, 'run'), encoding='utf-8') as handle:
                    if f'command_{name}()' not in handle.read():
                        self.errors.append(f'{self.path}:{block.line}: ./run has no {name}')
        else:
            self.errors.append(f'{self.path}:{block.line}: say ```sh run or ```sh shown: WHY')

    def compile(self, block):
        name = f'block{block.line}.cpp'
        include = os.path.join(self.source, 'sdk', 'include')
        self.step(block, f'{self.file(name, block.text)}\n'
                         f'c++ -std=c++20 -Wall -Wextra -fsyntax-only -I{quote(include)} {name}')

    def add(self, block):
        named = re.search(r'file=(\S+)', block.words)
        if named:
            self.step(block, self.file(named.group(1), block.text))
        if block.language == 'text' and block.words == 'expect':
            self.expectations.append((block, os.path.join(self.folder, f'.block-{self.count}')))
        elif block.language == 'yaml' and 'config' in block.words.split():
            name = named.group(1) if named else f'block{block.line}.yaml'
            write = ':' if named else self.file(name, block.text)
            self.step(block, f'{write}\nrhizome config check {quote(name)}')
        elif block.language == 'yaml' and 'map' in block.words.split():
            name = named.group(1) if named else f'block{block.line}.yaml'
            write = ':' if named else self.file(name, block.text)
            self.step(block, f'{write}\nrhizome import --check --map {quote(name)}')
        elif named:
            pass
        elif block.language == 'sh':
            self.shell(block)
        elif block.language == 'cpp' and block.words == 'compile':
            self.compile(block)
        elif block.language in ('cpp', 'c', 'yaml', 'bash', 'console'):
            self.errors.append(f'{self.path}:{block.line}: this ```{block.language} block is not '
                               'tested; see tests/docs/run.py for the words that say how')

    def run(self):
        work = os.path.join(self.folder, 'work')
        os.mkdir(work)
        environment = dict(os.environ, HOME=work, PATH=os.path.join(self.build, 'bin') + ':' +
                           os.environ['PATH'], RHIZOME=self.source)
        environment.pop('RHIZOME_NODE', None)
        shell = subprocess.Popen(['bash', '-c', '\n'.join(self.lines)], cwd=work, env=environment,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            status = shell.wait(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            status = f'timeout of {TIMEOUT} s'
        finally:
            try:  # the session that this function made, with whatever it left running
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if status == 0:
            return
        with open(os.path.join(self.folder, '.at'), encoding='utf-8') as handle:
            line = handle.read().strip()
        self.errors.append(f'{self.path}:{line}: this block failed ({status})')
        outputs = sorted((f for f in os.listdir(self.folder) if f.startswith('.block-')),
                         key=lambda f: int(f.split('-')[1]))
        if outputs:
            with open(os.path.join(self.folder, outputs[-1]), errors='replace') as handle:
                self.errors.append(handle.read()[-4000:])

    def check_expectations(self):
        for block, output in self.expectations:
            try:
                with open(output, encoding='utf-8', errors='replace') as handle:
                    lines = handle.read().split('\n')
            except FileNotFoundError:
                continue  # a block before it failed; that is reported
            at = 0
            for wanted in block.lines:
                pattern = re.compile('.*'.join(map(re.escape, wanted.split('...'))))
                found = next((i for i in range(at, len(lines)) if pattern.fullmatch(lines[i])), None)
                if found is None:
                    shown = '\n  '.join(lines[:40])
                    self.errors.append(f'{self.path}:{block.line}: expected "{wanted}"; the output '
                                       f'is\n  {shown}')
                    break
                at = found + 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('document')
    arguments = parser.parse_args()
    path = os.path.abspath(arguments.document)
    blocks, prose = parse(path)
    folder = tempfile.mkdtemp(prefix='rhizome-docs-')
    try:
        script = Script(path, folder, os.path.abspath(arguments.source),
                        os.path.abspath(arguments.build))
        script.errors += broken_links(path, prose, script.source)
        for block in blocks:
            script.add(block)
        if script.count:
            script.run()
        script.check_expectations()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for error in script.errors:
        print(error)
    print(f'{os.path.basename(path)}: {len(blocks)} blocks, {script.count} steps, '
          f'{len(script.errors)} errors')
    return 1 if script.errors else 0


if __name__ == '__main__':
    sys.exit(main())
