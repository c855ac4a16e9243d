#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reloading.py VMTIMED VMTIME PLAY.SO - what SIGHUP changes in a daemon that steers

What is wrong with a configuration, and how that is told, is in configuration.py.
"""

import json
import shutil
import signal
import subprocess

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position

SOURCE = ("refclock PHC /dev/ptp0",)


def report():
    return json.loads(stage.vmtime("--json").stdout)


def configure(*lines):
    stage.write(stage.CONFIGURATION, "\n".join((*SOURCE, *lines)) + "\n")


def reload(daemon, *lines):
    """SIGHUP with a file of these lines; returns when the daemon has read it."""
    count = len(daemon.lines("configuration reloaded"))
    configure(*lines)
    daemon.process.send_signal(signal.SIGHUP)
    check(f"{lines}: reloaded", stage.until(
        2, lambda: len(daemon.lines("configuration reloaded")) == count + 1), daemon.log())


def test_rtcsync():
    configure()
    with play.Daemon() as daemon:
        made = daemon.play
        check("without rtcsync: right, and the kernel is not told", daemon.is_right(1e-6)
              and stage.until(2, lambda: report()["state"] == "ok")
              and not made.is_synchronized(), daemon.log())
        reload(daemon, "rtcsync")
        check("rtcsync comes: the kernel is told", stage.until(3, made.is_synchronized))
        reload(daemon)
        check("rtcsync goes: the kernel is told that too", stage.until(
            3, lambda: not made.is_synchronized()))
        check("the source was followed all the time", len(daemon.lines("is followed")) == 1
              and made["steps"] <= 1, daemon.log())


def test_maxslewrate():
    """A slew of minutes goes on at the rate of the new configuration, up and down."""
    makestep = "makestep 100 0"
    configure(makestep, "maxslewrate 1000")
    with play.Daemon(host_ahead=0.5, status=0) as daemon:
        made = daemon.play

        def slews_at(ppm):
            return stage.until(3, lambda: 0.9 * ppm < abs(made.rate_ppm()) < 1.01 * ppm)

        check("a slew at 1000 ppm is under way", slews_at(1000), made.rate_ppm())
        for ppm in (5000, 200):
            reload(daemon, makestep, f"maxslewrate {ppm}")
            check(f"then at {ppm} ppm", slews_at(ppm), made.rate_ppm())
        check("without a step", made["steps"] == 0, daemon.log())


class Contender:
    """Looks as a chronyd does that may set the clock; it sleeps."""

    def __init__(self):
        path = shutil.copy(shutil.which("sleep"), "/run/chronyd")
        self.process = subprocess.Popen([path, "600"])
        # Popen may return in the middle of the exec: no name and no arguments yet.
        stage.until(2, lambda: stage.status_of(self.process.pid)["Name"] == "chronyd"
                    and stage.status_of(self.process.pid)["State"].startswith("S"))

    def end(self):
        self.process.kill()
        self.process.wait()


def test_contender():
    configure()
    with play.Daemon() as daemon:
        stage.until(3, lambda: report()["state"] == "ok")
        reload(daemon)
        check("nobody else: the state is ok", report()["state"] == "ok"
              and not daemon.lines("steers the clock"), f"{report()} {daemon.log()}")

        contender = Contender()
        name = f"chronyd (pid {contender.process.pid})"
        reload(daemon)
        check("another one that comes later is found", stage.until(
            2, lambda: report()["state"] == "contested"), f"{report()} {daemon.log()}")
        check("status names it, and what to do", report()["owner"] == name
              and f"{name} steers the clock too" in report()["reason"], report())
        check("people are told the same", name in stage.vmtime(text=True).stdout,
              stage.vmtime(text=True).stdout)
        reload(daemon)
        reload(daemon)
        check("one warning, however often it is found", len(daemon.lines(
            f"warning: {name} steers the clock too")) == 1, daemon.log())

        contender.end()
        reload(daemon)
        check("once it is gone the state is ok", stage.until(
            2, lambda: report()["state"] == "ok") and not report().get("owner"), report())
        check("and that is told", len(daemon.lines(
            "chronyd does not steer the clock any more")) == 1, daemon.log())

        contender = Contender()
        stage.write(stage.CONFIGURATION, "nonsense\n")
        daemon.process.send_signal(signal.SIGHUP)
        check("a reload that fails looks too", stage.until(
            2, lambda: report()["state"] == "contested"), f"{report()} {daemon.log()}")
        contender.end()


def test_contender_and_x():
    """Who only watches does not mind."""
    configure()
    with play.Daemon("-x") as daemon:
        contender = Contender()
        reload(daemon)
        stage.until(0.5, lambda: False)
        check("-x: nobody is a contender", report()["state"] != "contested"
              and not daemon.lines("steers the clock"), f"{report()} {daemon.log()}")
        contender.end()


play.show(0)
stage.finish(test_rtcsync, test_maxslewrate, test_contender, test_contender_and_x)
