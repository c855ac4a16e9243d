#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""steering.py VMTIMED VMTIME PLAY.SO - the whole daemon with a clock to steer

The lab shows the same on real kernels; this runs everywhere, in seconds, and can ask for what a lab
cannot.
"""

import json
import os
import signal
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position

STOCK = ("driftfile /var/lib/vmtime/drift", "rtcsync", "makestep 1 3")
STAMP = stage.RUN + "/steered"
LINE = ("refclock PHC /dev/ptp0 poll 2",)


def report():
    return json.loads(stage.vmtime("--json").stdout)


def last_event():
    return report().get("last_event", {})


def test_boot():
    for ahead in (0.566, -0.566, 3e-3, -3600, 40e-6):
        stage.clear()
        with play.Daemon(host_ahead=ahead) as daemon:
            took = daemon.is_right(1e-6, 1)
            check(f"{ahead:+} s after boot: right within 0.1 s of the start", took is not None
                  and took < 0.1, took)
            check(f"{ahead:+} s: by one step", daemon.play["steps"] == 1, daemon.log())
            check(f"{ahead:+} s: the kernel is told", daemon.play.is_synchronized()
                  and daemon.play["maxerror"] < 1000, daemon.play["maxerror"])
            check(f"{ahead:+} s: the stamp is there", stage.until(
                1, lambda: "steered" in os.listdir(stage.RUN)), os.listdir(stage.RUN))


def test_restart():
    """Later in the same boot the clock is known to be good: what is small is slewed."""
    stage.clear()
    made = play.Play(host_ahead=0.2)
    with play.Daemon(play=made) as daemon:
        check("the first one steps", daemon.is_right(1e-6) is not None and made["steps"] == 1)
        stage.until(1, lambda: os.path.exists(STAMP))
        daemon.end()
        stamp = stage.read(STAMP)
        made.jump(0.0005)
        made["status"] = play.STA_UNSYNC
        os.makedirs(stage.RUN, exist_ok=True)
        with play.Daemon(play=made) as another:
            check("the next one slews half a millisecond", another.is_right(1e-5, 4) is not None
                  and made["steps"] == 1, f"{another.error()} {another.log()}")
            another.end()
            stage.write(STAMP, stamp.replace(stamp[0], "x"))
            made.jump(0.0005)
            made["status"] = play.STA_UNSYNC
            with play.Daemon(play=made) as third:
                check("with another boot's stamp it is stepped", third.is_right(1e-6) is not None
                      and made["steps"] == 2, third.log())


def test_pause():
    for what, directives in (("no configuration", ()), ("one line", LINE), ("a stock file", STOCK)):
        with play.Daemon(*directives) as daemon:
            daemon.is_right(1e-6)
            stage.until(3, lambda: report()["state"] == "ok")
            time.sleep(0.5)
            steps = daemon.play["steps"]
            for seconds in (10, -7.25, 0.05, 86400 * 30):
                daemon.play.jump(seconds)
                took = daemon.is_right(1e-3, 5)
                check(f"{what}: {seconds:+} s are repaired within 1.3 s", took is not None
                      and took < 1.3, f"{took} {daemon.log()}")
                steps += 1
                check(f"{what}: {seconds:+} s: by one step", stage.until(
                    1, lambda: daemon.play["steps"] == steps), daemon.log())
                event = stage.until(2, lambda s=seconds: abs(
                    last_event().get("size_ns", 0) / 1e9 - s) < 1e-3 and last_event())
                check(f"{what}: {seconds:+} s: the event tells", event
                      and event["cause"].startswith("jump"), last_event())
                time.sleep(0.3)
            check(f"{what}: it ends in order, at a rate that is right", daemon.end() == 0
                  and abs(daemon.play.rate_ppm()) < 1, daemon.play.rate_ppm())


def test_set_by_another():
    with play.Daemon() as daemon:
        daemon.is_right(1e-6)
        stage.until(3, lambda: report()["state"] == "ok")
        daemon.play.set_system(-5)
        took = daemon.is_right(1e-3, 3)
        check("somebody else sets the clock: repaired", took is not None and took < 1.3, took)
        check("and told as what it was", stage.until(
            1, lambda: "another" in last_event().get("cause", "")), daemon.log())
        daemon.play.set_system(3)
        check("once more within a minute: left alone, and told", stage.until(
            3, lambda: "again within a minute" in daemon.log())
            and abs(abs(daemon.error()) - 3) < 0.5, f"{daemon.error()} {daemon.log()}")


def test_kernel_state():
    """What status says of the kernel is what the kernel says."""
    def is_told(whether):
        return report()["is_kernel_synchronized"] is whether

    with play.Daemon("refclock PHC /dev/ptp0") as daemon:
        daemon.is_right(1e-6)
        stage.until(2, lambda: report()["state"] == "ok")
        check("a file without rtcsync leaves STA_UNSYNC", not daemon.play.is_synchronized())
        check("and status says so", is_told(False), report())
    with play.Daemon("refclock PHC /dev/ptp0", "rtcsync") as daemon:
        daemon.is_right(1e-6)
        check("rtcsync clears it", stage.until(2, daemon.play.is_synchronized))
        check("and status says so", is_told(True), report())
    for what, status in (("unsynchronized", play.STA_UNSYNC), ("synchronized", 0)):
        with play.Daemon("-x", status=status) as daemon:
            stage.until(2, lambda: report()["state"] == "ok")
            check(f"-x leaves a kernel {what}", daemon.play["status"] == status)
            check("and status says which", is_told(status == 0), report())


def test_once():
    made = play.Play(host_ahead=0.75)
    daemon = play.Daemon("-Q", play=made)
    result = stage.run(*daemon.command[:1], "-Q", text=True, preexec_fn=stage.kill_at_clock_call,
                       env=daemon.environment)
    check("-Q prints the offset", result.returncode == 0
          and result.stdout.startswith("offset +0.750000000 s"), repr(result))
    check("-Q sets nothing", made["steps"] == made["rates"] == 0 and made["status"]
          == play.STA_UNSYNC)
    result = stage.run(*daemon.command[:1], "-q", text=True, preexec_fn=stage.kill_at_clock_call,
                       env=daemon.environment)
    check("-q sets the clock and ends with 0", result.returncode == 0
          and abs(made.error()) < 1e-6, f"{made.error()} {result!r}")
    check("-q leaves no socket and no pid file", not stage.exists(stage.SOCKET, stage.PIDFILE))


def test_observing():
    made = play.Play(host_ahead=0.75)
    daemon = play.Daemon("-x", play=made)
    with daemon:
        stage.until(2, lambda: report()["state"] == "ok")
        made.jump(10)
        check("-x tells what it would do", stage.until(3, lambda: daemon.log().count(
            "would be stepped") == 2), daemon.log())
        daemon.end()
        check("and does nothing", made["steps"] == made["rates"] == 0
              and made["status"] == play.STA_UNSYNC)


def test_killed_in_a_slew():
    made = play.Play(host_ahead=0.0008, status=0)
    stage.clear()
    with play.Daemon("makestep 100 0", "hostclock on", play=made) as daemon:
        check("a slew is under way", stage.until(2, lambda: abs(made.rate_ppm()) > 100),
              f"{made.rate_ppm()} {daemon.log()}")
        daemon.end(signal.SIGKILL)
        # Still on the same stage: what the killed one left in /run/vmtime is there.
        for left in ((10000, -400 << 16), (10500, 0)):
            made["tick"], made["freq"] = left
            result = stage.run(stage.VMTIMED, "--restore-clock", text=True,
                               env=daemon.environment, preexec_fn=stage.kill_at_clock_call)
            check(f"--restore-clock ends what a killed one left: {left}", result.returncode == 0
                  and made["tick"] == 10000 and abs(made["freq"]) < 5 << 16,
                  f"{made['tick']} {made['freq']} {result!r}")


def test_maxchange():
    with play.Daemon("maxchange 1 0 -1", "hostclock on", "makestep 0.1 -1", status=0,
                     host_ahead=100) as daemon:
        time.sleep(1.5)
        check("beyond maxchange: ignored, and told", daemon.play["steps"] == 0
              and "beyond maxchange" in daemon.log(), daemon.log())
    with play.Daemon("maxchange 1 0 0", "hostclock on", status=0, host_ahead=100) as daemon:
        check("once too often: ends with 1", stage.until(
            3, lambda: daemon.process.poll() == 1), daemon.log())
        check("the clock was left alone", daemon.play["steps"] == 0, daemon.log())


play.show(0)
stage.finish(test_boot, test_restart, test_pause, test_set_by_another, test_kernel_state, test_once,
             test_observing, test_killed_in_a_slew, test_maxchange)
