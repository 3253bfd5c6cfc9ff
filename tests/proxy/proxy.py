#!/usr/bin/env python3
"""A TCP proxy on loopback that is slow, unsteady or lossy on purpose, for tests and benches.

    proxy.py --to PORT [--listen PORT] [--rtt MS] [--jitter MS] [--rate BYTES_PER_S] [--loss SHARE]

Each direction is one link that all connections share: `rate` bytes a second, half the round trip plus
up to `jitter` each way. What TCP does with a lost segment is what its reader sees of it: the segment comes
a round trip (at least 200 ms) later, and what is behind it waits for it. As a library: `Proxy(...)`, then
`.port`, `.bytes` (to the target and back) and `.close()`; `.cut()` ends connections and takes no new ones
until `.mend()`.
"""
import argparse
import asyncio
import random
import threading
import time

SEGMENT = 1448
LEAST_RESEND_S = 0.2
WINDOW = 256 << 10  # bytes on a shaped link: as a socket's buffer


class Proxy:
    def __init__(self, to, listen=0, rtt_ms=0, jitter_ms=0, rate=0, loss=0.0, seed=1):
        self.to, self.port = to, listen
        self.delay, self.jitter = rtt_ms / 2000, jitter_ms / 1000
        self.rate, self.loss = rate, loss
        self.bytes = [0, 0]
        self.lost = 0
        self.random = random.Random(seed)
        self.free_at = [0.0, 0.0]  # when each direction's link has sent what it was given
        self.is_cut = False
        self.tasks, self.writers = set(), set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.call(self.start())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def start(self):
        self.server = await asyncio.start_server(self.accept, '127.0.0.1', self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        if self.is_cut:
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection('127.0.0.1', self.to)
        except OSError:
            writer.close()
            return
        for task in (self.pump(reader, far_writer, 0), self.pump(far_reader, writer, 1)):
            made = self.loop.create_task(task)
            self.tasks.add(made)
            made.add_done_callback(self.tasks.discard)
        self.writers |= {writer, far_writer}

    def arrival(self, direction, size):
        """When a segment that is given to the link now comes out of it."""
        now = time.monotonic()
        sent = max(now, self.free_at[direction]) + (size / self.rate if self.rate else 0)
        self.free_at[direction] = sent
        wait = self.delay + (self.random.random() * self.jitter if self.jitter else 0)
        if self.loss and self.random.random() < self.loss:
            self.lost += 1
            wait += max(LEAST_RESEND_S, 2 * self.delay)
        return sent + wait

    async def pump(self, reader, writer, direction):
        shaped = bool(self.rate or self.loss or self.jitter)
        size = SEGMENT if shaped else 1 << 16
        on_link = asyncio.Queue(WINDOW // SEGMENT if shaped else 1024)
        sender = self.loop.create_task(self.send(on_link, writer))
        self.tasks.add(sender)
        sender.add_done_callback(self.tasks.discard)
        try:
            while data := await reader.read(size):
                self.bytes[direction] += len(data)
                await on_link.put((self.arrival(direction, len(data)), data))
        except OSError:
            pass
        await on_link.put((0, b''))
        await sender

    @staticmethod
    async def send(on_link, writer):
        try:
            while True:
                due, data = await on_link.get()
                if not data:
                    break
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                writer.write(data)
                await writer.drain()
        except OSError:
            while (await on_link.get())[1]:  # the reader's side ends by itself
                pass
        writer.close()

    async def end_connections(self):
        for task in list(self.tasks):
            task.cancel()
        for writer in self.writers:
            writer.close()
        self.writers.clear()

    def cut(self):
        self.is_cut = True
        self.call(self.end_connections())

    def mend(self):
        self.is_cut = False

    def close(self):
        async def end():
            self.server.close()
            await self.end_connections()
        self.call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--to', type=int, required=True)
    parser.add_argument('--listen', type=int, default=0)
    for name, kind in (('rtt', float), ('jitter', float), ('rate', float), ('loss', float)):
        parser.add_argument('--' + name, type=kind, default=0)
    given = parser.parse_args()
    proxy = Proxy(given.to, given.listen, given.rtt, given.jitter, given.rate, given.loss)
    print(f'127.0.0.1:{proxy.port} -> 127.0.0.1:{given.to}', flush=True)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        proxy.close()
        print(f'{proxy.bytes[0]} bytes there, {proxy.bytes[1]} back, {proxy.lost} segments lost')


if __name__ == '__main__':
    main()
