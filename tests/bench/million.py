#!/usr/bin/env python3
"""A node with many deltas, as a process: import rate, memory, disk, and how soon it answers again.

    million.py RHIZOME [COUNT] [--json FILE]      COUNT defaults to 1,000,000
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


def memory_mib(pid, field):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) / 1024
    return 0.0


def call(rhizome, *arguments):
    return subprocess.run([rhizome, *arguments], capture_output=True, text=True, check=True).stdout


def start(rhizome, node):
    began = time.monotonic()
    process = subprocess.Popen([rhizome, 'run', node], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if not process.stdout.readline().startswith('ready'):
        sys.exit('the node did not start')
    status = json.loads(call(rhizome, 'status', '--node', node, '--json'))
    return process, status, time.monotonic() - began


def main():
    rhizome = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 1_000_000
    root = tempfile.mkdtemp(prefix='rhizome-million-')
    node = os.path.join(root, 'node')
    try:
        call(rhizome, 'init', node, '--listen', 'tcp://127.0.0.1:*')
        process, _, empty_start = start(rhizome, node)
        source = os.path.join(root, 'claims.jsonl')
        with open(source, 'w', encoding='ascii') as file:
            for i in range(count):
                file.write(f'{{"timestamp":{1700000000000 + i},"pointers":[{{"role":"item","target":{{"id":"item:{i // 4}",'
                           f'"context":"p{i % 4}"}}}},{{"role":"value","target":"value number {i}"}}]}}\n')
        began = time.monotonic()
        call(rhizome, 'import', source, '--node', node, '--json')
        seconds = time.monotonic() - began
        os.remove(source)
        status = json.loads(call(rhizome, 'status', '--node', node, '--json'))
        began = time.monotonic()
        call(rhizome, 'get', 'item:77', '--node', node)
        read = time.monotonic() - began
        peak, now = memory_mib(process.pid, 'VmHWM'), memory_mib(process.pid, 'VmRSS')
        process.kill()
        process.wait()
        process, after, after_kill = start(rhizome, node)
        process.terminate()
        process.wait()
        process, _, again = start(rhizome, node)
        restarted = memory_mib(process.pid, 'VmRSS')
        process.terminate()
        process.wait()
        assert after['digest'] == status['digest'], 'the digest changed over kill -9'
        figures = {
            'deltas': status['deltas'], 'import_per_s': round(count / seconds),
            'rss_peak_mib': round(peak, 1), 'rss_after_import_mib': round(now, 1),
            'rss_after_restart_mib': round(restarted, 1),
            'claims_bytes_per_delta': round(status['claims_bytes'] / status['deltas'], 1),
            'disk_bytes_per_delta': round(after['store_bytes'] / status['deltas'], 1),
            'first_answer_empty_s': round(empty_start, 3), 'first_answer_after_kill_s': round(after_kill, 3),
            'first_answer_after_stop_s': round(again, 3), 'get_command_s': round(read, 3)}
        print(json.dumps(figures, indent=1))
        if '--json' in sys.argv:
            with open(sys.argv[sys.argv.index('--json') + 1], 'w', encoding='ascii') as file:
                json.dump(figures, file)
    finally:
        shutil.rmtree(root)


main()
