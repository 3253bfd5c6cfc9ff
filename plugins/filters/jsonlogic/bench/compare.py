#!/usr/bin/env python3
"""Row 8 of the targets: compiled filters on one flat delta, beside JavaScript's engines.

    compare.py BUILD-DIRECTORY [ROUNDS]

Runs bench_jsonlogic and rivals.mjs in turns, takes medians, prints a table with ratios and writes
BUILD-DIRECTORY/bench/jsonlogic.json. The rivals are installed into the build directory by version;
without node or npm only our own figures are printed.
"""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

RIVALS = ('json-logic-engine@5.0.7', 'json-logic-js@2.0.5')
SHAPES = {'eq': 'one/eq', 'six': 'one/six', 'some': 'one/some', '1000 rules': 'many/1000'}
# The most that ours may take of the compiled rival's time.
TARGETS = {'eq': 1, 'six': 1, 'some': 1, '1000 rules': 1 / 20}
HERE = pathlib.Path(__file__).resolve().parent


def ours(program):
    """Nanoseconds by shape."""
    run = subprocess.run([program, '--benchmark_format=json', '--benchmark_min_time=0.2',
                          '--benchmark_filter=^(one|many)/'],
                         check=True, capture_output=True, text=True)
    times = {one['name']: one['cpu_time'] for one in json.loads(run.stdout)['benchmarks']}
    return {shape: times[name] for shape, name in SHAPES.items()}


def install(folder):
    """Whether the rivals are there."""
    if not shutil.which('node') or not shutil.which('npm'):
        return False
    if not (folder / 'node_modules' / 'json-logic-js').exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'package.json').write_text('{"private": true}\n')
        done = subprocess.run(['npm', 'install', '--no-audit', '--no-fund', *RIVALS], cwd=folder,
                              capture_output=True, text=True, check=False)
        return done.returncode == 0
    return True


def rivals(folder):
    run = subprocess.run(['node', HERE / 'rivals.mjs', HERE / 'shapes.json', folder], check=True,
                         capture_output=True, text=True)
    return json.loads(run.stdout)['results']


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    program = build / 'bench' / 'bench_jsonlogic'
    folder = build / 'bench' / 'rivals'
    there = install(folder)
    if not there:
        print('node and npm are needed for the rivals; only our own figures follow')
    columns = {}
    for _ in range(rounds):
        measured = {'Rhizome': ours(program), **(rivals(folder) if there else {})}
        for name, times in measured.items():
            for shape, time in times.items():
                columns.setdefault(name, {}).setdefault(shape, []).append(time)
    table = {name: {shape: statistics.median(times) for shape, times in shapes.items()}
             for name, shapes in columns.items()}
    (build / 'bench' / 'jsonlogic.json').write_text(json.dumps(table, indent=1) + '\n')
    print('| ns | ' + ' | '.join(table) + (' | ratio | target |' if there else ' |'))
    print('|---|' + '---|' * (len(table) + (2 if there else 0)))
    for shape in SHAPES:
        cells = [f'{times[shape]:,.1f}' for times in table.values()]
        if there:
            ratio = table['Rhizome'][shape] / table['json-logic-engine compiled'][shape]
            cells += [f'{ratio:.3f}', f'<= {TARGETS[shape]:.2f}']
        print(f'| {shape} | ' + ' | '.join(cells) + ' |')


if __name__ == '__main__':
    main()
