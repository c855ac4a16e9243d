#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""owners.py VMTIMED VMTIME - one vmtimed, and one owner of the clock"""

import os
import shutil
import signal
import subprocess

import stage
from stage import check

stage.enter(seconds=60)

SLEEP = shutil.which("sleep")


class Owner:
    """A program called @name, which sleeps."""

    def __init__(self, name, may_set_clock=True):
        path = f"/run/{name}"
        shutil.copy(SLEEP, path)
        self.process = subprocess.Popen(
            [path, "600"], preexec_fn=None if may_set_clock else stage.drop_clock_right)
        stage.until(1, lambda: stage.status_of(self.process.pid)["Name"] == name[:15])

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def check_refusal(what, pid, name):
    for arguments in (["-d"], ["-n"], ["-q"], []):
        result = stage.refused(*arguments, text=True)
        lines = result.stderr.splitlines()
        check(f"{what}, {arguments}: refused before the clock is looked at",
              result.returncode == 1 and len(lines) == 1, repr(result))
        check(f"{what}, {arguments}: named, with what to do", f"{name} (pid {pid}) steers the clock"
              in result.stderr and f"`kill {pid}`" in result.stderr
              and "clockowner ignore" in result.stderr and "-x" in result.stderr, repr(result))
    check(f"{what}: nothing was made", not stage.exists(stage.SOCKET, stage.PIDFILE))


def test_owners():
    for name in ("chronyd", "ntpd", "systemd-timesyncd", "phc2sys"):
        with Owner(name) as owner:
            check_refusal(f"a program called {name}", owner.pid, name[:15])
    check("with nobody there it would have gone on", stage.refused("-d").returncode
          == -signal.SIGSYS)


def test_no_owners():
    """Who may not set the clock is none, and `clockowner ignore` overrides: on to the clock."""
    with Owner("chronyd", may_set_clock=False):
        check("a chronyd without the right", stage.refused("-d").returncode == -signal.SIGSYS)
    with Owner("chronyd"):
        result = stage.refused("-d", "clockowner ignore")
        check("clockowner ignore goes on", result.returncode == -signal.SIGSYS, repr(result))
        result = stage.vmtimed("-d", "clockowner ignore", text=True)
        check("clockowner ignore gives no right", result.returncode == 1
              and "CAP_SYS_TIME is missing" in result.stderr, repr(result))
        with stage.Daemon() as daemon:
            check("-x may run beside it", stage.vmtime().returncode == 0, daemon.log())


def test_second_vmtimed():
    with stage.Daemon() as first:
        before = os.stat(stage.RUN)
        for what, arguments in (("another", []), ("another one as root", ["-u", "root"]),
                                ("another user's", ["-u", "12345"])):
            result = stage.vmtimed("-d", "-x", *arguments, text=True)
            check(f"{what} is refused, the first named", result.returncode == 1
                  and f"vmtimed runs already (pid {first.pid} holds {stage.PIDFILE})"
                  in result.stderr, repr(result))
        result = stage.vmtimed("-d", "-x", "pidfile /", text=True)
        check("without a pid file: the socket tells", result.returncode == 1
              and f"another vmtimed answers at {stage.SOCKET} already" in result.stderr,
              repr(result))
        after = os.stat(stage.RUN)
        check("the folder is still the first one's", (before.st_uid, before.st_gid, before.st_mode)
              == (after.st_uid, after.st_gid, after.st_mode), repr((before, after)))
        check("and so are pid file and socket", stage.vmtime().returncode == 0
              and stage.read(stage.PIDFILE) == f"{first.pid}\n")
        check("-Q beside it asks, and sets nothing", "nothing to compare" in
              stage.vmtimed("-Q", "-t", "0.2", text=True).stderr)
        check("the first ends in order", first.end() == 0
              and not stage.exists(stage.SOCKET, stage.PIDFILE), first.log())


def test_second_vmtimed_that_steers():
    """One that has the right to steer is an owner as any other.  (This one only watches.)"""
    with Owner("vmtimed") as owner:
        check_refusal("a program called vmtimed", owner.pid, "vmtimed")


def test_race():
    """Of ten started at once, one lives."""
    for _ in range(3):
        stage.clear()
        started = [subprocess.Popen([stage.VMTIMED, "-d", "-x"], stderr=subprocess.PIPE, text=True,
                                    preexec_fn=stage.drop_clock_right) for _ in range(10)]
        stage.until(5, lambda: sum(process.poll() is not None for process in started) == 9)
        stage.until(0.3, lambda: False)
        alive = [process for process in started if process.poll() is None]
        check("one of ten lives", len(alive) == 1, [process.poll() for process in started])
        check("and answers", stage.vmtime().returncode == 0
              and stage.read(stage.PIDFILE) == f"{alive[0].pid}\n" if alive else False)
        for process in started:
            process.kill()
            said = process.communicate()[1]
            if process not in alive:
                check("the others say why", "vmtimed runs already" in said or "answers at" in said,
                      said)


if not SLEEP or os.path.basename(os.path.realpath(SLEEP)) != "sleep":
    stage.skip("there is no sleep that is a program of its own")
stage.finish(test_owners, test_no_owners, test_second_vmtimed, test_second_vmtimed_that_steers,
             test_race)
