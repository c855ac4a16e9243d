#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostd.py VMTIME_HOSTD VMTIME - vmtime-hostd as a daemon: its start, its end, and the host's own clock

Who may ask what, two of them on one host, a configuration in error, a kill; and chronyd, the real one,
asked how right this host's clock is.  Guests are the business of other tests.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import stage
from stage import check

stage.enter(seconds=110)

HOSTD, VMTIME = (os.path.abspath(path) for path in sys.argv[1:3])
SOCKET, PIDFILE = "/run/vmtime/hostd.sock", "/run/vmtime/hostd.pid"
CONFIGURATION = "/etc/vmtime/vmtime-hostd.conf"
QUIET = "libvirt off\nhttp off\n"


class Hostd:
    count = 0

    def __init__(self, *arguments, conf=QUIET):
        Hostd.count += 1
        self.path = f"/run/hostd.{Hostd.count}"
        if conf is not None:
            stage.write(CONFIGURATION, conf)
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen([HOSTD, "-d", *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            preexec_fn=stage.drop_clock_right)
        if not stage.until(10, lambda: " started" in self.log() or self.process.poll() is not None):
            check("vmtime-hostd starts", False, self.log())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return stage.read(self.path)

    def says(self, words, seconds=5):
        return stage.until(seconds, lambda: words in self.log())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(5)


def vmtime(*arguments, **options):
    return stage.run(VMTIME, *arguments, text=True, **options)


def become(uid, gid, groups=()):
    def change():
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    return change


def host():
    return json.loads(vmtime("guests", "--json").stdout)["host"]


def test_from_start_to_end():
    with Hostd() as hostd:
        done = vmtime("guests")
        check("it answers", done.returncode == 0 and "0 guests." in done.stdout, repr(done))
        check("the file is this process's", stage.read(PIDFILE).strip() == str(hostd.process.pid))
        kept = stage.status_of(hostd.process.pid)["CapEff"]
        check("of root's rights it keeps three", int(kept, 16) == 1 << 0 | 1 << 1 | 1 << 10, kept)
        check("SIGTERM ends it in order", hostd.end() == 0 and not stage.exists(SOCKET, PIDFILE),
              hostd.log())
    done = vmtime("guests")
    check("without it: one sentence", done.returncode == 1 and "vmtime-hostd is not running" in
          done.stderr and len(done.stderr.splitlines()) == 1, repr(done))


def test_there_is_one_on_a_host():
    with Hostd() as first:
        second = stage.run(HOSTD, "-d", text=True, preexec_fn=stage.drop_clock_right)
        check("the second refuses and names the first", second.returncode == 1 and
              f"runs on this host already (pid {first.process.pid} " in second.stderr, repr(second))
        check("and does the first no harm", vmtime("guests").returncode == 0)
        other = stage.run(HOSTD, "-d", "-t", "1", "pidfile /run/other.pid", f"socket {SOCKET}",
                          text=True, preexec_fn=stage.drop_clock_right)
        check("by its socket as well", other.returncode == 1 and "answers at" in other.stderr,
              repr(other))
        first.end(signal.SIGKILL)
    check("a kill leaves its files", stage.exists(SOCKET, PIDFILE) == [SOCKET, PIDFILE])
    with Hostd() as again:
        check("which the next one takes over", vmtime("guests").returncode == 0, again.log())


def test_rights():
    with Hostd():
        ask = ("sync", "--all", "--timeout", "1")
        nobody = vmtime("guests", preexec_fn=become(65534, 65534))
        check("everybody may look", nobody.returncode == 0, repr(nobody))
        denied = vmtime(*ask, preexec_fn=become(65534, 65534))
        check("but not have guests synchronised", denied.returncode == 1 and
              "only root and the group" in denied.stderr, repr(denied))
        member = vmtime(*ask, preexec_fn=become(65534, 65534, (stage.GID,)))
        check("a member of the group may", member.returncode == 0, repr(member))
        check("root may", vmtime(*ask).returncode == 0)
        none = vmtime("sync", "ghost")
        check("a guest that there is none of is not right", none.returncode == 1 and
              "there is no guest of that name" in none.stdout, repr(none))


def test_reload():
    with Hostd(conf=QUIET + "threshold 200ms\n") as hostd:
        check("as configured", host()["threshold_ns"] == 200000000)
        stage.write(CONFIGURATION, QUIET + "threshold 300\n")
        hostd.process.send_signal(signal.SIGHUP)
        check("a configuration in error is told", hostd.says("its unit") and
              hostd.says("the old one stays"), hostd.log())
        check("and changes nothing", host()["threshold_ns"] == 200000000)
        stage.write(CONFIGURATION, QUIET + "threshold 300ms\nqemu a qmp /run/none.qmp\n")
        hostd.process.send_signal(signal.SIGHUP)
        check("one that is good is used", hostd.says("configuration reloaded") and
              host()["threshold_ns"] == 300000000, hostd.log())
    refused = stage.run(HOSTD, "-d", "http 0.0.0.0:9532", text=True)
    check("no page for everybody without TLS", refused.returncode == 1 and "missing: both" in
          refused.stderr, repr(refused))


def test_strangers():
    with Hostd():
        for line in (b"garbage\n", b"[" * 4000 + b"\n", b'{"v":1,"cmd":"guests"}' * 300 + b"\n",
                     b'{"v":9,"cmd":"guests"}\n', b"\xff\xfe\n"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(SOCKET)
                client.sendall(line)
                reply = client.recv(65536)
                check(f"{line[:12]} is refused in words", b'"ok":false' in reply, reply)
        held = []
        for _ in range(60):
            client = socket.socket(socket.AF_UNIX)
            client.connect(SOCKET)
            held.append(client)
        check("clients that say nothing do not shut others out for ever", len(held) == 60)
        for client in held:
            client.close()
        check("it still answers", stage.until(5, lambda: vmtime("guests").returncode == 0))


def start_chronyd(name, lines):
    """A chronyd that never touches the clock, with files of its own."""
    conf = stage.write(f"/run/{name}.conf", "\n".join(lines) + f"\npidfile /run/{name}.pid\n")
    with open(f"/run/{name}.log", "wb") as log:
        return subprocess.Popen(["chronyd", "-x", "-d", "-u", "root", "-f", conf],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                preexec_fn=stage.drop_clock_right)


def root_dispersion():
    """The keeper's own, in seconds; 0 where it has none yet or there is no chronyc to ask it."""
    fields = stage.run("chronyc", "-n", "-c", "tracking").stdout.split(",")
    return float(fields[11]) if len(fields) == 14 and fields[2] != "0" else 0


def test_chronyd_is_asked():
    """The one that keeps this host's clock follows another on the same machine."""
    if not shutil.which("chronyd"):
        print("there is no chronyd: who keeps the host's clock is not asked here")
        return
    server = start_chronyd("server", ["local stratum 1", "port 11123", "allow", "cmdport 0",
                                      "bindcmdaddress /"])
    keeper = start_chronyd("keeper", ["server 127.0.0.1 port 11123 iburst minpoll -4 maxpoll -4",
                                      "port 0"])
    # Its first answer comes with a second of dispersion, and hostd asks but twice a minute.
    stage.until(15, lambda: 0 < root_dispersion() < 0.1)
    try:
        with Hostd() as hostd:
            check("chronyd is found", stage.until(5, lambda: host()["daemon"] == "chronyd"),
                  hostd.log() + stage.read("/run/keeper.log"))
            # Set anew: it is asked at its turn, half a minute later.
            check("it is believed that it is synchronised", stage.until(
                40, lambda: host()["is_synchronized"]), hostd.log() + stage.read("/run/keeper.log"))
            said = host()
            print(f"  root distance {said.get('root_distance_ns', -1) / 1e6:.3f} ms")
            check("within what it says", 0 < said.get("root_distance_ns", 0) < 1e9, said)
            check("in words, too", "right within" in vmtime("guests").stdout)
        keeper.kill()
        keeper.wait()
        with Hostd() as hostd:
            check("without it nobody is", stage.until(5, lambda: host()["daemon"] != "chronyd" and
                                                      hostd.says("not synchronised", 3)), host())
    finally:
        for process in (server, keeper):
            process.kill()
            process.wait()


stage.finish(test_from_start_to_end, test_there_is_one_on_a_host, test_rights, test_reload,
             test_strangers, test_chronyd_is_asked)
