# SPDX-License-Identifier: Apache-2.0
"""played_fleet_stand.py - played guests and a vmtime-hostd that looks after them

    with played_fleet_stand.Fleet(1000) as fleet, played_fleet_stand.Hostd() as hostd:
        fleet.do("stop all")
        figures = fleet.report()      # by name, what fleet_play.c prints
        guests = hostd.guests()       # by name, what `vmtime guests --json` prints

Comes after stage.enter(): the sockets are below the stage's own /run.  The script's first argument
is vmtime-hostd, the second vmtime, the third fleet_play.
"""

import json
import os
import signal
import subprocess
import sys

import stage

HOSTD, VMTIME, PLAY = (os.path.abspath(path) for path in sys.argv[1:4])
FOLDER = "/run/guests"
SOCKET = "/run/vmtime/hostd-test.sock"
RULE = f"qemu vm-* qmp {FOLDER}/vm-*.qmp agent {FOLDER}/vm-*.qga"
HOUR = 3600 * 10**6  # in microseconds


class Fleet:
    def __init__(self, number):
        self.number = number
        self.process = None

    def __enter__(self):
        os.makedirs(FOLDER, exist_ok=True)
        self.process = subprocess.Popen([PLAY, FOLDER, str(self.number)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self._answer()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for name in os.listdir(FOLDER):
            os.unlink(f"{FOLDER}/{name}")

    def _answer(self):
        lines = []
        while True:
            line = self.process.stdout.readline()
            if line == "ok\n":
                return lines
            if not line:
                raise RuntimeError("fleet_play has ended")
            lines.append(json.loads(line))

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def report(self):
        return {row["name"]: row for row in self.do("report all")}


class Hostd:
    """vmtime-hostd in the foreground, without the right to set the host's own clock."""

    def __init__(self, *directives, rule=RULE):
        self.command = [HOSTD, "-d", rule, "libvirt off", "http off", f"socket {SOCKET}",
                        "pidfile /run/vmtime/hostd-test.pid", *directives]
        self.process = None
        self.path = "/run/log.hostd"

    def __enter__(self):
        return self.start()

    def start(self):
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=stage.drop_clock_right)
        stage.until(10, lambda: " started" in self.log() or self.process.poll() is not None)
        if " started" not in self.log():
            stage.check(f"{self.command} starts", False, self.log())
        return self

    def __exit__(self, *_):
        self.kill(signal.SIGTERM)

    def kill(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(10)

    def log(self):
        return stage.read(self.path)

    def ask(self, *arguments):
        return stage.run(VMTIME, "-s", SOCKET, *arguments)

    def guests(self):
        said = self.ask("guests", "--json").stdout
        return {row["name"]: row for row in json.loads(said)["guests"]} if said else {}

    def cpu(self):
        """Seconds of processor time so far."""
        fields = stage.read(f"/proc/{self.process.pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident, at its peak, in MB."""
        return int(stage.status_of(self.process.pid)["VmHWM"].split()[0]) / 1024


def wait_for_all(fleet, hostd, seconds=10):
    """Every guest has been found, and its clock measured once."""
    def measured():
        rows = hostd.guests().values()
        return len(rows) == fleet.number and all("offset_ns" in row for row in rows)
    return stage.until(seconds, measured)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
