#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""notify.py VMTIMED VMTIME PLAY.SO - what the service manager is told

systemd starts what waits for the right time when READY=1 comes: never before the clock is right.
"""

import os
import signal
import socket

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position


class Manager:
    """Listens as a service manager does."""

    def __init__(self, address="/run/notify"):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        if address[0] == "/":
            os.chmod(address, 0o666)
        self.address = address
        self.environment = {"NOTIFY_SOCKET": address}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        if self.address[0] == "/":
            os.unlink(self.address)

    def hear(self, seconds):
        """The next message as a dictionary; None: there is none."""
        self.socket.settimeout(seconds)
        try:
            lines = self.socket.recv(4096).decode().splitlines()
        except socket.timeout:
            return None
        return dict(line.partition("=")[::2] for line in lines)


def test_without_a_source():
    with Manager() as manager, stage.Daemon(environment=manager.environment) as daemon:
        check("no source: not ready", manager.hear(2) is None)
        daemon.process.send_signal(signal.SIGHUP)
        said = manager.hear(2)
        check("a reload is told", said and said.get("RELOADING") == "1"
              and said.get("MONOTONIC_USEC", "").isdigit(), said)
        check("but does not make it ready", manager.hear(1) is None)
        daemon.process.send_signal(signal.SIGTERM)
        said = manager.hear(2)
        check("the end is told", said and said.get("STOPPING") == "1", said)
        check("and nothing after it", daemon.process.wait(1) == 0 and manager.hear(0.2) is None)


def test_with_a_source():
    play.show(0)
    for address in ("/run/notify", f"@vmtime-notify-{os.urandom(4).hex()}"):
        with Manager(address) as manager:
            with play.Daemon(host_ahead=0.4, environment=manager.environment) as daemon:
                said = manager.hear(2)
                check(f"{address}: ready, once", said and said.get("READY") == "1"
                      and manager.hear(0.5) is None, said)
                check(f"{address}: and then the clock is right", abs(daemon.error()) < 1e-6,
                      daemon.error())
                daemon.process.send_signal(signal.SIGHUP)
                said = [manager.hear(2), manager.hear(2)]
                check(f"{address}: a reload begins and ends", all(said)
                      and said[0].get("RELOADING") == "1" and said[1].get("READY") == "1", said)
                daemon.process.send_signal(signal.SIGTERM)
                said = manager.hear(2)
                check(f"{address}: the end is told", said and said.get("STOPPING") == "1", said)
    play.hide(0)


def test_late_source():
    with Manager() as manager, play.Daemon(host_ahead=-0.4,
                                           environment=manager.environment) as daemon:
        check("no device: not ready", manager.hear(1) is None)
        play.show(0)
        said = manager.hear(4)
        check("ready once it is there and the clock right", said and said.get("READY") == "1"
              and abs(daemon.error()) < 1e-6, f"{said} {daemon.error()}")
    play.hide(0)


def test_error_in_reload():
    play.show(0)
    path = stage.write("/etc/vmtime/notify.conf", "rtcsync\n")
    with Manager() as manager, play.Daemon("-f", path, environment=manager.environment) as daemon:
        check("ready", (manager.hear(2) or {}).get("READY") == "1")
        stage.write(path, "nonsense\n")
        daemon.process.send_signal(signal.SIGHUP)
        said = [manager.hear(2), manager.hear(2)]
        check("a reload that fails ends too, and says so", all(said)
              and said[0].get("RELOADING") == "1" and said[1].get("READY") == "1"
              and "in error" in said[1].get("STATUS", ""), said)
    play.hide(0)


def test_nobody_listens():
    for address in ("/run/nobody", "@nobody", "relative", "/" + "x" * 200, ""):
        with stage.Daemon(environment={"NOTIFY_SOCKET": address}) as daemon:
            check(f"NOTIFY_SOCKET={address[:20]!r}: no obstacle", stage.vmtime().returncode == 0
                  and daemon.end() == 0, daemon.log())


stage.finish(test_without_a_source, test_with_a_source, test_late_source, test_error_in_reload,
             test_nobody_listens)
