#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""starting.py VMTIMED VMTIME PLAY.SO - what a start takes the time from: the RTC, a TAI source"""

import json
import os
import time

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position

RTC = 'cause="RTC"'


def report():
    return json.loads(stage.vmtime("--json").stdout)


def is_followed():
    return stage.until(4, lambda: report()["state"] == "ok")


def ahead_of_rtc(made):
    """What the system clock is ahead of the RTC, which shows whole seconds, in seconds."""
    return made.error() + (made["host_ns"] - made["rtc_ns"]) / 1e9


def test_rtc_without_a_source():
    """Nothing better answers: the RTC tells to half a second."""
    for rtc_ahead in (3600, -86400.0):
        with play.Daemon("-s", rtc_ahead=rtc_ahead) as daemon:
            check(f"-s, the RTC {rtc_ahead:+} s: the clock is set by it", daemon.play["steps"] == 1
                  and RTC in daemon.log() and abs(ahead_of_rtc(daemon.play)) < 0.55,
                  f"{ahead_of_rtc(daemon.play)} {daemon.log()}")
            check("but it is not called right", report()["state"] == "starting"
                  and not daemon.play.is_synchronized(), report())
    for what, arguments, ahead in (("-s, the RTC as right as it can be", ["-s"], 0.0),
                                   ("without -s", [], 3600)):
        with play.Daemon(*arguments, rtc_ahead=ahead) as daemon:
            check(f"{what}: the clock is left alone", daemon.play["steps"] == 0
                  and RTC not in daemon.log(), daemon.log())
    made = play.Play(rtc_ahead=3600)
    with play.Daemon("-s", "-x", play=made) as daemon:
        check("-s -x: the clock is left alone", made["steps"] == made["rates"] == 0, daemon.log())


def test_rtc_besides_a_source():
    """Who has the host's clock does not ask the RTC, however wrong it is."""
    play.show(0)
    with play.Daemon("-s", host_ahead=0.25, rtc_ahead=-7200) as daemon:
        check("-s with a source: followed", is_followed() and daemon.is_right(1e-6) is not None,
              daemon.log())
        check("by one step, and the RTC was not asked", daemon.play["steps"] == 1
              and RTC not in daemon.log(), daemon.log())
    play.hide(0)


def test_rtc_and_a_late_source():
    with play.Daemon("-s", rtc_ahead=3600) as daemon:
        check("-s: set by the RTC", RTC in daemon.log(), daemon.log())
        play.show(0)
        check("a source that comes later corrects it", daemon.is_right(1e-6, 5) is not None
              and daemon.play["steps"] == 2, daemon.log())
    play.hide(0)


def test_no_rtc():
    os.unlink("/dev/rtc0")
    with play.Daemon("-s") as daemon:
        check("-s without an RTC: told, and it goes on", daemon.play["steps"] == 0
              and len(daemon.lines("the RTC could not be read")) == 1
              and stage.vmtime().returncode == 0, daemon.log())
    play.show_rtc()


def test_tai():
    """A clock that shows TAI: UTC is so many seconds earlier."""
    play.show(1, "mlx5_ptp")
    for tai, ahead in ((37, 37.25), (37, 36.75), (12, 12 + 3600)):
        made = play.Play(host_ahead=ahead)
        made["tai"] = tai
        with play.Daemon("refclock PHC /dev/ptp1 tai", "hostclock off", play=made) as daemon:
            stage.until(2, lambda made=made, tai=tai: abs(made.error() + tai) < 1e-6)
            check(f"TAI {tai} s ahead of UTC, {ahead} s of the clock: it ends at UTC",
                  is_followed() and abs(made.error() + tai) < 1e-6, f"{made.error()} {report()}")
            check("by one step", made["steps"] == 1, daemon.log())
    play.hide(1)


def test_tai_told_later():
    """Until somebody tells the difference such a clock is not followed; then within seconds."""
    table = "/usr/share/zoneinfo/leap-seconds.list"
    if os.path.exists(table):
        stage.hide_file(table)
    play.show(1, "mlx5_ptp")
    made = play.Play(host_ahead=37.25)
    with play.Daemon("refclock PHC /dev/ptp1 tai", "hostclock off", play=made) as daemon:
        time.sleep(1)
        check("nobody knows TAI - UTC: told, and not followed", made["steps"] == 0
              and "difference to UTC" in report()["sources"][0]["trouble"], report())
        made["tai"] = 37
        check("once the kernel is told: followed", is_followed()
              and abs(made.error() + 37) < 1e-6, f"{made.error()} {daemon.log()}")
    play.hide(1)


play.show_rtc()
stage.finish(test_rtc_without_a_source, test_rtc_besides_a_source, test_rtc_and_a_late_source,
             test_no_rtc, test_tai, test_tai_told_later)
