"""Attacks `codegaze serve` with slow clients, and measures how long an honest client waits meanwhile.

    python benches/availability.py                 builds codegaze, runs every attack, prints a table
    python benches/availability.py --check         and fails when a bar is missed
    python benches/availability.py --quick         for a shorter time
    python benches/availability.py --before FILE   attacks the program of another commit, too

The attackers, the honest client and the server are on one machine and have one address, so no limit per address protects the honest
client. It opens a connection for each request. Needs Linux.
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import sys
import time
from pathlib import Path

import compare
import serve

BAR_S = 1.0

# The request that an attacker sends the first bytes of.
HEAD = b"POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


def connect(port: int) -> socket.socket | None:
    sock = socket.socket()
    sock.settimeout(1)
    try:
        sock.connect(("127.0.0.1", port))
    except OSError:
        sock.close()
        return None
    sock.setblocking(False)
    return sock


def attack(port: int, n: int, first: bytes, rest: bytes, pause_s: float) -> None:
    """Keeps `n` connections open. Over each, sends `first` at once and then one byte of `rest` after each pause."""
    connections: list[tuple[socket.socket | None, int]] = [(None, 0)] * n
    while True:
        for i, (sock, sent) in enumerate(connections):
            try:
                if sock is None:
                    sock, sent = connect(port), 0
                    if sock:
                        sock.send(first)
                elif rest:
                    sent += sock.send(rest[sent % len(rest) :][:1])
                with contextlib.suppress(BlockingIOError):
                    # A response, or the end of the connection.
                    if sock and (not sock.recv(4096) or rest):
                        sock.close()
                        sock = None
            except OSError:
                if sock:
                    sock.close()
                sock = None
            connections[i] = (sock, sent)
        time.sleep(pause_s)


# What is attacked, as arguments of `attack` after the port.
ATTACKS = {
    "130 bodies, two bytes a second each": [(130, HEAD, b" ", 0.5)],
    "520 silent connections": [(520, b"", b"", 0.2)],
    "520 heads, five bytes a second each": [(520, HEAD[:20], HEAD[20:-4], 0.2)],
    "all of these at the same time": [(130, HEAD, b" ", 0.5), (520, b"", b"", 0.2), (520, HEAD[:20], HEAD[20:-4], 0.2)],
}


def honest(port: int, seconds: float) -> tuple[list[float], int]:
    """Seconds of each request, and the number of requests that failed."""
    body = json.dumps({"code": "def add(a, b):\n    return a + b\n"})
    times, n_failed = [], 0
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        start = time.monotonic()
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("POST", "/analyze", body, {"content-type": "application/json"})
                n_failed += connection.getresponse().status != 200
        except (OSError, http.client.HTTPException):
            n_failed += 1
        times.append(time.monotonic() - start)
        time.sleep(0.02)
    return times, n_failed


def measure(program: Path, attacks: list[tuple], seconds: float) -> serve.Row:
    with serve.Server(program) as server:
        honest(server.port, 0.2)
        attackers = [multiprocessing.Process(target=attack, args=(server.port, *arguments), daemon=True) for arguments in attacks]
        for attacker in attackers:
            attacker.start()
        try:
            # Until all connections are open.
            time.sleep(2)
            times, n_failed = honest(server.port, seconds)
        finally:
            for attacker in attackers:
                attacker.terminate()
                attacker.join()
    p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
    measured = f"p99 {p99 * 1e3:.0f} ms, median {statistics.median(times) * 1e3:.0f} ms, {n_failed} of {len(times)} failed"
    return serve.Row("", f"p99 ≤ {BAR_S:.0f} s, none fails", measured, p99 <= BAR_S and n_failed == 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a bar is missed")
    parser.add_argument("--quick", action="store_true", help="for a shorter time")
    parser.add_argument("--codegaze", type=Path, help="the program (default: built)")
    parser.add_argument("--before", type=Path, metavar="FILE", help="the program of another commit, attacked in turn; it cannot fail")
    args = parser.parse_args()
    program = args.codegaze
    if not program:
        compare.run("cargo", "build", "--release", "--quiet")
        program = serve.ROOT / "target" / "release" / "codegaze"
    missed = False
    print("| attack | limit | honest client | ok |\n| --- | --- | --- | --- |")
    for name, attacks in ATTACKS.items():
        if args.before:
            row = measure(args.before, attacks, 5 if args.quick else 30)
            print(f"| before: {name} | {row.bar} | {row.measured} | |", flush=True)
        row = measure(program, attacks, 5 if args.quick else 30)
        missed |= not row.ok
        print(f"| {name} | {row.bar} | {row.measured} | {'yes' if row.ok else '**no**'} |", flush=True)
    print(f"\n{compare.processor()}, {os.cpu_count()} cores")
    if args.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
