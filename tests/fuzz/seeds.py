#!/usr/bin/env python3
"""Writes the fuzzers' first inputs: seeds.py VECTORS CORPUS

Valid examples let a fuzzer begin inside the format and not at its door. From the conformance
vectors where they are, and a few by hand. Called by ./run fuzz.
"""
import json
import os
import sys


def save(corpus, fuzzer, name, data):
    folder = os.path.join(corpus, fuzzer)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as handle:
        handle.write(data)


def main():
    vectors, corpus = sys.argv[1:3]
    count = 0
    for name in ('deltas', 'deltas-bytes', 'deltas-signed', 'deltas-invalid'):
        path = os.path.join(vectors, 'rhizomatic', 'l0-delta', name + '.json')
        if not os.path.exists(path):
            continue
        with open(path, encoding='utf-8') as handle:
            cases = json.load(handle)
        for case in cases:
            count += 1
            seed = f'seed-{count}'
            save(corpus, 'fuzz_json', seed, json.dumps(case['claims']).encode())
            if 'canonicalCborHex' in case:
                save(corpus, 'fuzz_claims', seed, bytes.fromhex(case['canonicalCborHex']))
    for number, text in enumerate((
            b'\0id,v,n\n1,"a-b ""c""\n",2\n', b'\1{"id":1,"v":"a-b","w":" x "}\n\n{"id":[1,{"a":2}]}\n',
            b'\2{"b":[],"a":[{"id":"\\u00e9","n":1.5,"l":["x",{"y":null}]},{"id":2]}', b'\3[{"id":true},3]',
            b'\xff{"timestamp":1,"pointers":[{"role":"r","target":1}]}\n')):
        count += 1
        save(corpus, 'fuzz_records', f'seed-{number}', text)
    suites = os.path.join(vectors, 'json-logic', 'suites')
    for folder, _, names in sorted(os.walk(suites)):
        for name in sorted(names):
            if name == 'index.json':
                continue
            with open(os.path.join(folder, name), encoding='utf-8') as handle:
                cases = [case for case in json.load(handle) if isinstance(case, dict)]
            for case in cases[::4]:
                count += 1
                save(corpus, 'fuzz_jsonlogic', f'seed-{count}',
                     json.dumps(case['rule']).encode() + b'\n' + json.dumps(case.get('data')).encode())
    for number, rule in enumerate((
            b'{"@entity":["de","name"]}', b'{"@value":["value",">",3]}', b'{"==":[{"@value":"name"},"x"]}',
            b'{"some":[{"var":"pointers"},{"in":[{"var":"target"},["Germany",5]]}]}')):
        count += 1
        save(corpus, 'fuzz_jsonlogic', f'shorthand-{number}', rule + b'\nnull')
    print(f'{count} seeds')


if __name__ == '__main__':
    main()
