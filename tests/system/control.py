"""The control socket from Python: for tests and benches that ask a node many times a second."""
import json
import os
import socket
import struct


class Control:
    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(directory, 'control.sock'))

    def ask(self, op, **fields):
        """The answer's header and blob."""
        header = json.dumps({'op': op, **fields}).encode()
        self.socket.sendall(struct.pack('<II', 4 + len(header), len(header)) + header)
        total, size = struct.unpack('<II', self.read(8))
        body = self.read(total - 4)
        return json.loads(body[:size]), body[size:]

    def read(self, size):
        data = b''
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError('the node closed its control socket')
            data += more
        return data

    def digest(self):
        return self.ask('digest')[0]['digest']

    def status(self):
        return json.loads(self.ask('status')[1])

    def peers(self):
        return json.loads(self.ask('peers')[1])

    def close(self):
        self.socket.close()
