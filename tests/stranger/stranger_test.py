#!/usr/bin/python3
"""A peer that knows docs/protocol.md and nothing else exchanges deltas with a real node, both ways.

    stranger_test.py RHIZOME BLAKE3_LIBRARY
"""
import math
import os
import struct
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'system')]

import cbor2  # noqa: E402
import fixture  # noqa: E402
import nacl.bindings as sodium  # noqa: E402
from peer import ANNOUNCE, ERROR, Blake3, Peer  # noqa: E402

BLAKE3_LIBRARY = ''


class AStranger(fixture.NodesTest):
    def setUp(self):
        super().setUp()
        self.a = self.node('a')
        self.a.edit('admission: allow-list', 'admission: open')
        self.a.start()
        self.peer = self.stranger(bytes(range(32)))

    def stranger(self, seed):
        peer = Peer(Blake3(BLAKE3_LIBRARY), self.a.address,
                    bytes.fromhex(self.a.key.removeprefix('ed25519:')), 'default', seed)
        self.addCleanup(peer.channel.close)
        return peer

    def wait(self, what, seconds=15):
        until = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), until, 'not within the time')
            self.peer.channel.pump(0.1)

    def test_fetches_what_a_node_holds_and_checks_it(self):
        lines = ''.join(f'{{"pointers":[{{"role":"subject","target":{{"id":"film:{i}","context":"title"}}}},'
                        f'{{"role":"value","target":"number {i}"}}]}}\n' for i in range(3000))
        self.a.run('write', '--claims', '-', text=lines)
        name, _, provides, positions = self.peer.introduce()
        self.assertEqual(name, 'a')
        self.assertIn('fetch', provides)
        for origin, epoch, last, head in positions:
            self.peer.fetch_all(origin, epoch, last)
            self.assertEqual(self.peer.heads[origin, epoch], (last, head))
        self.assertEqual(len(self.peer.held), self.a.json('status')['deltas'])

    def test_says_hello_and_is_said_hello_to(self):
        said = set()
        for first in range(1, 64):
            peer = self.stranger(bytes([first]) * 32)
            if (peer.channel.public < peer.node_link) in said:
                continue
            said.add(peer.channel.public < peer.node_link)
            self.assertEqual(peer.introduce()[0], 'a')
            if len(said) == 2:
                return
        self.fail('no key was smaller, or none greater, than the node\'s')

    def test_is_denied_all_before_hello(self):
        (frame,) = self.peer.channel.request(self.peer.frame(ANNOUNCE, 0, cbor2.dumps([])))
        kind, body = self.peer.open(frame)
        self.assertEqual(kind, ERROR)
        self.assertIn('hello', cbor2.loads(body)[1])

    def test_hears_what_is_written_while_it_listens(self):
        self.peer.introduce()
        self.peer.channel.subscribe(b'o' + self.peer.node_key)
        self.peer.channel.pump(0.5)
        self.a.run('write', 'film:1', 'title', 'The Matrix')
        self.wait(lambda: len(self.peer.held) == 1)

    def test_what_it_wrote_is_read_on_the_node(self):
        self.peer.introduce()
        self.peer.write({'timestamp': 1.5, 'pointers': [
            {'role': 'subject', 'target': {'id': 'film:2', 'context': 'title'}},
            {'role': 'value', 'target': 'Solaris'}]})
        self.wait(lambda: self.a.json('status')['deltas'] == 1)
        self.assertIn('Solaris', self.a.run('get', 'film:2').stdout)


class ThePageOfExamples(unittest.TestCase):
    """docs/protocol-examples.md read by other libraries than those that wrote it."""

    def setUp(self):
        page = os.path.join(HERE, '..', '..', 'docs', 'protocol-examples.md')
        self.sections = {}
        for line in open(page, encoding='utf-8').read().splitlines():
            if line.startswith('## '):
                section = self.sections.setdefault(line[3:], {})
            elif line.startswith('  '):
                section[name] += bytes.fromhex(line.strip())
            elif line and not line.startswith('```') and self.sections:
                name = line
                section[name] = b''

    def test_holds_frames_of_its_kinds(self):
        self.sections.pop('Keys and the delta')
        frames = {title: section for title, section in self.sections.items() if {'frame', 'body'} <= section.keys()}
        self.assertGreaterEqual(len(frames), 20)
        for title, section in frames.items():
            kind, body = Peer.open(section['frame'])
            self.assertEqual(f'({kind})', title.split()[-1])
            self.assertEqual(body, section['body'], title)
            if body:
                self.assertEqual(cbor2.dumps(cbor2.loads(body)), body, title)

    def test_holds_a_hello_that_both_signed_and_the_keys_that_follow(self):
        given, blake3 = self.sections['Keys and the delta'], Blake3(BLAKE3_LIBRARY)
        ada, bea = given['node key of Ada'], given['node key of Bea']
        link_of = sodium.crypto_sign_ed25519_pk_to_curve25519
        for level, name in ((b'\1', 'proven'), (b'\0', 'unproven')):
            hello, reply, confirm = (self.sections[f'{what}, {name} ({kind})']['body'] for what, kind in
                                     (('Hello', 16), ('Hello reply', 17), ('Confirm', 9)))
            fields, (*unsigned, signature) = cbor2.loads(hello), cbor2.loads(reply)
            initiator, responder = fields[2], unsigned[2]
            self.assertEqual({initiator, responder}, {ada, bea})
            self.assertLess(link_of(initiator), link_of(responder))
            self.assertEqual((fields[0], fields[1]), (1, given['fabric']))
            transcript = blake3(link_of(initiator) + link_of(responder) + level + hello + cbor2.dumps(unsigned))
            Peer.verify(responder, b'rhizome.session.v1\2' + transcript, signature)
            Peer.verify(initiator, b'rhizome.session.v1\1' + transcript, cbor2.loads(confirm)[0])
        keys = self.sections['Keys of the unproven session']
        shared = sodium.crypto_scalarmult(keys['ephemeral secret of the responder'], fields[4])
        key = blake3(b'rhizome.session.key.v1\1' + shared + transcript)
        self.assertEqual(key, keys['key of the initiator'])
        sealed = self.sections['Sealed (20)']['frame']
        nonce = sealed[1:2] + bytes(3) + sealed[2:10]
        inner = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(sealed[10:], sealed[:10], nonce, key)
        self.assertEqual(inner[:14], struct.pack('>BBQI', 1, 1, 77, 10000))
        self.assertEqual(inner[14:], self.sections['Sealed (20)']['plain body'])

    def test_holds_a_publication_that_its_publisher_signed(self):
        given, blake3 = self.sections['Keys and the delta'], Blake3(BLAKE3_LIBRARY)
        section = self.sections['Publication (7)']
        frame, topic = section['frame'], b'o' + given['node key of Ada']
        self.assertEqual(frame[:10], struct.pack('>BBQ', 7, 2, 0))
        body = frame[74:]
        self.assertEqual(body, self.sections['Propagate (1)']['body'])
        boot = section['boot nonce of Ada']
        signed = blake3(given['fabric'] + boot + frame[2:10] + bytes([len(topic)]) + topic + body)
        Peer.verify(given['node key of Ada'], b'rhizome.publication.v1' + signed, frame[10:74])

    def test_holds_a_receipt_and_a_roster_that_their_makers_signed(self):
        key, blake3 = self.sections['Keys and the delta']['node key of Ada'], Blake3(BLAKE3_LIBRARY)
        push = cbor2.loads(self.sections['Receipt: push (3)']['body'])
        for domain, signed in ((b'rhizome.receipt.v1', push[1][0]),
                               (b'rhizome.roster.v1', cbor2.loads(self.sections['Roster (4)']['body'])[1])):
            inner, signature = cbor2.loads(signed)
            self.assertEqual(inner[1], key)
            Peer.verify(key, domain + blake3(cbor2.dumps(inner)), signature)

    def test_gives_the_id_and_the_head_that_the_rules_give(self):
        given, blake3 = self.sections['Keys and the delta'], Blake3(BLAKE3_LIBRARY)
        self.assertEqual(given['id'], b'\x1e\x20' + blake3(given['claims']))
        number = (1).to_bytes(8, 'big')
        self.assertEqual(given['head after number 1'], blake3(bytes(32) + number + given['id']))
        Peer.verify(given['node key of Ada'], given['id'], given['signature of the id by Ada'])

    def test_holds_the_cell_of_a_set_of_one(self):
        short = self.sections['Keys and the delta']['id'][2:18]
        step, count, cells = cbor2.loads(self.sections['Reconcile: differs (23)']['body'])
        check = siphash(b'rhizome.sketchv1', short) & 0xffff
        self.assertEqual((step, count), (2, 1))
        self.assertEqual(cells, short + check.to_bytes(2, 'little') + b'\1')
        self.assertEqual(cbor2.loads(self.sections['Reconcile: want (23)']['body']), [5, short])
        step, _, size, counts = cbor2.loads(self.sections['Reconcile: compare (23)']['body'])
        held, cell, random, mask = bytearray(17), 0, siphash(b'rhizome.sketchv1', short) | 1, 2 ** 64 - 1
        while cell < len(held):
            held[cell] = 1
            random = random * 0xda942042e4dd58b5 & mask
            cell += math.ceil((cell + 1.5) * (2.0 ** 32 / math.sqrt(float(random) + 1.0) - 1.0))
        self.assertEqual((step, size, counts), (1, 1, bytes(held[1:])))


def siphash(key, message):
    """SipHash-2-4 of 16 bytes, from its paper (Aumasson and Bernstein 2012)."""
    mask = 2 ** 64 - 1
    low, high = (int.from_bytes(half, 'little') for half in (key[:8], key[8:]))
    v = [low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d, low ^ 0x6c7967656e657261,
         high ^ 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> (64 - bits)) & mask

    def rounds(count):
        for _ in range(count):
            for a, b, bits in ((0, 1, 13), (2, 3, 16)):
                v[a] = (v[a] + v[b]) & mask
                v[b] = turn(v[b], bits) ^ v[a]
            v[0] = turn(v[0], 32)
            for a, b, bits in ((2, 1, 17), (0, 3, 21)):
                v[a] = (v[a] + v[b]) & mask
                v[b] = turn(v[b], bits) ^ v[a]
            v[2] = turn(v[2], 32)

    for word in (message[:8], message[8:], bytes(7) + bytes([len(message)])):
        number = int.from_bytes(word, 'little')
        v[3] ^= number
        rounds(2)
        v[0] ^= number
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


if __name__ == '__main__':
    BLAKE3_LIBRARY = sys.argv.pop(2)
    fixture.main()
