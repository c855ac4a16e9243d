#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""candm.py VMTIMED VMTIME - chronyc's protocol by hand: bad input, floods, and who may ask

Datagrams that chronyc would never send, senders that are not who they say, and a hundred thousand
requests a second.  What the real chronyc makes of good answers is in chronyc.py.
"""

import errno
import fcntl
import os
import random
import socket
import struct
import time

import stage
from stage import check

stage.enter(seconds=110)

UNIX, PORT = "/run/chrony/chronyd.sock", 323
TRACKING, N_SOURCES, MAKESTEP, SERVER_STATS, NTP_DATA = 33, 14, 43, 54, 57
SUCCESS, UNAUTHORISED, INVALID, NO_SUCH_SOURCE, NOT_ENABLED = 0, 2, 3, 4, 6
BAD_VERSION, BAD_LENGTH = 18, 19
CHANGES = bytes((13, 21, 50, 64, 72, 73, 74))  # of the commands below, what only root may
IS_SANITIZED = b"__asan_init" in open(stage.VMTIMED, "rb").read()


def packet(command, length, version=6, kind=1, reserved=0, sequence=0x01020304):
    head = struct.pack(">BBHHHIII", version, kind, reserved, command, 0, sequence, 0, 0)
    return (head + bytes(max(0, length - len(head))))[:length]


def address(text):
    return socket.inet_aton(text) + bytes(12) + b"\0\1\0\0"


class Client:
    """A socket of one's own, towards one of the daemon's."""

    count = 0

    def __init__(self, host=UNIX, source=None, path=None):
        Client.count += 1
        self.path = None
        if host.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            if path != "":
                self.path = path or f"{os.path.dirname(host)}/test.{os.getpid()}.{Client.count}"
                self.socket.bind(self.path)
                if not self.path.startswith("\0"):
                    os.chmod(self.path, 0o666)
            self.socket.connect(host)
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
            if source:
                self.socket.bind(source)
            self.socket.connect((host, PORT))
        self.socket.settimeout(0.3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)

    def ask(self, data):
        """The answer, or None."""
        self.socket.send(data)
        try:
            return self.socket.recv(2000)
        except (socket.timeout, ConnectionRefusedError):
            return None


def status_of(answer):
    return answer and struct.unpack_from(">H", answer, 8)[0]


def code_of(answer):
    return answer and struct.unpack_from(">H", answer, 6)[0]


def test_requests():
    """What chronyd does with each of these."""
    cases = (
        ("a good one", packet(TRACKING, 104), SUCCESS),
        ("one for every version", packet(TRACKING, 520), SUCCESS),
        ("the longest", packet(TRACKING, 860), SUCCESS),
        ("one too long", packet(TRACKING, 861), None),
        ("far too long", packet(TRACKING, 9000), None),
        ("nothing", b"", None),
        ("one byte", b"\6", None),
        ("a header alone", packet(TRACKING, 20), None),
        ("shorter than any reply", packet(TRACKING, 27), None),
        ("too short for its reply", packet(TRACKING, 28), BAD_LENGTH),
        ("a byte too short", packet(TRACKING, 103), BAD_LENGTH),
        ("noise in the padding", packet(TRACKING, 20) + os.urandom(84), SUCCESS),
        ("version 4", packet(TRACKING, 104, version=4), None),
        ("version 5", packet(TRACKING, 104, version=5), BAD_VERSION),
        ("version 7", packet(TRACKING, 28, version=7), BAD_VERSION),
        ("a reply", packet(TRACKING, 104, kind=2), None),
        ("no type", packet(TRACKING, 104, kind=0), None),
        ("reserved bits", packet(TRACKING, 104, reserved=1), None),
        ("a dead command", packet(32, 520), INVALID),
        ("no command", packet(75, 520), INVALID),
        ("the last command there could be", packet(65535, 520), INVALID),
        ("an index far off", packet(15, 20) + b"\xff" * 56, NO_SUCH_SOURCE),
        ("a subnet of 33 bits", packet(21, 20) + bytes(16) + b"\0\1\0\0\0\0\0\x21", 7),
        ("what chronyc 4.6 sends for local", packet(74, 48), NOT_ENABLED),
        ("its offset", packet(73, 48), NOT_ENABLED),
        ("selectopts of an address", packet(72, 20) + address("192.0.2.1") + bytes(12),
         NO_SUCH_SOURCE),
        ("selectopts of a refid that is none", packet(72, 20) + bytes(20) + b"NONE" + bytes(8),
         NO_SUCH_SOURCE),
        ("a source of no type", packet(64, 372), INVALID),
        ("a source without a name", packet(64, 20) + b"\0\0\0\1" + bytes(348), 21),
        ("a name without an end", packet(64, 20) + b"\0\0\0\1" + b"a" * 256 + bytes(92), 21),
        ("manual, set to 3", packet(13, 20) + b"\0\0\0\3" + bytes(4), INVALID),
        ("a threshold below zero", packet(50, 20) + b"\0\0\0\1\3\0\0\0", INVALID),
    )
    with stage.Daemon() as daemon:
        for host in (UNIX, "127.0.0.1", "::1"):
            with Client(host) as client:
                for what, sent, want in cases:
                    if host != UNIX and want is not None and sent[5:6] in CHANGES:
                        want = UNAUTHORISED
                    got = client.ask(sent)
                    check(f"{host}: {what}: {want}", status_of(got) == want if want is not None
                          else got is None, repr(got))
                    if got:
                        check(f"{host}: {what}: not longer than asked", len(got) <= len(sent)
                              and got[:4] == b"\6\2\0\0" and got[4:6] == sent[4:6]
                              and got[16:20] == sent[8:12], repr(got))
        with Client() as client:
            # noselect: in the mask bit 0, in the options bit 4.
            for options, want in ((0x10, b"\0\1\0\1"), (0, b"\0\0\0\0")):
                got = client.ask(packet(72, 20) + bytes(20) + b"PHC0"
                                 + struct.pack(">II", 1, options))
                select = client.ask(packet(69, 76))
                check(f"selectopts noselect {options}", status_of(got) == SUCCESS
                      and select[56:60] == want, repr(select))
            for length, code, size in ((60, 22, 60), (72, 24, 72), (195, 24, 72), (196, 25, 196)):
                got = client.ask(packet(SERVER_STATS, length))
                check(f"serverstats asked with {length} bytes", (code_of(got), len(got))
                      == (code, size), repr(got))
        check("of all that, two lines are in the log", len(daemon.lines("options of PHC0")) == 2
              and len(daemon.log().splitlines()) == 4, daemon.log())


def test_every_command():
    """Every number, at every length: an answer in order, or silence; never more than was sent."""
    chance = random.Random(4711)
    with stage.Daemon() as daemon, Client() as client, Client("127.0.0.1") as user:
        wrong = []
        for command in [*range(80), 256, 65535]:
            if command == 62:  # it would end
                continue
            for length in (28, 32, 44, 60, 76, 104, 172, 284, 372, 520):
                data = packet(command, 20) + chance.randbytes(length - 20)
                for one in (client, user):
                    one.socket.send(data)
                    got = one.socket.recv(2000)
                    if not 28 <= len(got) <= length or got[4:6] != data[4:6]:
                        wrong.append((command, length, got))
        check("every command at every length", not wrong, wrong[:5])
        check("it goes on", daemon.process.poll() is None, daemon.log())


def test_senders():
    with stage.Daemon() as daemon:
        with Client(path="") as nameless, Client("127.0.0.1", source=("127.9.9.9", 0)) as other:
            nameless.socket.send(packet(TRACKING, 104))
            check("a client without a path hears nothing, and hurts nobody",
                  status_of(other.ask(packet(TRACKING, 104))) == SUCCESS)
        gone = Client()
        os.unlink(gone.path)
        check("a client whose path has gone", gone.ask(packet(TRACKING, 104)) is None)
        gone.socket.close()
        with Client(path="/run/elsewhere") as elsewhere:
            check("a client outside the folder", status_of(elsewhere.ask(packet(MAKESTEP, 28)))
                  is not None)
        with Client(path="\0abstract") as abstract:
            abstract.path = None
            abstract.ask(packet(TRACKING, 104))
        # From the daemon's own address and port: the answer, were it taken for a request, would be
        # answered again, for ever.
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        data = packet(TRACKING, 104)
        head = struct.pack(">HHHH", PORT, PORT, 8 + len(data), 0)
        raw.bind(("127.0.0.1", 0))
        for _ in range(10):
            raw.sendto(head + data, ("127.0.0.1", PORT))
        time.sleep(0.2)
        before = open(f"/proc/{daemon.pid}/stat", encoding="ascii").read().split()[13:15]
        time.sleep(0.3)
        after = open(f"/proc/{daemon.pid}/stat", encoding="ascii").read().split()[13:15]
        busy = sum(map(int, after)) - sum(map(int, before))
        check("from its own port: no echo for ever", busy <= 5, busy)
        # From somewhere else, said by who cannot be there: dropped without a word.
        spoofed = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        datagram = struct.pack(">HHHH", 5000, PORT, 8 + len(data), 0) + data
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0,
                             socket.inet_aton("192.0.2.9"), socket.inet_aton("127.0.0.1"))
        try:
            spoofed.sendto(header + datagram, ("127.0.0.1", 0))
        except OSError:
            pass
        with Client("127.0.0.1") as client:
            check("after a forged sender it goes on",
                  status_of(client.ask(packet(TRACKING, 104))) == SUCCESS)
        check("it ends in order", daemon.end() == 0, daemon.log())


def add_address(text):
    """To the loopback interface, so that it is this machine's and no loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sHH4s16x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(text))
        fcntl.ioctl(any_socket, 0x8916, request)  # SIOCSIFADDR


def test_access():
    add_address("192.0.2.1")
    everywhere = "bindcmdaddress 0.0.0.0\n"
    far = {"host": "192.0.2.1", "source": ("192.0.2.1", 0)}
    for what, conf, want in (
            ("without cmdallow", everywhere, None),
            ("with cmdallow", everywhere + "cmdallow 192.0.2.0/24\n", SUCCESS),
            ("with cmdallow for all", everywhere + "cmdallow\n", SUCCESS),
            ("with cmddeny for him", everywhere + "cmdallow\ncmddeny 192.0.2.1\n", None),
            ("by the default addresses", "cmdallow\n", None)):
        stage.write("/run/conf", conf)
        with stage.Daemon("-f", "/run/conf") as daemon, Client(**far) as client:
            got = client.ask(packet(TRACKING, 104))
            check(f"{what}: another machine: {want}", status_of(got) == want, f"{got!r}")
            with Client("127.0.0.1") as near:
                check(f"{what}: this machine", status_of(near.ask(packet(TRACKING, 104))) == 0)
            if want is None:
                continue
            check(f"{what}: nothing but reading", status_of(client.ask(packet(MAKESTEP, 28)))
                  == UNAUTHORISED)
            stage.write("/run/conf", everywhere)
            daemon.process.send_signal(1)
            check(f"{what}: a reload ends it", daemon.says("reloaded")
                  and client.ask(packet(TRACKING, 104)) is None, daemon.log())


def test_directives():
    stage.write("/run/conf", "cmdport 1323\nbindcmdaddress /run/other/sock\n"
                "opencommands tracking\n")
    with stage.Daemon("-f", "/run/conf"):
        with Client("/run/other/sock") as client:
            check("another path", status_of(client.ask(packet(N_SOURCES, 32))) == SUCCESS)
        check("and none at the usual one", not os.path.exists(UNIX))
        with Client("127.0.0.1") as client:
            check("another port: the usual one is closed",
                  client.ask(packet(TRACKING, 104)) is None)
            client.socket.connect(("127.0.0.1", 1323))
            check("opencommands: what it names", status_of(client.ask(packet(TRACKING, 104)))
                  == SUCCESS)
            check("opencommands: nothing else", status_of(client.ask(packet(N_SOURCES, 32)))
                  == UNAUTHORISED)
    stage.write("/run/conf", "cmdport 0\nbindcmdaddress /\n")
    with stage.Daemon("-f", "/run/conf") as daemon:
        with Client("127.0.0.1") as client:
            check("cmdport 0: no UDP", client.ask(packet(TRACKING, 104)) is None)
        check("bindcmdaddress /: no socket", not os.path.exists("/run/chrony"), daemon.log())
    stage.write("/run/conf", "opencommands\n")
    with stage.Daemon("-f", "/run/conf") as daemon, Client("127.0.0.1") as client:
        check("an empty opencommands", status_of(client.ask(packet(TRACKING, 104))) == UNAUTHORISED)
        stage.write("/run/conf", "opencommands serverstats\ncmdport 99\n")
        daemon.process.send_signal(1)
        check("a reload opens others", daemon.says("reloaded")
              and status_of(client.ask(packet(SERVER_STATS, 72))) == SUCCESS, daemon.log())
        check("and tells what needs a restart", "cmdport: take effect after a restart"
              in daemon.log(), daemon.log())
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", PORT))
    with stage.Daemon() as daemon:
        check("a port that is taken is told", "UDP port 323 over IPv4: Address already in use"
              in daemon.log(), daemon.log())
        with Client("::1") as client:
            check("and the rest goes on", status_of(client.ask(packet(TRACKING, 104))) == SUCCESS)
    taken.close()


def test_rate_limit():
    stage.write("/run/conf", "bindcmdaddress 0.0.0.0\ncmdallow\n"
                "cmdratelimit interval 2 burst 4 leak 4\n")
    with stage.Daemon("-f", "/run/conf"), Client("192.0.2.1", source=("192.0.2.1", 0)) as far:
        far.socket.settimeout(0.02)
        answered = sum(far.ask(packet(TRACKING, 104)) is not None for _ in range(100))
        check("a machine elsewhere is limited", 4 <= answered <= 40, answered)
        with Client("127.0.0.1") as near:
            answered = sum(near.ask(packet(TRACKING, 104)) is not None for _ in range(100))
            check("this machine is not", answered == 100, answered)


def flood(host, seconds, sockets):
    """Runs as a process of its own.  Requests as fast as they go; prints how many."""
    clients = []
    for _ in range(sockets):
        client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                               socket.SOCK_DGRAM)
        client.connect((host, PORT))
        client.setblocking(False)
        clients.append(client)
    data, sent, end = packet(TRACKING, 104), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for client in clients:
            for _ in range(100):
                try:
                    sent += client.send(data) > 0
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.ECONNREFUSED, errno.ENOBUFS):
                        raise
    return sent


def dirty_kb(pid):
    for line in stage.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    return 0


def test_flood():
    with stage.Daemon() as daemon:
        with Client() as client:
            client.ask(packet(TRACKING, 104))
        memory, files = dirty_kb(daemon.pid), len(os.listdir(f"/proc/{daemon.pid}/fd"))
        for host, sockets in (("127.0.0.1", 1), ("127.0.0.1", 50), ("::1", 1)):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.setresuid(65534, 65534, 65534)
                sent = flood(host, 2.0, sockets)
                os.write(writer, str(sent).encode())
                os._exit(0)
            time.sleep(0.2)
            served, tries, slowest, end = 0, 0, 0, time.monotonic() + 1.4
            while time.monotonic() < end:
                with Client() as root:
                    began = time.monotonic()
                    tries += 1
                    served += status_of(root.ask(packet(TRACKING, 104))) == SUCCESS
                    slowest = max(slowest, time.monotonic() - began)
            user_served = user_tries = 0
            # chronyc asks three times, with 1, 2 and 4 s of patience.
            for _ in range(5):
                with Client("127.0.0.1") as user:
                    user_tries += 1
                    user_served += any(user.ask(packet(TRACKING, 104)) for _ in range(3))
            os.waitpid(pid, 0)
            sent = int(os.read(reader, 32))
            name = f"{sent / 2:.0f} requests a second from {sockets} sockets of a user, {host}"
            print(f"    {name}: root {served} of {tries}, slowest {slowest * 1e3:.1f} ms; another "
                  f"user {user_served} of {user_tries}; {dirty_kb(daemon.pid)} kB "
                  f"(before: {memory})")
            check(f"{host}, {sockets}: root is served by the unix socket", served == tries > 3,
                  f"{served} of {tries}")
            check(f"{host}, {sockets}: other users are served", user_served >= user_tries - 1,
                  f"{user_served} of {user_tries}")
            result = stage.vmtime("--json", text=True)
            check(f"{host}, {sockets}: vmtime is served", result.returncode == 0, repr(result))
            if not IS_SANITIZED:
                check(f"{host}, {sockets}: memory is flat", dirty_kb(daemon.pid) - memory < 100,
                      f"{memory} -> {dirty_kb(daemon.pid)} kB")
        check("no descriptor is lost", len(os.listdir(f"/proc/{daemon.pid}/fd")) == files)
        check("it ends in order", daemon.end() == 0, daemon.log())


stage.finish(test_requests, test_every_command, test_senders, test_access, test_directives,
             test_rate_limit, test_flood)
