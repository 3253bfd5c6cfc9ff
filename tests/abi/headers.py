#!/usr/bin/env python3
"""Checks the ABI's headers: they stand alone in C and C++, and every function pointer has a tag.

    headers.py compile SDK_INCLUDE COMPILER...   each header alone, as C11 and as C++20, pedantic
    headers.py tags SDK_INCLUDE                  each function pointer of a table has its two tags
    headers.py named SDK_INCLUDE PROBE LAYOUT    each struct is in the probe, and in the layout or in
                                                 another one beside it
    headers.py frozen SDK_INCLUDE FROZEN         each header is frozen, byte for byte
    headers.py self-test                         the checks refuse what they should

The tags are those of rhizome/abi.h: who may call, and whether the call may wait. A pointer's tags
stand in the comment before it, or behind it on its line. Called by ctest; Python's own library only.
"""
import glob
import os
import re
import shutil
import subprocess
import sys

TAGS = ('any', 'main', 'writer', 'owner', 'io')
TAG = re.compile(r'\[(' + '|'.join(TAGS) + r')\]')
WAIT = re.compile(r'\[(quick|blocks)\]')
STRICT = ['-pedantic', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror', '-fsyntax-only']
STRUCT = re.compile(r'typedef struct (\w+) \{(.*?)\n\} \1;', re.S)
PIECE = re.compile(r'/\*.*?\*/|;|\(|\)|\n|[^;()\n/]+|/', re.S)


def members(body):
    """(declaration, comments that belong to it) for each member of a struct's body."""
    found, declaration, comments, depth, fresh = [], '', [], 0, False
    for piece in PIECE.findall(body):
        if piece.startswith('/*'):
            # Behind a member on its line: that member's. Else the next one's.
            (found[-1][1] if fresh and not declaration.strip() else comments).append(piece)
        elif piece == ';' and depth == 0:
            found.append((declaration.strip(), comments))
            declaration, comments, fresh = '', [], True
        else:
            depth += (piece == '(') - (piece == ')')
            fresh = fresh and piece != '\n'
            declaration += piece
    return found


def untagged(text):
    """What is wrong with the function pointers in a header's text."""
    for struct, body in STRUCT.findall(text):
        for declaration, comments in members(body):
            pointer = re.match(r'[\w\s*]+\(\*(\w+)\)\(', declaration)
            if not pointer:
                continue
            tags = TAG.findall(' '.join(comments))
            if len(tags) != 1:
                yield f'{struct}.{pointer.group(1)}: expected one thread tag, found {tags or "none"}'
            waits = WAIT.findall(' '.join(comments))
            if len(waits) != 1:
                yield (f'{struct}.{pointer.group(1)}: expected [quick] or [blocks], '
                       f'found {waits or "neither"}')


def unnamed(text, probe, layout):
    """Structs of a header that the probe library or the layout does not name."""
    for struct, _ in STRUCT.findall(text):
        if f'PROBE({struct})' not in probe:
            yield f'{struct}: expected PROBE({struct}) in the probe library, found none'
        if f'SIZE({struct}, ' not in layout:
            yield f'{struct}: expected SIZE({struct}, ...) in the layout, found none'


def abi_headers(include):
    paths = [os.path.join(include, 'rhizome', name) for name in ('abi.h', 'note.h', 'config.h', 'config_text.h')]
    return paths + sorted(glob.glob(os.path.join(include, 'rhizome', 'abi', '**', '*.h'),
                                    recursive=True))


def headers(include):
    """Those of the ABI and those of the client's table."""
    return abi_headers(include) + [os.path.join(include, 'rhizome', 'client.h')] + sorted(
        glob.glob(os.path.join(include, 'rhizome', 'client', '*.h')))


def compile_all(include, compilers):
    runs = failures = 0
    for compiler in compilers:
        if not shutil.which(compiler):
            print(f'{compiler}: not installed, left out')
            continue
        for header in headers(include):
            for language in (['-x', 'c', '-std=c11'], ['-x', 'c++', '-std=c++20']):
                text = f'#include "{os.path.relpath(header, include)}"\nint used;\n'
                result = subprocess.run([compiler, *language, *STRICT, f'-I{include}', '-'],
                                        input=text, text=True, capture_output=True, check=False)
                runs += 1
                if result.returncode:
                    failures += 1
                    print(f'{compiler} {" ".join(language)} {header}:\n{result.stderr}')
    print(f'{runs} compilations, {failures} failures')
    return 1 if failures or not runs else 0


def check_tags(include):
    wrong = pointers = 0
    for header in abi_headers(include):  # the client's says its threads once, for all functions
        with open(header, encoding='utf-8') as handle:
            text = handle.read()
        pointers += text.count('(*')
        for message in untagged(text):
            wrong += 1
            print(f'{os.path.relpath(header, include)}: {message}')
    print(f'{pointers} function pointers, {wrong} without a tag')
    return 1 if wrong or not pointers else 0


def check_named(include, probe, layout):
    layouts = sorted(glob.glob(os.path.join(os.path.dirname(layout), '*layout.inc')))
    texts = [''.join(open(path, encoding='utf-8').read() for path in paths)
             for paths in ([probe], layouts)]
    wrong = structs = 0
    for header in headers(include):
        with open(header, encoding='utf-8') as file:
            text = file.read()
        structs += len(STRUCT.findall(text))
        for message in unnamed(text, *texts):
            wrong += 1
            print(f'{os.path.relpath(header, include)}: {message}')
    print(f'{structs} structs, {wrong} not named')
    return 1 if wrong or not structs else 0


def check_frozen(include, frozen):
    """Comments too: they are the contract. A change of one is a decision (POLICY.md)."""
    wrong = 0
    checked = [path for path in headers(include) if os.path.relpath(path, include).startswith('rhizome/abi')]
    for header in checked:
        name = os.path.relpath(header, include)
        copy = os.path.join(frozen, name)
        if not os.path.exists(copy):
            wrong += 1
            print(f'{name}: expected a frozen copy {copy}, found none')
        elif open(copy, 'rb').read() != open(header, 'rb').read():
            wrong += 1
            print(f'{name}: differs from its frozen copy {copy}; read sdk/abi/POLICY.md')
    print(f'{len(checked)} headers, {wrong} not as frozen')
    return 1 if wrong or not checked else 0


def self_test():
    good = ('typedef struct rz_t {\n  void* context;\n  /* Does. [any] [quick] */\n'
            '  int32_t (*a)(void* c);\n  void (*b)(void* c, void (*task)(void* t),\n'
            '            void* t); /* [owner] [blocks] */\n'
            '  const void* (*c)(void); /* [io] [quick]\n   */\n} rz_t;\n')
    cases = {good: 0, good.replace(' [any]', ''): 1, good.replace('[io]', '[sometimes]'): 1,
             good.replace('[owner]', '[owner] [any]'): 1,
             good.replace(' /* [owner] [blocks] */', ''): 2,
             good.replace(' [blocks]', ''): 1,
             good.replace('[any] [quick]', '[any] [quick] [blocks]'): 1}
    failures = [text for text, wanted in cases.items() if len(list(untagged(text))) != wanted]
    names = {('PROBE(rz_t)', 'SIZE(rz_t, 8)'): 0, ('PROBE(rz_tt)', 'SIZE(rz_t, 8)'): 1,
             ('', 'SIZE(rz_tt, 8)'): 2}
    failures += [names for names, wanted in names.items() if len(list(unnamed(good, *names))) != wanted]
    print('\n'.join(failures) or f'{len(cases)} cases')
    return 1 if failures else 0


def main():
    if sys.argv[1:2] == ['compile'] and len(sys.argv) > 3:
        return compile_all(sys.argv[2], sys.argv[3:])
    if sys.argv[1:2] == ['tags'] and len(sys.argv) == 3:
        return check_tags(sys.argv[2])
    if sys.argv[1:2] == ['named'] and len(sys.argv) == 5:
        return check_named(*sys.argv[2:])
    if sys.argv[1:2] == ['frozen'] and len(sys.argv) == 4:
        return check_frozen(*sys.argv[2:])
    if sys.argv[1:] == ['self-test']:
        return self_test()
    print(__doc__)
    return 2


if __name__ == '__main__':
    sys.exit(main())
