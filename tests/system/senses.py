#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""senses.py VMTIMED VMTIME PLAY.SO - what tells of a disruption besides the readings"""

import json
import os
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position

TICKS = os.sysconf("SC_CLK_TCK")


def report():
    return json.loads(stage.vmtime("--json").stdout)


def is_ok():
    return report()["state"] == "ok"


def evidence():
    """Of the latest event, as words."""
    with stage.connect() as client:
        client.sendall(b'{"v":1,"cmd":"events"}\n')
        reply = json.loads(client.makefile().readline())
    events = reply["events"]["events"]
    return events[-1]["evidence"] if events else []


def cpu_seconds(pid):
    """What it used of the processor so far."""
    fields = stage.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def reads_within(daemon, seconds, claim=None):
    """How long after @claim() the daemon looks at its source again."""
    before = daemon.play["readings"]
    began = time.monotonic()
    if claim:
        claim()
    return stage.until(seconds, lambda: daemon.play["readings"] > before
                       and time.monotonic() - began + 1e-9)


def quiet(daemon):
    """Just after a reading of a clock that is read once a second."""
    stage.until(10, lambda: report()["sources"][0]["reading_interval_ns"] >= 999999999)
    reads_within(daemon, 2)
    time.sleep(0.05)


def test_announced():
    """A host that announces: it is read at once, not at the next wake-up."""
    page = play.Vmclock(flags=play.Vmclock.NOTIFIES | play.Vmclock.HAS_GENERATION, generation=7)
    with play.Daemon() as daemon:
        check("told once, with what it can do", daemon.says(
            "vmclock: /dev/vmclock0 tells of disruptions: marker and generation, announced"),
            daemon.log())
        check("and status says so", report()["senses"] == {
            "vmclock": "marker and generation, announced by the host", "hears_generation": True,
            "sees_clock_set": True, "sees_sleep": True}, report().get("senses"))
        for fields, words in (({"marker": 2}, "evidence=marker"), ({"generation": 8}, "evidence=generation"),
                              ({"marker": 3, "generation": 9}, "evidence=generation")):
            quiet(daemon)
            took = reads_within(daemon, 0.5, lambda: page.change(daemon.play, **fields))
            check(f"{fields}: the source is read within 50 ms", took and took < 0.05, took)
            check(f"{fields}: {words}", daemon.says(words, 1), daemon.log())
        check("the last one's event names both", stage.until(2, lambda: {"marker", "generation"} <= set(
            evidence())), evidence())
        quiet(daemon)
        lines = len(daemon.log().splitlines())
        page.change(daemon.play, time_s=5)
        time.sleep(0.1)
        check("a page that only tells another time tells of no disruption",
              len(daemon.log().splitlines()) == lines, daemon.log())
        used = cpu_seconds(daemon.pid)
        time.sleep(2)
        check("and nothing spins", cpu_seconds(daemon.pid) - used < 0.1, cpu_seconds(daemon.pid) - used)
    page.end()


def test_announced_restore():
    """From the announcement to a clock that is right, on the 1 ms."""
    page = play.Vmclock(flags=play.Vmclock.NOTIFIES)
    took = []
    with play.Daemon("user root") as daemon:
        for seconds in (10, -3, 0.5, 3600):
            quiet(daemon)
            time.sleep(0.3)
            began = time.monotonic()
            daemon.play.jump(seconds)
            page.change(daemon.play, marker=page["marker"] + 1)
            right = stage.until(2, lambda: abs(daemon.error()) < 1e-3 and time.monotonic())
            took.append((right or time.monotonic()) - began)
        print("     " + ", ".join(f"{t * 1e3:.1f} ms" for t in took))
        check("each within 50 ms, half of them within 20", max(took) < 0.05
              and sorted(took)[1] < 0.02, took)
        check("each by one step", daemon.play["steps"] == 4, daemon.log())
        check("and called by what it was", len(daemon.lines('cause="restored or migrated"')) == 4,
              daemon.log())
    page.end()


def test_hang_up():
    """The page says that changes are announced, the kernel's driver says that they are not."""
    page = play.Vmclock()
    with play.Daemon() as daemon:
        check("without announcements it is looked at", daemon.says("looked at at each wake-up"),
              daemon.log())
        quiet(daemon)
        page.change(marker=2)
        check("a marker that changed is seen at the next wake-up", daemon.says("evidence=marker", 1.5),
              daemon.log())
        # The flag comes, and goes without a change of the sequence: POLLHUP from then on.
        page.change(flags=play.Vmclock.NOTIFIES)
        stage.until(2, lambda: False)
        page["flags"] = 0
        daemon.play.tell(".wake")
        time.sleep(0.2)
        used = cpu_seconds(daemon.pid)
        time.sleep(2)
        check("POLLHUP does not make it spin", cpu_seconds(daemon.pid) - used < 0.1,
              cpu_seconds(daemon.pid) - used)
        page.change(marker=3)
        check("and changes are seen as before", stage.until(
            2, lambda: len(daemon.lines("evidence=marker")) == 2), daemon.log())
    page.end()


def test_late_and_gone():
    page = play.Vmclock()
    page.hide()
    with play.Daemon() as daemon:
        stage.until(5, is_ok)
        check("without one nothing is said of it", "vmclock" not in daemon.log()
              and report()["senses"]["vmclock"] == "", daemon.log())
        page.show()
        check("one that comes late is found", daemon.says("tells of disruptions: marker", 3),
              daemon.log())
        page.hide()
        check("one that goes is let go", daemon.says("vmclock: /dev/vmclock0 is gone", 12), daemon.log())
        page.change(marker=9)
        page.show()
        check("what happened meanwhile is noticed when it is back", daemon.says("evidence=marker", 3),
              daemon.log())
    page.end()


def test_bad_pages():
    for what, fields, words in (
            ("a wrong magic", {"magic": 0x4B4C4355}, "is not a vmclock page"),
            ("size 0", {"size": 0}, "is too small"),
            ("version 99", {"version": 99}, "is of a version that is not known"),
            ("an odd sequence for ever", {"sequence": 3}, "is being written without end")):
        page = play.Vmclock(flags=play.Vmclock.NOTIFIES, **fields)
        with play.Daemon() as daemon:
            check(f"{what}: told", daemon.says(words, 4), daemon.log())
            check(f"{what}: the clock is kept by the source all the same", stage.until(3, is_ok)
                  and daemon.is_right(1e-6), report())
            check(f"{what}: status says why it is not used", words in report()["senses"]["vmclock"],
                  report()["senses"])
            before, used = len(daemon.lines("vmclock")), cpu_seconds(daemon.pid)
            for _ in range(10):
                daemon.play.tell(".wake")
                page["marker"] += 1
                time.sleep(0.1)
            check(f"{what}: once, and nothing spins", len(daemon.lines("vmclock")) == before == 1
                  and cpu_seconds(daemon.pid) - used < 0.1, (cpu_seconds(daemon.pid) - used, daemon.log()))
            check(f"{what}: and believed in nothing", "evidence" not in daemon.log(), daemon.log())
        page.end()


def test_marker_without_end():
    """A thousand times a second, announced."""
    page = play.Vmclock(flags=play.Vmclock.NOTIFIES)
    with play.Daemon() as daemon:
        quiet(daemon)
        used, readings = cpu_seconds(daemon.pid), daemon.play["readings"]
        began = time.monotonic()
        changes = 0
        while time.monotonic() - began < 5:
            page.change(daemon.play, marker=page["marker"] + 1)
            changes += 1
            time.sleep(0.0009)
        took = time.monotonic() - began
        used = cpu_seconds(daemon.pid) - used
        readings = daemon.play["readings"] - readings
        print(f"     {changes / took:.0f} changes/s: {used / took * 100:.1f} % of a processor, "
              f"{readings / took:.1f} readings/s, {len(daemon.lines('evidence'))} lines")
        check("the processor is not busy with it", used / took < 0.05, used)
        check("nor the source", readings / took < 60, readings)
        check("nor the log", len(daemon.log().splitlines()) <= 20,
              daemon.log())
        check("status says so", "changes too often" in report()["senses"]["vmclock"],
              report()["senses"])
        check("that it is too much is said once", len(daemon.lines("faster than")) == 1, daemon.log())
        check("when it is over, all is well", stage.until(5, is_ok) and daemon.is_right(1e-6), report())
    page.end()


def test_kernel_event():
    with play.Daemon() as daemon:
        quiet(daemon)
        daemon.play.tell(".uevent", b"change@/devices/x\0ACTION=change\0NEW_VMGENID=0\0")
        daemon.play.tell(".uevent", b"\0\0\0\xff")
        took = reads_within(daemon, 0.5, daemon.play.tell_generation)
        check("the kernel's event makes it read at once", took and took < 0.05, took)
        check("and is told as the generation", daemon.says("evidence=generation", 1)
              and len(daemon.lines("evidence")) == 1, daemon.log())
        quiet(daemon)
        used = cpu_seconds(daemon.pid)
        began = time.monotonic()
        while time.monotonic() - began < 3:
            daemon.play.tell(".uevent", b"add@/devices/x\0ACTION=add\0SEQNUM=1\0" * 50)
        used = cpu_seconds(daemon.pid) - used
        check("a storm of other events costs little", used < 0.5, used)


def test_clock_set():
    """Somebody sets the clock: noticed at once.  Our own steps are not noticed at all."""
    with play.Daemon(host_ahead=3600) as daemon:
        quiet(daemon)
        check("it stepped its own clock", daemon.play["steps"] == 1, daemon.log())
        before = daemon.play["readings"]
        time.sleep(0.5)
        check("which makes it read nothing", daemon.play["readings"] == before, daemon.log())
        took = reads_within(daemon, 0.5, lambda: daemon.play.set_system(5))
        check("somebody else's step makes it read at once", took and took < 0.05, took)
        check("and it is repaired", daemon.is_right(1e-6, 1) is not None, daemon.log())


def test_sleep():
    with play.Daemon() as daemon:
        quiet(daemon)
        daemon.play["slept_ns"] += 5 * 10**9
        daemon.play.jump(5)
        took = daemon.is_right(1e-3, 2)
        check("a machine that slept is right again after the next wake-up", took is not None, took)


play.show(0)
stage.finish(test_announced, test_announced_restore, test_hang_up, test_late_and_gone, test_bad_pages,
             test_marker_without_end, test_kernel_event, test_clock_set, test_sleep)
