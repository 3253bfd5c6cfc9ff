#!/usr/bin/env python3
"""The C table of librhizome-client from Python, by ctypes alone: write, read, subscribe by descriptor.

    bindings_test.py RHIZOME LIBRARY

Called by ctest. It shows what a binding of another language needs, and that nothing else is needed.
Its structs stay as they are when those of rhizome/client.h grow: it is an application of the first
version (sdk/abi/POLICY.md).
"""
import ctypes as c
import os
import select
import subprocess
import sys
import tempfile

U32, U64, PTR = c.c_uint32, c.c_uint64, c.c_void_p
FOREVER = 2 ** 64 - 1
OK, END, WOULD_BLOCK = 0, 3, 4
DELTA, PROPERTY, WRITTEN, LIVE = 1, 2, 3, 6
STRING = 1


def struct(name, *fields):
    return type(name, (c.Structure,), {'_fields_': [(field, kind) for field, kind in fields]})


Bytes = struct('Bytes', ('data', c.c_char_p), ('size', U64))
Error = struct('Error', ('position', U64), ('message', c.c_char * 504))
Options = struct('Options', ('struct_size', U32), ('flags', U32), ('socket_path', Bytes),
                 ('connect_timeout_ms', U64), ('answer_timeout_ms', U64), ('reconnect_ms', U64))
Value = struct('Value', ('kind', U32), ('reserved', U32), ('number', c.c_double), ('text', Bytes),
               ('context', Bytes))
Role = struct('Role', ('role', Bytes), ('target', Value))
Draft = struct('Draft', ('pointers', c.POINTER(Role)), ('count', U64), ('pointer_stride', U64),
               ('timestamp', c.c_double))
Write = struct('Write', ('struct_size', U32), ('flags', U32), ('drafts', c.POINTER(Draft)),
               ('count', U64), ('draft_stride', U64), ('confirm', PTR))
Get = struct('Get', ('struct_size', U32), ('flags', U32), ('entity', Bytes), ('resolver', Bytes),
             ('resolver_options', Bytes), ('read', PTR))
Subscription = struct('Subscription', ('struct_size', U32), ('flags', U32), ('query', PTR),
                      ('resume', Bytes), ('peer', Bytes), ('policy', Bytes), ('queue_limit', U64))
DeltaEvent = struct('DeltaEvent', ('struct_size', U32), ('reserved', U32), ('seq', U64),
                    ('id', Bytes), ('author', Bytes), ('timestamp', c.c_double), ('pointers', PTR),
                    ('pointer_count', U64), ('pointer_stride', U64), ('property', Bytes),
                    ('json', Bytes), ('replication', PTR))
PropertyEvent = struct('PropertyEvent', ('struct_size', U32), ('reserved', U32), ('name', Bytes),
                       ('value', Value))
Event = struct('Event', ('struct_size', U32), ('kind', U32), ('delta', c.POINTER(DeltaEvent)),
               ('property', c.POINTER(PropertyEvent)), ('written', PTR), ('extent', PTR),
               ('summary', PTR), ('tokens', PTR), ('token', Bytes), ('count', U64),
               ('header', Bytes), ('blob', Bytes))

BEGIN = c.CFUNCTYPE(c.c_int32, PTR, PTR, c.POINTER(PTR), c.POINTER(Error))
Api = struct('Api', ('version', U32), ('struct_size', U32),
             ('open', c.CFUNCTYPE(c.c_int32, c.POINTER(Options), c.POINTER(PTR), c.POINTER(Error))),
             ('close', c.CFUNCTYPE(None, PTR)), ('write', BEGIN), ('import_lines', BEGIN),
             ('negate', BEGIN), ('get', BEGIN), ('query', BEGIN), ('subscribe', BEGIN),
             ('extent', BEGIN), ('request', BEGIN),
             ('next', c.CFUNCTYPE(c.c_int32, PTR, U64, c.POINTER(Event), c.POINTER(Error))),
             ('fd', c.CFUNCTYPE(c.c_int32, PTR)), ('pause', PTR), ('resume', PTR), ('cancel', PTR),
             ('end', c.CFUNCTYPE(None, PTR)))


def text(value):
    data = value.encode()
    return Bytes(data, len(data))


def read(value):
    return c.string_at(value.data, value.size).decode() if value.size else ''


class Client:
    def __init__(self, library, path):
        give = c.CDLL(library).rhizome_client_api
        give.restype, give.argtypes = c.POINTER(Api), [U32]
        self.api = give(1).contents
        assert not give(2), 'a version that does not exist'
        assert self.api.struct_size >= c.sizeof(Api), 'the table lost a function'
        self.handle, error = PTR(), Error()
        options = Options(c.sizeof(Options), 0, text(path))
        assert self.api.open(options, self.handle, error) == OK, error.message

    def begin(self, function, argument):
        call, error = PTR(), Error()
        assert function(self.handle, c.addressof(argument), call, error) == OK, error.message
        return call

    def next(self, call, timeout=FOREVER):
        event, error = Event(c.sizeof(Event)), Error()
        code = self.api.next(call, timeout, event, error)
        assert code in (OK, END, WOULD_BLOCK), f'{code}: {error.message.decode()}'
        return code, event

    def write(self, entity, name, value):
        roles = (Role * 2)(
            Role(text('subject'), Value(4, 0, 0, text(entity), text(name))),
            Role(text('value'), Value(STRING, 0, 0, text(value))))
        draft = Draft(roles, 2, c.sizeof(Role), 0)
        call = self.begin(self.api.write, Write(c.sizeof(Write), 2, c.pointer(draft), 1, c.sizeof(Draft)))
        code, event = self.next(call)
        assert (code, event.kind) == (OK, WRITTEN)
        self.api.end(call)


def main():
    rhizome, library = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as directory:
        home = os.path.join(directory, 'n')
        subprocess.run([rhizome, 'init', home, '--listen', 'tcp://127.0.0.1:*'], check=True,
                       stdout=subprocess.DEVNULL)
        with subprocess.Popen([rhizome, 'run', home], stdout=subprocess.PIPE, text=True) as node:
            try:
                assert 'ready' in node.stdout.readline()
                use(Client(library, os.path.join(home, 'control.sock')))
            finally:
                node.terminate()
                node.wait(20)
    print('written, read and followed from Python')


def use(client):
    api = client.api
    client.write('movie:matrix', 'title', 'The Matrix')
    call = client.begin(api.get, Get(c.sizeof(Get), 0, text('movie:matrix')))
    code, event = client.next(call)
    assert (code, event.kind) == (OK, PROPERTY)
    found = event.property.contents
    assert (read(found.name), read(found.value.text)) == ('title', 'The Matrix')
    assert client.next(call)[0] == END
    api.end(call)

    call = client.begin(api.subscribe, Subscription(c.sizeof(Subscription), 1))
    kind = None
    while kind != LIVE:
        kind = client.next(call)[1].kind
    while client.next(call, 0)[0] != WOULD_BLOCK:
        pass
    client.write('movie:matrix', 'year', '1999')
    assert select.select([api.fd(call)], [], [], 10)[0], 'the descriptor says nothing'
    code, event = client.next(call, 0)
    while code == WOULD_BLOCK or event.kind != DELTA:
        code, event = client.next(call, 1000)
    delta = event.delta.contents
    value = Role.from_address(delta.pointers + delta.pointer_stride)  # the second one
    assert read(value.target.text) == '1999'
    api.end(call)
    api.close(client.handle)


if __name__ == '__main__':
    main()
