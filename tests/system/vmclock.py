#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmclock.py VMTIMED VMTIME PLAY.SO - a host's page that tells the time

The page is played; the processor's counter, by which it tells the time, is the real one.
"""

import ctypes
import json
import mmap
import os
import platform
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position

if platform.machine() != "x86_64":
    stage.skip(f"no counter is read on {platform.machine()}")
if stage.read("/sys/devices/system/clocksource/clocksource0/current_clocksource").strip() != "tsc":
    stage.skip("this machine's kernel does not keep its clock by the TSC")

ERROR_NS, ERROR_PPM = 2000, 20
VCLK = {"counter": 1, "status": 2, "utc_minus_tai": -37, "flags": 0x51}

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
_code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
_code.write(bytes.fromhex("0f3148c1e2204809d0c3"))
tsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(_code)))


def raw_and_tsc():
    """The two together, by the narrowest of a few brackets."""
    tries = []
    for _ in range(50):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        count = tsc()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        tries.append((after - before, (before + after) // 2, count))
    return min(tries)[1:]


def measure():
    """A count's length, in 2^-94 s."""
    raw, count = raw_and_tsc()
    time.sleep(0.3)
    raw_later, count_later = raw_and_tsc()
    return ((raw_later - raw) << 94) // ((count_later - count) * 10**9)


PERIOD = measure()


def the_time(played, utc_minus_host=0):
    """The fields of a page that shows the host's clock, as the stage plays it."""
    raw, count = raw_and_tsc()
    host = raw + played["host_ns"] + int(utc_minus_host * 1e9)
    return {"counter_value": count, "period": PERIOD, "period_shift": 30,
            "period_error": PERIOD * ERROR_PPM // 10**6, "time_s": host // 10**9,
            "time_fraction": (host % 10**9 << 64) // 10**9, "time_error_ns": ERROR_NS}


def report():
    return json.loads(stage.vmtime("--json").stdout)


def is_ok(seconds=3):
    return stage.until(seconds, lambda: report()["state"] == "ok")


def test_followed():
    played = play.Play(host_ahead=-3600)
    page = play.Vmclock(**VCLK, **the_time(played))
    with play.Daemon(play=played) as daemon:
        check("a page that tells the time is followed", daemon.says(
            'source VMC0 is followed: device=/dev/vmclock0 clock="vmclock" method=vmclock'), daemon.log())
        check("the clock is right by it", daemon.is_right(20e-6) is not None, daemon.error())
        sources = report()["sources"]
        source = [s for s in sources if s["name"] == "VMC0"][0]
        check("what the page can be wrong by counts", source["last_sample"]["bracket_ns"] >= ERROR_NS
              and report()["bound_ns"] >= ERROR_NS, source)
        check("it is the host's, and tells how it is read", source["is_host"]
              and source["method"] == "vmclock" and source["clock_name"] == "vmclock", source)
        played.jump(10)
        page.change(played, marker=2, **the_time(played))
        check("10 s after a restore are repaired", daemon.is_right(100e-6, 2) is not None, daemon.log())
        page.change(status=4)
        check("a host that calls its time unreliable is left", daemon.says(
            "source VMC0 is lost") and daemon.says("does not vouch for"), daemon.log())
        page.change(**VCLK, **the_time(played))
        check("and followed again when it does not", is_ok(), report())
    page.end()


def test_appears():
    """A page may begin to tell the time; one that does not is no source at all."""
    played = play.Play()
    page = play.Vmclock()
    with play.Daemon(play=played) as daemon:
        time.sleep(1.5)
        check("a page without time is no source", [s["name"] for s in report()["sources"]] == ["PHC0"],
              report()["sources"])
        page.change(**VCLK, **the_time(played))
        check("one that begins to tell it is one", stage.until(
            3, lambda: report()["tracking"]["name"] == "VMC0"), daemon.log())
    with play.Daemon("hostclock off", play=played) as daemon:
        time.sleep(1)
        check("hostclock off leaves it alone", report()["sources"] == [], report()["sources"])
    page.end()


def test_beside_ptp_kvm():
    """The clock that is exact comes first; the page is there when it goes."""
    played = play.Play()
    page = play.Vmclock(**VCLK, **the_time(played))
    play.show(0)
    with play.Daemon(play=played) as daemon:
        check("ptp_kvm is followed", stage.until(3, lambda: report()["tracking"]["name"] == "PHC0"),
              report())
        check("the page stands beside it", [s["name"] for s in report()["sources"]
              if s["selection"] == "not-combined"] == ["VMC0"], report()["sources"])
        play.hide(0)
        played["answer"] = 19
        check("when it is gone, the page is followed", stage.until(
            8, lambda: report()["tracking"]["name"] == "VMC0"), daemon.log())
    play.hide(0)
    page.end()


def shows(daemon, words):
    return daemon.says(words) and is_ok()


LINE = ("refclock PHC /dev/ptp1", "hostclock off")


def test_phc_of_a_vmclock():
    """What the kernel makes of a vmclock shows UTC or TAI, by its version."""
    play.show(1, "vmclock0")
    for scale, ahead in (("UTC", 0), ("TAI", 37)):
        # An hour off: only the page can tell.
        played = play.Play(host_ahead=3600 + ahead)
        page = play.Vmclock(**VCLK, **the_time(played, -ahead))
        with play.Daemon(*LINE, play=played) as daemon:
            check(f"{scale}: by the page", shows(daemon, f"is a vmclock and shows {scale}, by the host's page"),
                  daemon.log())
            check(f"{scale}: the clock is UTC", stage.until(3, lambda: abs(
                daemon.error() + ahead) < 1e-3), daemon.error())
            check(f"{scale}: told once", len(daemon.lines("is a vmclock and shows")) == 1, daemon.log())
        page.end()
        played = play.Play(host_ahead=ahead + 0.7)
        played["tai"] = 37
        with play.Daemon(*LINE, play=played) as daemon:
            check(f"{scale}: without a page, by our own clock", shows(
                daemon, f"is a vmclock and shows {scale}, by our own clock"), daemon.log())
            check(f"{scale}: and the clock is UTC", stage.until(3, lambda: abs(
                daemon.error() + ahead) < 1e-3), daemon.error())
    played = play.Play(host_ahead=1000)
    with play.Daemon(*LINE, play=played) as daemon:
        check("near neither: not used, and told", daemon.says("whether it shows UTC or TAI cannot be told")
              and played["steps"] == 0, daemon.log())
    played = play.Play(host_ahead=1000)
    played["tai"] = 37
    with play.Daemon("refclock PHC /dev/ptp1 tai", "hostclock off", play=played) as daemon:
        check("`tai` in the file is believed", is_ok() and abs(daemon.error() + 37) < 1e-3
              and "shows" not in daemon.log(), daemon.log())
    play.hide(1)


stage.finish(test_followed, test_appears, test_beside_ptp_kvm, test_phc_of_a_vmclock)
