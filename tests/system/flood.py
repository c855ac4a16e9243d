#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flood.py VMTIMED VMTIME - clients that flood, stall, and send garbage

While each of them does its worst, another client has to be served within a second, and the daemon's
memory and descriptors must not grow.
"""

import json
import os
import random
import socket
import time

import stage
from stage import check

stage.enter(seconds=100)

STATUS = b'{"v":1,"cmd":"status"}\n'
SERVED_WITHIN = 1.0
GROWTH_KB = 600  # of sixteen clients with a request and some replies each
IS_SANITIZED = b"__asan_init" in open(stage.VMTIMED, "rb").read()


def dirty_kb(pid):
    for line in stage.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    return 0


def processor_seconds(pid):
    fields = stage.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


# Each of these runs as a process of its own, as the user given to it, until it is ended.

def connect_patiently():
    while True:
        try:
            return stage.connect()
        except OSError:
            time.sleep(0.01)


def flood_requests():
    """As many requests as the socket takes, all replies read."""
    while True:
        client = connect_patiently()
        client.setblocking(False)
        try:
            while True:
                try:
                    client.send(STATUS * 100)
                except BlockingIOError:
                    pass
                try:
                    if not client.recv(1 << 20):
                        break
                except BlockingIOError:
                    time.sleep(0.001)
        except OSError:
            pass
        client.close()


def flood_without_reading():
    """Requests, and never a reply read."""
    clients = []
    while True:
        try:
            client = stage.connect()
            client.setblocking(False)
            clients.append(client)
        except OSError:
            time.sleep(0.01)
        for client in list(clients):
            try:
                client.send(STATUS * 1000)
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                client.close()
                clients.remove(client)


def flood_connections():
    """A hundred connections at once that say nothing, again and again."""
    while True:
        clients = []
        for _ in range(100):
            try:
                clients.append(stage.connect(seconds=0.2))
            except OSError:
                pass
        time.sleep(0.05)
        for client in clients:
            client.close()


def flood_garbage():
    """Bytes of every kind, in pieces of every size."""
    chance = random.Random(os.getpid())
    pieces = (b"\0" * 100, b"\n" * 1000, b"{" * 4096 + b"\n", b"[" * 5000, b'"' * 300 + b"\n",
              b'{"v":1,"cmd":"' + b"\xff" * 50 + b'"}\n', b'{"v":1,"cmd":"status","x":'
              + b"9" * 3000 + b"}\n", b"GET / HTTP/1.1\r\n\r\n", STATUS[:-1] + b"\r\n", STATUS)
    while True:
        client = connect_patiently()
        try:
            for _ in range(20):
                client.sendall(chance.choice(pieces) if chance.random() < 0.7
                               else chance.randbytes(chance.randrange(1, 9000)))
        except OSError:
            pass
        client.close()


def drip():
    """One byte at a time."""
    while True:
        client = connect_patiently()
        try:
            for byte in STATUS * 3:
                client.send(bytes([byte]))
                time.sleep(0.002)
        except OSError:
            pass
        client.close()


ATTACKS = (flood_requests, flood_without_reading, flood_connections, flood_garbage, drip)


class Attack:
    """@attack in some processes, by an ordinary user or by root."""

    def __init__(self, attack, uid, processes=2):
        self.pids = []
        for _ in range(processes):
            pid = os.fork()
            if pid == 0:
                os.setresuid(uid, uid, uid)
                attack()
                os._exit(0)
            self.pids.append(pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def ask_for(seconds):
    """Asks as a user over and over; the slowest answer, and how many were none."""
    end = time.monotonic() + seconds
    slowest, failures, n = 0, [], 0
    while time.monotonic() < end:
        began = time.monotonic()
        result = stage.vmtime("--json", text=True)
        slowest = max(slowest, time.monotonic() - began)
        n += 1
        if result.returncode != 0:
            failures.append(result.stderr)
        time.sleep(0.05)
    return slowest, failures, n


def test_attacks():
    with stage.Daemon() as daemon:
        ask_for(0.5)
        memory, files = dirty_kb(daemon.pid), open_files(daemon.pid)
        for attack in ATTACKS:
            busy = processor_seconds(daemon.pid)
            with Attack(attack, uid=65534):
                slowest, failures, n = ask_for(2.5)
                now = dirty_kb(daemon.pid)
            busy = (processor_seconds(daemon.pid) - busy) / 2.5
            name = attack.__name__
            print(f"    {name}: {n} answers, slowest {slowest * 1e3:.0f} ms, {now} kB dirty "
                  f"(before: {memory}), {busy * 100:.0f} % of a processor")
            check(f"{name}: others are served", not failures, failures[:3])
            check(f"{name}: within {SERVED_WITHIN} s", slowest < SERVED_WITHIN, slowest)
            if not IS_SANITIZED:
                check(f"{name}: memory", now - memory < GROWTH_KB, f"{memory} -> {now} kB")
            check(f"{name}: the processor is left to others", busy < 0.6, busy)
            check(f"{name}: connections are closed", stage.until(
                3, lambda: open_files(daemon.pid) <= files), open_files(daemon.pid))
        check("it ends in order after all that", daemon.end() == 0, daemon.log())
        check("none of that was worth a line of the log", len(daemon.log().splitlines()) == 3,
              daemon.log()[:2000])


def test_everybody_at_once():
    with stage.Daemon() as daemon:
        attacks = [Attack(attack, uid=60000 + i, processes=1) for i, attack in enumerate(ATTACKS)]
        try:
            # From five users there is no room for one more but root, who is kept some.
            slowest, failures, n = ask_for(4)
        finally:
            for attack in attacks:
                attack.__exit__()
        check("root is served whatever users do", not failures and slowest < SERVED_WITHIN,
              f"{n} {slowest} {failures[:3]}")
        check("it ends in order", daemon.end() == 0, daemon.log())


def exchange(sent):
    """All that comes back for @sent, also where not all of it was taken."""
    with stage.connect(seconds=3) as client:
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass
        received = b""
        try:
            while piece := client.recv(1 << 16):
                received += piece
        except (socket.timeout, ConnectionResetError):
            pass
        return received


def code_of(line):
    return json.loads(line).get("error", {}).get("code")


def test_single_requests():
    with stage.Daemon() as daemon:
        for what, sent, code in (
                ("a request", STATUS, None),
                ("one without its line break at the end", STATUS[:-1], "nothing"),
                ("an empty line", b"\n", "malformed"),
                ("a NUL", b"\0\n", "malformed"),
                ("no JSON", b"status\n", "malformed"),
                ("no object", b"[1]\n", "malformed"),
                ("half an object", b'{"v":1,\n', "malformed"),
                ("bytes that are not UTF-8", b'{"v":1,"cmd":"\xff"}\n', "malformed"),
                ("a command that is none", b'{"v":1,"cmd":"reboot"}\n', "unknown-command"),
                ("a later version", b'{"v":2,"cmd":"status"}\n', "bad-version"),
                ("depth", b"[" * 4000 + b"\n", "malformed"),
                ("4096 bytes", STATUS[:-1].ljust(4096) + b"\n", None),
                ("4097 bytes", STATUS[:-1].ljust(4097) + b"\n", "too-long"),
                ("a megabyte without a break", b"x" * (1 << 20), "too-long")):
            lines = exchange(sent).split(b"\n")
            if code == "nothing":
                check(f"{what}: nobody asked, nobody answers", lines == [b""], lines)
                continue
            try:
                is_right = len(lines) == 2 and lines[1] == b"" and code_of(lines[0]) == code
            except ValueError:
                is_right = False
            check(f"{what}: {code or 'answered'}", is_right, lines)
        answers = exchange(STATUS * 60).splitlines()
        check("sixty requests in one piece: sixty answers", len(answers) == 60
              and all(json.loads(line)["ok"] for line in answers), len(answers))
        check("it goes on", daemon.process.poll() is None)


def test_stall():
    """Half a request and then silence: closed after 30 s, the others do not notice."""
    with stage.Daemon():
        clients = [stage.connect() for _ in range(4)]
        for client in clients:
            client.sendall(STATUS[:10])
        slowest, failures, _ = ask_for(1)
        check("silent clients hold nobody up", not failures and slowest < SERVED_WITHIN, failures)
        for client in clients:
            client.close()


stage.finish(test_single_requests, test_stall, test_attacks, test_everybody_at_once)
