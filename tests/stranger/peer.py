"""A peer in another language, written from docs/protocol.md and docs/transports.md alone: it shares no
code with the node, only libraries for ZeroMQ, Ed25519 and CBOR. Used by stranger_test.py.
"""
import ctypes
import os
import struct
import time

import cbor2
import nacl.bindings as sodium
import zmq

CONTROL, BULK = 0, 1
PROPAGATE, ANNOUNCE, INTRODUCE, CONFIRM, HELLO, HELLO_REPLY = 1, 2, 8, 9, 16, 17
FETCH, FETCH_REPLY, ACK, ERROR = 18, 19, 30, 31
INITIATOR, RESPONDER = b'\1', b'\2'
ZERO_HEAD = bytes(32)


class Blake3:
    """The packaged C implementation through ctypes: Debian has no Python module for it."""

    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        for name, arguments in (('init', 1), ('update', 3), ('finalize', 3)):
            function = getattr(self.library, f'blake3_hasher_{name}')
            function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t][:arguments]
            function.restype = None

    def __call__(self, data):
        hasher, out = ctypes.create_string_buffer(4096), ctypes.create_string_buffer(32)
        self.library.blake3_hasher_init(hasher)
        self.library.blake3_hasher_update(hasher, data, len(data))
        self.library.blake3_hasher_finalize(hasher, out, 32)
        return out.raw


class Channel:
    """docs/transports.md, "On the wire": two DEALER connections, one session, credit and requests."""

    def __init__(self, address, own_secret, node_key):
        self.public, self.secret = (sodium.crypto_sign_ed25519_pk_to_curve25519(own_secret[32:]),
                                    sodium.crypto_sign_ed25519_sk_to_curve25519(own_secret))
        self.context = zmq.Context()
        session, self.sockets, self.poller = os.urandom(16), [], zmq.Poller()
        for lane in (CONTROL, BULK):
            socket = self.context.socket(zmq.DEALER)
            socket.linger = 0
            socket.curve_serverkey = sodium.crypto_sign_ed25519_pk_to_curve25519(node_key)
            socket.curve_publickey, socket.curve_secretkey = self.public, self.secret
            socket.connect(address)
            socket.send(struct.pack('<BBB16sQ', 1, 1, lane, session, 8 << 20))
            self.sockets.append(socket)
            self.poller.register(socket, zmq.POLLIN)
        self.taken, self.acked, self.pinged = [0, 0], [0, 0], 0.0
        self.number, self.replies = 0, {}
        self.on_request = self.on_published = None
        for lane in (CONTROL, BULK):
            self.expect(lane, 2)
        self.sockets[CONTROL].send(b'\x03' + bytes(16))  # no link of ours has ended

    def expect(self, lane, kind):
        if not self.sockets[lane].poll(10_000):
            raise TimeoutError(f'no message of kind {kind} on lane {lane}')
        message = self.sockets[lane].recv()
        assert message[0] == kind, f'expected kind {kind}, got {message[:32].hex()}'

    def pump(self, seconds):
        """Handles what comes for a while; answers credit and pings."""
        until = time.monotonic() + seconds
        while True:
            ready = dict(self.poller.poll(max(0, min(200, int((until - time.monotonic()) * 1000)))))
            for lane, socket in enumerate(self.sockets):
                if socket in ready:
                    self.handle(lane, socket.recv())
                if self.taken[lane] - self.acked[lane] >= 1 << 20:
                    self.acked[lane] = self.taken[lane]
                    socket.send(struct.pack('<BQ', 7, self.taken[lane]))
            now = time.monotonic()
            if now - self.pinged > 1:
                self.pinged = now
                for socket in self.sockets:
                    socket.send(b'\x06')
            if now >= until:
                return

    def handle(self, lane, message):
        kind = message[0]
        if kind in (10, 11, 14):
            self.taken[lane] += len(message) + 64
        if kind == 10:  # request
            number, _ = struct.unpack_from('<QI', message, 1)
            self.on_request(number, message[13:])
        elif kind == 11:  # reply
            number, last = struct.unpack_from('<QB', message, 1)
            self.replies[number].append((message[10:], bool(last)))
        elif kind == 12:  # failed
            number, code = struct.unpack_from('<QI', message, 1)
            self.replies[number].append((code, True))
        elif kind == 14:  # published
            size = message[1]
            self.on_published(message[2:2 + size], message[2 + size:])
        elif kind in (4, 5):
            raise ConnectionError('the node ended the link')

    def request(self, frame, deadline_ms=10_000):
        """All reply frames of one request."""
        self.number += 1
        number, self.replies[self.number] = self.number, []
        self.sockets[CONTROL].send(struct.pack('<BQI', 10, number, deadline_ms) + frame)
        until = time.monotonic() + deadline_ms / 1000 + 2
        while not (self.replies[number] and self.replies[number][-1][1]):
            if time.monotonic() > until:
                raise TimeoutError('a request had no last reply')
            self.pump(0.02)
        return [frame for frame, _ in self.replies.pop(number)]

    def reply(self, number, frame, last=True):
        self.sockets[CONTROL].send(struct.pack('<BQB', 11, number, last) + frame)

    def subscribe(self, prefix):
        self.sockets[CONTROL].send(struct.pack('<BB', 8, len(prefix)) + prefix)

    def close(self):
        for socket in self.sockets:
            socket.send(b'\x05')
        self.context.destroy(linger=100)


class Peer:
    """docs/protocol.md: frames, hello, introductions, fetch and deliveries, over a proven connection."""

    def __init__(self, blake3, address, node_key, fabric, seed):
        self.blake3, self.node_key = blake3, node_key
        self.key, self.secret = sodium.crypto_sign_seed_keypair(seed)
        self.fabric = blake3(b'rhizome.fabric.v1' + fabric.encode())[:16]
        self.held = {}     # id -> claims
        self.heads = {}    # (origin, epoch) -> (last, head)
        self.own = []      # what this peer numbered: (statement, claims, signature)
        self.boot = os.urandom(16)
        self.session = False
        self.channel = Channel(address, self.secret, node_key)
        self.node_link = sodium.crypto_sign_ed25519_pk_to_curve25519(node_key)
        self.channel.on_request, self.channel.on_published = self.answer, self.published

    # ---- frames
    @staticmethod
    def frame(kind, lane, body, timeout_ms=0):
        return struct.pack('>BBI', kind, lane, timeout_ms) + body

    @staticmethod
    def open(frame):
        kind, lane, _ = struct.unpack_from('>BBI', frame)
        assert lane <= 4
        return kind, frame[6:]

    def sign(self, message):
        return sodium.crypto_sign(message, self.secret)[:64]

    @staticmethod
    def verify(key, message, signature):
        sodium.crypto_sign_open(signature + message, key)  # raises where it is not the key's

    def ask(self, kind, lane, body):
        answers = [self.open(frame) for frame in self.channel.request(self.frame(kind, lane, body, 10_000))]
        for answer_kind, answer_body in answers:
            assert answer_kind != ERROR, cbor2.loads(answer_body)
        return answers

    # ---- hello
    def own_hello(self):
        return [1, self.fabric, self.key, os.urandom(32), b'', self.boot]

    def check_hello(self, fields):
        version, fabric, node, _, ephemeral, _ = fields
        assert (version, fabric, node, ephemeral) == (1, self.fabric, self.node_key, b'')

    def transcript(self, initiator, responder, hello, reply):
        return self.blake3(initiator + responder + b'\1' + hello + cbor2.dumps(reply))

    def greet(self):
        """Makes a session, whichever side is to say hello."""
        own = self.channel.public
        if own < self.node_link:
            hello = cbor2.dumps(self.own_hello())
            (kind, body), = self.ask(HELLO, 0, hello)
            assert kind == HELLO_REPLY
            *reply, signature = cbor2.loads(body)
            self.check_hello(reply)
            transcript = self.transcript(own, self.node_link, hello, reply)
            self.verify(self.node_key, b'rhizome.session.v1' + RESPONDER + transcript, signature)
            signature = self.sign(b'rhizome.session.v1' + INITIATOR + transcript)
            (kind, _), = self.ask(CONFIRM, 0, cbor2.dumps([signature]))
            assert kind == ACK
            self.session = True
        until = time.monotonic() + 15
        while not self.session:
            assert time.monotonic() < until, 'the node says no hello'
            self.channel.pump(0.05)

    def answer_hello(self, hello):
        self.check_hello(cbor2.loads(hello))
        reply = self.own_hello()
        self.awaited = self.transcript(self.node_link, self.channel.public, hello, reply)
        reply.append(self.sign(b'rhizome.session.v1' + RESPONDER + self.awaited))
        return cbor2.dumps(reply)

    def take_confirm(self, confirm):
        signature, = cbor2.loads(confirm)
        self.verify(self.node_key, b'rhizome.session.v1' + INITIATOR + self.awaited, signature)
        self.session = True

    # ---- conversation
    def positions(self):
        return [[origin, epoch, last, head] for (origin, epoch), (last, head) in sorted(self.heads.items())]

    def introduction(self):
        return cbor2.dumps(['a stranger', [], ['propagate', 'announce', 'fetch'], self.positions(), []])

    def introduce(self):
        self.greet()
        (kind, body), = self.ask(INTRODUCE, 0, self.introduction())
        assert kind == INTRODUCE
        name, addresses, provides, positions = cbor2.loads(body)[:4]
        return name, addresses, provides, positions

    def announce(self):
        self.ask(ANNOUNCE, 0, cbor2.dumps(self.positions()))

    def fetch_all(self, origin, epoch, last):
        first, ids = self.heads.get((origin, epoch), (0, ZERO_HEAD))[0] + 1, []
        while first <= last:
            for kind, body in self.ask(FETCH, 3, cbor2.dumps([origin, epoch, first, last, 1 << 18])):
                if kind == FETCH_REPLY:
                    ids = self.unpack(body, ids)
                elif kind == ACK:
                    first, = cbor2.loads(body)

    def unpack(self, body, ids):
        """Takes a pack; `ids` are those of a statement that the pack before left unfinished."""
        origin, epoch, start, previous, first, runs = cbor2.loads(body)
        assert len(ids) == first, 'not the continuation of what came'
        for count, signature, bodies in zip(runs[::3], runs[1::3], runs[2::3]):
            for claims, own_signature in zip(bodies[::3], bodies[1::3]):
                delta_id = b'\x1e\x20' + (self.blake3(claims) if claims else own_signature)
                ids.append(delta_id)
                if claims:
                    self.hold(delta_id, claims, own_signature)
            if len(ids) < count:
                return ids
            head = previous
            for offset, delta_id in enumerate(ids):
                head = self.blake3(head + struct.pack('>Q', start + offset) + delta_id)
            self.verify(origin, b'rhizome.labels.v1' + cbor2.dumps([origin, epoch, start, count, previous, head]),
                        signature)
            self.heads[origin, epoch] = (start + count - 1, head)
            start, previous, ids = start + count, head, []
        return ids

    def hold(self, delta_id, claims, signature):
        if signature:
            author = cbor2.loads(claims)['author']
            self.verify(bytes.fromhex(author.removeprefix('ed25519:')), delta_id, signature)
        self.held[delta_id] = claims

    def take(self, body):
        """Checks a delivery as a node would: ids, chain, signature of the origin."""
        origin, epoch, start, ids, previous, head, signature, first, bodies = cbor2.loads(body)
        ids = [b'\x1e\x20' + ids[i:i + 32] for i in range(0, len(ids), 32)]
        chained = previous
        for offset, delta_id in enumerate(ids):
            chained = self.blake3(chained + struct.pack('>Q', start + offset) + delta_id)
        assert chained == head, 'the chain does not lead to the head'
        statement = cbor2.dumps([origin, epoch, start, len(ids), previous, head])
        self.verify(origin, b'rhizome.labels.v1' + statement, signature)
        for offset, (claims, own_signature) in enumerate(zip(bodies[::3], bodies[1::3])):
            delta_id = ids[first + offset]
            assert b'\x1e\x20' + self.blake3(claims) == delta_id, 'a body that is not its id'
            self.hold(delta_id, claims, own_signature)
        if first + len(bodies) // 3 == len(ids):
            last, known = self.heads.get((origin, epoch), (0, ZERO_HEAD))
            if start == last + 1 and previous == known:
                self.heads[origin, epoch] = (start + len(ids) - 1, head)

    def published(self, topic, frame):
        kind, body = self.open(frame)
        assert kind == PROPAGATE and topic[:1] == b'o'
        self.take(body)

    def answer(self, number, frame):
        kind, body = self.open(frame)
        if kind == HELLO:
            return self.channel.reply(number, self.frame(HELLO_REPLY, 0, self.answer_hello(body)))
        if kind == CONFIRM:
            self.take_confirm(body)
            return self.channel.reply(number, self.frame(ACK, 0, b''))
        if kind == INTRODUCE:
            self.channel.reply(number, self.frame(INTRODUCE, 0, self.introduction()))
        elif kind == FETCH:
            origin, epoch, start, to, _ = cbor2.loads(body)
            for delivery in self.own:
                if (delivery[0], delivery[1]) == (origin, epoch) and start <= delivery[2] <= to:
                    pack = [origin, epoch, delivery[2], delivery[4], 0, [1, delivery[6], delivery[8]]]
                    self.channel.reply(number, self.frame(FETCH_REPLY, 3, cbor2.dumps(pack)), last=False)
            self.channel.reply(number, self.frame(ACK, 3, cbor2.dumps([to + 1])))
        elif kind == ANNOUNCE:
            self.channel.reply(number, self.frame(ACK, 0, b''))
        else:
            error = cbor2.dumps([9, 'I do not know this kind', 0])
            self.channel.reply(number, self.frame(ERROR, 0, error))

    # ---- writing
    def write(self, claims, epoch=1):
        """Signs a delta, numbers it as this peer's next, and announces it; the node fetches it."""
        claims = cbor2.dumps(dict(claims, author='ed25519:' + self.key.hex()), canonical=True)
        delta_id = b'\x1e\x20' + self.blake3(claims)
        last, previous = self.heads.get((self.key, epoch), (0, ZERO_HEAD))
        head = self.blake3(previous + struct.pack('>Q', last + 1) + delta_id)
        statement = cbor2.dumps([self.key, epoch, last + 1, 1, previous, head])
        self.own.append([self.key, epoch, last + 1, delta_id[2:], previous, head,
                         self.sign(b'rhizome.labels.v1' + statement), 0, [claims, self.sign(delta_id), 20]])
        self.heads[self.key, epoch] = (last + 1, head)
        self.announce()
        return delta_id
