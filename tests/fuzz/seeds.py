#!/usr/bin/env python3
"""Writes the fuzzers' first inputs: seeds.py VECTORS CORPUS

Valid examples let a fuzzer begin inside the format and not at its door. From the conformance
vectors where they are, and a few by hand. Called by ./run fuzz.
"""
import base64
import glob
import json
import os
import re
import struct
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')


def save(corpus, fuzzer, name, data):
    folder = os.path.join(corpus, fuzzer)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as handle:
        handle.write(data)


def plugin(manifest):
    """The least shared object that the loader's reader finds nothing wrong with."""
    base = 64 + 3 * 56  # file header, three program headers; addresses are offsets
    note = struct.pack('<III8s', 8, len(manifest), 1, b'Rhizome') + manifest
    note += bytes(-len(note) % 8)
    strings = b'\0rhizome_plugin\0libc.so.6\0/usr/lib\0'
    strings += bytes(-len(strings) % 8)
    symbols = bytes(24) + struct.pack('<IBBHQQ', 1, 0x11, 0, 1, 0, 24)
    table = struct.pack('<IIIIQII', 1, 1, 1, 0, 2 ** 64 - 1, 1, 1)  # one bucket, one chain
    strings_at = base + len(note)
    symbols_at = strings_at + len(strings)
    table_at = symbols_at + len(symbols)
    dynamic_at = table_at + len(table)
    tags = [(1, 16), (29, 26), (5, strings_at), (10, len(strings)), (6, symbols_at),
            (0x6ffffef5, table_at), (0, 0)]  # NEEDED RUNPATH STRTAB STRSZ SYMTAB GNU_HASH NULL
    dynamic = b''.join(struct.pack('<QQ', *tag) for tag in tags)
    size = dynamic_at + len(dynamic)
    header = struct.pack('<4sBBBB8xHHIQQQIHHHHHH', b'\x7fELF', 2, 1, 1, 0, 3, 62, 1, 0, 64, 0, 0, 64,
                         56, 3, 0, 0, 0)
    segments = b''.join(struct.pack('<IIQQQQQQ', kind, 4, at, at, at, length, length, 8)
                        for kind, at, length in ((1, 0, size), (2, dynamic_at, len(dynamic)),
                                                 (4, base, len(note))))
    return header + segments + note + strings + symbols + table + dynamic


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
    for folder in ('stores/*', 'transports/*', 'plugins/*/*'):
        for path in sorted(glob.glob(os.path.join(SOURCE, folder, 'manifest.json'))):
            with open(path, 'rb') as file:
                manifest = file.read()
            count += 1
            save(corpus, 'fuzz_manifest', f'seed-{count}', manifest)
            save(corpus, 'fuzz_manifest', f'seed-{count}-elf', plugin(manifest))
    with open(os.path.join(SOURCE, 'docs', 'protocol-examples.md'), encoding='utf-8') as page:
        blocks = re.findall(r'^(?:body|frame)\n((?:  [0-9a-f]+\n)+)', page.read(), re.M)
    for block in blocks:
        count += 1
        seed = bytes.fromhex(''.join(block.split()))
        save(corpus, 'fuzz_wire', f'seed-{count}', seed)
        save(corpus, 'fuzz_session', f'seed-{count}', seed)
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
    # As fuzz_atoms.cpp reads them: lists of constants, then path, comparison, typing and role.
    def atom(path, comparison, typing, role, *constants):
        listed = b''.join(bytes([kind, number, len(text)]) + text for kind, number, text in constants)
        return bytes([len(constants)]) + listed + bytes([path, comparison, typing, len(role)]) + role
    for number, atoms in enumerate((
            [atom(5, 1, 1, b'', (1, 0, b'country:DE')), atom(6, 1, 1, b'', (1, 0, b'population'))],
            [atom(8, 5, 2, b'year', (2, 90, b''))],
            [atom(3, 5, 1, b'', (2, 3, b'')), atom(3, 3, 1, b'', (2, 9, b''))],
            [atom(8, 1, 1, b'r', (1, 0, b'x'), (2, 6, b''), (3, 3, b''))])):
        save(corpus, 'fuzz_atoms', f'seed-{number}', bytes([len(atoms)]) + b''.join(atoms))
    for number, request in enumerate((
            b'{"op":"get","entity":"e","id":[{"a":1.5e3}]}', b'{"op":"status","id":' + b'[' * 90,
            b'{"op":"query","filter":{"==":[{"var":"author"},"\\u00e9\\\\"]},"limit":10}')):
        save(corpus, 'fuzz_bounded', f'seed-{number}', request)
    eight = b'\x48' + bytes(8)
    cursor = b'\x86\x58\x20' + bytes(32) + eight + b'\x05\x00' + eight + b'\x80'
    asked = b'\x84\x60\x81' + cursor + b'\x00\x00'  # a query of a cursor alone: a token's bytes
    token = b'rz1.' + base64.urlsafe_b64encode(asked).rstrip(b'=')
    for number, body in enumerate((
            b'\x85\x64true\x00\x80\x00\x19\x04\x00',  # subscribe
            b'\x85\x64true\x02\x81' + cursor + b'\x01\x0a',
            b'\x86\x01' + eight + b'\x05\x00' + eight + b'\x00',  # subscribed
            b'\x84\x1a\x00\x10\x00\x00\x00\x81\x83\x01\x05\x00\x81\x02',  # tail
            asked, token,
            b'\x85\x81\x87\x01\x01\x00\x05\x00' + eight + b'\x01\x81\x84\x81\x01\x04\x43abc\x40'
            b'\x81\x86\x01\x01\x00\x02\x00\x03\x81\x83\x01\x06\x61x\x80')):  # batch
        count += 1
        save(corpus, 'fuzz_feeds', f'seed-{number}', body)
    key, head = b'\x58\x20' + bytes(32), b'\x58\x40' + bytes(64)
    fabric, held = b'\x50' + bytes(16), b'\x85' + key + b'\x01\x05' + key + b'\x84\x01\x02\x04\x05'
    receipt = b'\x82\x87' + fabric + key + b'\x01\x01\x01\x60\x81' + held + head
    roster = b'\x82\x84' + fabric + key + b'\x01\x81\x82' + key + b'\x61a' + head
    for number, body in enumerate((
            receipt, roster, b'\x82\x01\x81\x59' + struct.pack('>H', len(receipt)) + receipt, b'\x81\x02',
            b'\x83\x03\x01\x02', b'\x85\x04\x02\x81' + key + b'\x81' + key + b'\x80',
            b'\x82\x01\x58' + bytes([len(roster)]) + roster)):
        count += 1
        save(corpus, 'fuzz_extent', f'seed-{number}', body)
    transcripts = os.path.join(vectors, 'negentropy', 'transcripts.json')
    messages = [bytes.fromhex('6100000200')]
    if os.path.exists(transcripts):
        with open(transcripts, encoding='utf-8') as handle:
            messages += [bytes.fromhex(message) for case in json.load(handle)['cases']
                         for message in case.get('messages', ()) if len(message) < 4096]
    ids, cell = bytes(range(32)), bytes(range(16)) + b'\1\2\1'
    messages += [cell * 20, b'\x84\1\x58\x20' + ids + b'\x1a\0\x0f\x42\x40\x50' + ids[:16], b'\x83\2\x05\x18\x64',
                 b'\x83\3\x50' + ids[:16] + b'\x19\x10\0', b'\x83\4\x50' + ids[:16] + b'\x45' + messages[0],
                 b'\x82\5\x58\x20' + ids, b'\x82\6\x58\x20' + ids, b'\x81\1',
                 b'\x83\2\x18\x64\x53' + cell, b'\x82\3\x53' + cell, b'\x82\4\x45' + messages[0],
                 b'\x82\5\x82\x43abc\x58\x40' + ids * 2]
    for number, message in enumerate(messages):
        count += 1
        for fuzzer in ('fuzz_sync', 'fuzz_ranges'):
            save(corpus, fuzzer, f'seed-{number}', message)
    print(f'{count} seeds')


if __name__ == '__main__':
    main()
