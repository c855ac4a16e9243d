#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qemu_direct.py VMTIME-HOSTD VMTIME - a real QEMU without libvirt, and a real qemu-ga

The machine needs no operating system: what is looked at is its monitor.  The agent runs beside it
on a socket of its own (qemu-ga -m unix-listen), and since its guest is this very host, it is
forbidden whatever could do harm, guest-set-time before all: the host's clock is never set.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

import stage
from stage import check, until

HOSTD, VMTIME = (os.path.abspath(path) for path in sys.argv[1:3])
QEMU, AGENT = shutil.which("qemu-system-x86_64"), shutil.which("qemu-ga")
if not QEMU:
    stage.skip("there is no qemu-system-x86_64")
if not AGENT:
    stage.skip("there is no qemu-ga")
stage.enter(seconds=110)

FOLDER = "/run/guests"
SOCKET = "/run/vmtime/hostd-test.sock"
FORBIDDEN = ("guest-set-time,guest-shutdown,guest-suspend-disk,guest-suspend-ram,"
             "guest-suspend-hybrid,guest-exec,guest-exec-status,guest-fsfreeze-freeze,"
             "guest-fsfreeze-freeze-list,guest-fsfreeze-thaw,guest-fstrim,guest-file-open,"
             "guest-file-write,guest-set-user-password,guest-set-vcpus,guest-set-memory-blocks,"
             "guest-ssh-add-authorized-keys,guest-ssh-remove-authorized-keys")


class Machine:
    """A QEMU with a monitor for hostd (NAME.qmp) and one for the test (NAME.own)."""

    def __init__(self, name, *arguments):
        self.name = name
        self.command = [QEMU, "-display", "none", "-nodefaults", "-machine", "q35,accel=tcg",
                        "-m", "32", "-qmp", f"unix:{FOLDER}/{name}.qmp,server=on,wait=off",
                        "-qmp", f"unix:{FOLDER}/{name}.own,server=on,wait=off", *arguments]
        self.process = None
        self.lines = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        until(10, lambda: os.path.exists(f"{FOLDER}/{self.name}.own"))
        client = socket.socket(socket.AF_UNIX)
        until(5, lambda: client.connect_ex(f"{FOLDER}/{self.name}.own") == 0)
        self.lines = client.makefile("rw")
        self.lines.readline()
        self.do("qmp_capabilities")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for end in ("qmp", "own"):
            for path in stage.exists(f"{FOLDER}/{self.name}.{end}"):
                os.unlink(path)

    def do(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            said = json.loads(self.lines.readline())
            if "return" in said:
                return said["return"]
            if "error" in said:
                raise RuntimeError(said["error"]["desc"])


class Agent:
    def __init__(self, name):
        self.path = f"{FOLDER}/{name}.qga"
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [AGENT, "-m", "unix-listen", "-p", self.path, "--blacklist", FORBIDDEN, "-t", "/run",
             "-f", "/run/qemu-ga.pid"], stdin=subprocess.DEVNULL, preexec_fn=stage.drop_clock_right)
        until(5, lambda: os.path.exists(self.path))
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for path in stage.exists(self.path):
            os.unlink(path)


class Hostd:
    def __enter__(self):
        with open("/run/log.hostd", "wb") as log:
            self.process = subprocess.Popen(
                [HOSTD, "-d", f"qemu * qmp {FOLDER}/*.qmp agent {FOLDER}/*.qga", "libvirt off",
                 "http off", f"socket {SOCKET}", "pidfile /run/vmtime/hostd-test.pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=stage.drop_clock_right)
        until(10, lambda: " started" in self.log() or self.process.poll() is not None)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def log(self):
        return stage.read("/run/log.hostd")

    def guest(self, name):
        said = stage.run(VMTIME, "-s", SOCKET, "guests", "--json").stdout
        rows = {row["name"]: row for row in json.loads(said)["guests"]} if said else {}
        return rows.get(name, {})


def is_right(row):
    """Its clock is this host's: the offset is nothing, within what it says of itself."""
    return "offset_ns" in row and abs(row["offset_ns"]) <= row["uncertainty_ns"] + 1000


def test_stop_and_continue():
    with Machine("web", "-uuid", "11111111-2222-3333-4444-555555555555") as machine, \
            Agent("web"), Hostd() as hostd:
        check("it is found, and its clock measured by the real qemu-ga",
              until(5, lambda: is_right(hostd.guest("web"))), hostd.log())
        row = hostd.guest("web")
        check("with what it is", row["agent"] == "qemu-ga" and row["agent_version"] and
              row["uuid"] == "11111111-2222-3333-4444-555555555555", row)
        check(f"within {row['uncertainty_ns'] / 1000:.0f} us", row["uncertainty_ns"] < 10**7)
        machine.do("stop")
        check("it is seen to stand still",
              until(2, lambda: hostd.guest("web")["state"] == "stopped"), hostd.guest("web"))
        time.sleep(0.2)
        machine.do("cont")
        check("and to run again, which is looked into",
              until(3, lambda: hostd.guest("web")["state"] == "verified"), hostd.guest("web"))
        row = hostd.guest("web")
        check("a right clock is not set", row["sets"] == 0 and row["last"]["end"] == "right", row)
        check("it says why", row["last"]["reason"] == "pause", row)
        check("and for how long", 0.1 < row["last"].get("stopped_ns", 0) / 1e9 < 2, row)


def test_a_machine_that_has_not_begun():
    with Machine("cold", "-S") as machine, Hostd() as hostd:
        check("it stands still", until(5, lambda: hostd.guest("cold").get("state") == "stopped"),
              hostd.log())
        machine.do("cont")
        check("and runs", until(2, lambda: hostd.guest("cold")["is_running"]), hostd.guest("cold"))
        machine.process.terminate()
        check("one that was switched off is gone",
              until(3, lambda: hostd.guest("cold") == {}), hostd.log())


def test_saved_and_brought_back():
    """Migration to a file, and from it: the destination is told RESUME without STOP."""
    with Hostd() as hostd, Agent("b"):
        with Machine("a") as source:
            check("the source runs",
                  until(5, lambda: hostd.guest("a").get("is_running")), hostd.log())
            source.do("migrate", uri="exec:cat > /run/state")
            check("the source stands still when it is done",
                  until(10, lambda: hostd.guest("a")["state"] == "stopped"), hostd.guest("a"))
            check("all of it was written",
                  until(10, lambda: source.do("query-migrate").get("status") == "completed"))
        check("and is gone with its QEMU", until(3, lambda: hostd.guest("a") == {}), hostd.log())
        with Machine("b", "-incoming", "defer") as destination:
            check("the destination stands still",
                  until(5, lambda: hostd.guest("b").get("state") == "stopped"), hostd.log())
            destination.do("migrate-incoming", uri="exec:cat /run/state")
            check("it is noticed that it runs, and its clock measured",
                  until(10, lambda: hostd.guest("b").get("state") == "verified"), hostd.guest("b"))
            check("as what it is", hostd.guest("b")["last"]["reason"] == "migration",
                  hostd.guest("b"))


def test_a_stuck_agent_and_one_that_is_restarted():
    with Machine("web") as machine, Hostd() as hostd:
        with Agent("web") as agent:
            until(5, lambda: is_right(hostd.guest("web")))
            agent.process.send_signal(19)  # SIGSTOP
            machine.do("stop")
            machine.do("cont")
            time.sleep(1)
            check("an agent that hangs is nobody's proof",
                  hostd.guest("web")["state"] not in ("verified", "watching"), hostd.guest("web"))
            agent.process.send_signal(18)
            check("one that goes on is asked again",
                  until(20, lambda: hostd.guest("web")["state"] == "verified"), hostd.guest("web"))
        machine.do("stop")
        machine.do("cont")
        time.sleep(0.5)
        with Agent("web"):
            check("and so is one that was restarted",
                  until(20, lambda: hostd.guest("web")["state"] == "verified"), hostd.guest("web"))


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    stage.finish(test_stop_and_continue, test_a_machine_that_has_not_begun,
                 test_saved_and_brought_back, test_a_stuck_agent_and_one_that_is_restarted)
