#!/usr/bin/env python3
"""Sets two Negentropy harnesses against each other: converse.py CLIENT SERVER ROUNDS [SEED]

Each is a command that speaks the public test harness's line protocol. In every round both get items
of chance (sizes, timestamps, frame limits and shares missing too) and the client must find exactly
the differences. Prints what it saw; status 1 where a round fails.
"""
import os
import random
import shlex
import subprocess
import sys


class Harness:
    def __init__(self, command, limit):
        environment = dict(os.environ)
        environment.pop('FRAMESIZELIMIT', None)
        if limit:
            environment['FRAMESIZELIMIT'] = str(limit)
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment, text=True)

    def say(self, line):
        self.process.stdin.write(line + '\n')

    def hear(self):
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit('a harness ended early')
        return line

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def items_of_chance(chance):
    count = chance.choice((0, 1, 10, 100, 1000, 8000))
    times = chance.choice((1, 10, 1000, 100_000))
    missing = chance.choice((0, 0.001, 0.02, 0.5))
    everywhere, client, server = [], [], []
    for _ in range(count):
        line = f'{1_677_970_534 + chance.randrange(times)},{chance.randbytes(32).hex()}'
        lot = chance.random()
        (client if lot < missing else server if lot < 2 * missing else everywhere).append(line)
    return everywhere, client, server


def converse(client_command, server_command, chance):
    """One round: (messages, their bytes, differences found)."""
    everywhere, only_client, only_server = items_of_chance(chance)
    client = Harness(client_command, chance.choice((0, 4096, 60_000)))
    server = Harness(server_command, chance.choice((0, 4096, 60_000)))
    for side, own in ((client, only_client), (server, only_server)):
        for line in sorted(everywhere + own, key=lambda _: chance.random()):
            side.say(f'item,{line}')
        side.say('seal')
    client.say('initiate')
    have, need, messages, size = set(), set(), 0, 0
    while True:
        line = client.hear()
        word, _, rest = line.partition(',')
        if word == 'have':
            have.add(rest)
        elif word == 'need':
            need.add(rest)
        elif word == 'done':
            break
        elif word == 'msg':
            server.say(line)
            answer = server.hear()
            messages, size = messages + 2, size + (len(line) + len(answer) - 8) // 2
            client.say(answer)
        else:
            raise SystemExit(f'unexpected: {line[:100]}')
    client.close()
    server.close()
    ids = [{line.split(',')[1] for line in lines} for lines in (only_client, only_server)]
    if [have, need] != ids:
        raise SystemExit(f'found {len(have)} and {len(need)}, there are {len(ids[0])} and {len(ids[1])}')
    return messages, size, len(have) + len(need)


def main():
    client, server, rounds = sys.argv[1:4]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(2 ** 32)
    print(f'seed {seed}', flush=True)
    chance = random.Random(seed)
    totals = [0, 0, 0]
    for _ in range(int(rounds)):
        totals = [a + b for a, b in zip(totals, converse(client, server, chance))]
    print(f'{rounds} rounds: {totals[0]} messages, {totals[1]} bytes, {totals[2]} differences, all found')


main()
