#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""battery.py VMTIMED VMTIME PLAY.SO - the battery clock, where nothing else answers"""

import json
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position


def events():
    with stage.connect() as client:
        client.sendall(b'{"v":1,"cmd":"events"}\n')
        return json.loads(client.makefile().readline())["events"]["events"]


def looked_at(played, seconds=13):
    """The daemon looked at the RTC once more."""
    before = played["rtc_readings"]
    return stage.until(seconds, lambda: played["rtc_readings"] > before)


def test_nothing_else():
    """A pause of 100 s: the machine stands still and the RTC does not."""
    for user in ("root", "vmtime"):
        played = play.Play()
        with play.Daemon("user " + user, play=played) as daemon:
            check(f"{user}: it is looked at", looked_at(played), daemon.log())
            check(f"{user}: which changes nothing", played["steps"] == 0, daemon.log())
            played["rtc_ns"] += 100 * 10**9
            check(f"{user}: what it ran on is added to the clock", stage.until(
                14, lambda: played["steps"] == 1), daemon.log())
            played["host_ns"] += 100 * 10**9
            check(f"{user}: to a second", abs(daemon.error()) < 1.1, daemon.error())
            last = stage.until(2, events)[-1]
            check(f"{user}: the event tells by what", last["evidence"] == ["rtc"]
                  and last["end"] == "stepped" and 98.9e9 < last["size_ns"] < 101.1e9, last)
            check(f"{user}: and no bound is claimed", "bound_ns" not in json.loads(
                stage.vmtime("--json").stdout))


def test_a_source_knows_better():
    played = play.Play()
    play.show(0)
    with play.Daemon(play=played) as daemon:
        stage.until(3, lambda: played["rtc_readings"] > 0)
        readings = played["rtc_readings"]
        check("it is looked at beside a source", readings == 1, readings)
        played["rtc_ns"] += 100 * 10**9
        time.sleep(12)
        check("but seldom, and not believed", played["rtc_readings"] == readings
              and played["steps"] == 0 and abs(daemon.error()) < 1e-5, daemon.log())
    play.hide(0)


def test_none():
    """No RTC: nothing is said, nothing is asked for."""
    stage.os.unlink("/dev/rtc0")
    played = play.Play()
    with play.Daemon(play=played) as daemon:
        time.sleep(2)
        check("without one nothing is said of it", "rtc" not in daemon.log().lower(), daemon.log())


play.show_rtc()
stage.finish(test_nothing_else, test_a_source_knows_better, test_none)
