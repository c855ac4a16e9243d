#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sources.py VMTIMED VMTIME PLAY.SO - clocks that are missing, late, strange, or fail"""

import errno
import json
import os
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position


def report():
    return json.loads(stage.vmtime("--json").stdout)


def state_becomes(state, seconds=4):
    return stage.until(seconds, lambda: report()["state"] == state)


def trouble(index=0):
    return report()["sources"][index]["trouble"]


def test_found_by_name():
    play.show(3)
    play.show(1, "mlx5_ptp")
    with play.Daemon() as daemon:
        check("the host's clock is found by its name, under any number", state_becomes("ok")
              and report()["sources"][0]["device"] == "/dev/ptp3", report())
        check("one sentence tells", 'source PHC0 is followed: device=/dev/ptp3 clock="KVM virtual PTP" method=precise'
              in daemon.log(), daemon.log())
    play.hide(3)
    with play.Daemon() as daemon:
        check("a NIC's clock that nobody named is not used", not state_becomes("ok", 1.5)
              and daemon.play["readings"] == 0, daemon.log())
    with play.Daemon("refclock PHC /dev/ptp1 refid NIC") as daemon:
        check("one that is named is", state_becomes("ok")
              and report()["tracking"]["name"] == "NIC", daemon.log())
    play.hide(1)


def test_named_and_found():
    """The host's clock, named by the file as well, is one source and not two."""
    play.show(0)
    with play.Daemon("refclock PHC /dev/ptp0 poll 2 refid KVM") as daemon:
        check("named and found: one source", state_becomes("ok")
              and [s["name"] for s in report()["sources"]] == ["KVM"], report())
        check("and it is followed", daemon.is_right(1e-6) is not None, daemon.log())
    play.hide(0)
    with play.Daemon("refclock PHC /dev/ptp0 poll 2 refid KVM"):
        check("neither there: told", "no such" in trouble(0), report())
        play.show(0)
        check("both appear: one source", stage.until(5, lambda: [
            (s["name"], s["selection"]) for s in report()["sources"]] == [("KVM", "selected")]),
            report())
    play.hide(0)
    with play.Daemon("refclock PHC /dev/host refid KVM") as daemon:
        play.show(0)
        check("found first: followed", state_becomes("ok")
              and report()["tracking"]["name"] == "PHC0", report())
        os.symlink("ptp0", "/dev/host")
        check("then its name appears: one source, followed under that name", stage.until(
            5, lambda: [(s["name"], s["selection"]) for s in report()["sources"]]
            == [("KVM", "selected")]), report())
        check("and the clock was right all the time", daemon.play["steps"] == 0
              and abs(daemon.error()) < 1e-6, f"{daemon.error()} {daemon.log()}")
        os.unlink("/dev/host")
    play.show(1, "mlx5_ptp")
    play.show(0)
    with play.Daemon("refclock PHC /dev/ptp1 noselect refid NIC"):
        check("beside another clock that is named the host's is used", state_becomes("ok")
              and [s["selection"] for s in report()["sources"]]
              == ["not-combined", "selected"], report())
    play.hide(1)
    play.hide(0)


def test_late_and_gone():
    with play.Daemon(host_ahead=0.3) as daemon:
        check("no device: told", state_becomes("starting") and "ptp_kvm" in trouble(), report())
        time.sleep(1.5)
        check("and nothing is done to the clock", daemon.play["steps"] == 0
              and not daemon.play.is_synchronized())
        play.show(0)
        took = daemon.is_right(1e-6, 5)
        check("a device that appears late is used within 2 s", took is not None and took < 2, took)
        check("and the kernel is told", daemon.play.is_synchronized())

        play.hide(0)
        daemon.play["answer"] = errno.ENODEV
        check("one that vanishes: holdover", state_becomes("holdover"), report())
        check("with the reason", stage.until(2, lambda: "no PTP clock" in trouble()), report())
        check("the clock goes on", abs(daemon.error()) < 1e-3, daemon.error())
        daemon.play["answer"] = 0
        play.show(5)
        check("it comes back under another number", state_becomes("ok", 5)
              and report()["sources"][0]["device"] == "/dev/ptp5", report())
        check("each change is told once", len(daemon.lines("is lost")) == 1
              and len(daemon.lines("is followed")) == 2, daemon.log())
        check("it ends in order", daemon.end() == 0, daemon.log())
    play.hide(5)


def test_failures():
    play.show(0)
    with play.Daemon() as daemon:
        state_becomes("ok")
        for number, state, words in (
                (errno.EBUSY, "holdover", "busy"),
                (errno.EOPNOTSUPP, "holdover", "new host"),
                (errno.EACCES, "holdover", "Permission denied"),
                (errno.EIO, "holdover", "Input/output error"),
                (errno.ENODEV, "holdover", "no PTP clock"),
                (errno.EINVAL, "holdover", "fails")):
            name = errno.errorcode[number]
            before = daemon.play["readings"]
            daemon.play["answer"] = number
            if number == errno.ENODEV:
                play.hide(0)
            check(f"{name}: {state}", state_becomes(state), report())
            check(f"{name}: told", stage.until(2, lambda words=words: words in trouble()),
                  trouble())
            check(f"{name}: the clock goes on", abs(daemon.error()) < 1e-4, daemon.error())
            time.sleep(0.5)
            check(f"{name}: it is not hammered", daemon.play["readings"] - before < 400,
                  daemon.play["readings"] - before)
            daemon.play["answer"] = 0
            play.show(0)
            check(f"{name}: over", state_becomes("ok"), report())
        check("no step for all that", daemon.play["steps"] == 0, daemon.log())
        check("it ends in order", daemon.end() == 0, daemon.log())
    play.hide(0)


def test_strange_times():
    play.show(0)
    day = 86400
    for what, ahead, is_used in (("1970", -time.time() + 10, False),
                                 ("2001", -25 * 365 * day, False),
                                 ("2200", 174 * 365 * day, False),
                                 ("ten years ahead", 10 * 365 * day, True)):
        with play.Daemon(host_ahead=ahead) as daemon:
            if is_used:
                check(f"a host in {what} is followed", daemon.is_right(1e-6) is not None)
            else:
                check(f"a host in {what} is no clock", stage.until(
                    2, lambda: "outside the years" in trouble()) and daemon.play["steps"] == 0,
                    report())
            check(f"{what}: it ends in order", daemon.end() == 0, daemon.log())
    with play.Daemon(system_ahead=-time.time() + 10) as daemon:
        check("a guest that wakes in 1970 is set right", daemon.is_right(1e-6) is not None
              and daemon.play["steps"] == 1, daemon.log())
    with play.Daemon() as daemon:
        state_becomes("ok")
        daemon.play["step_back"] = 1000000000
        check("a clock that goes back all the time is not followed",
              stage.until(4, lambda: report()["state"] != "ok"), report())
        daemon.play["step_back"] = 0
        check("until it is one again", state_becomes("ok")
              and daemon.is_right(1e-6, 5) is not None, f"{report()} {daemon.log()}")
        check("it ends in order", daemon.end() == 0, daemon.log())
    play.hide(0)


def test_no_clock_at_all():
    for path, words in (("/dev/null", None), ("/dev/zero", "fails"), ("/run", "fails"),
                        ("/nowhere", "no such")):
        with play.Daemon(f"refclock PHC {path}", "hostclock off") as daemon:
            if words:
                check(f"{path} as a clock: told", stage.until(2, lambda words=words: words
                                                               in trouble()), report())
            check(f"{path}: it goes on and ends in order", stage.vmtime().returncode == 0
                  and daemon.end() == 0, daemon.log())


stage.finish(test_found_by_name, test_named_and_found, test_late_and_gone, test_failures,
             test_strange_times, test_no_clock_at_all)
