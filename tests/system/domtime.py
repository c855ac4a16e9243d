#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""domtime.py VMTIMED VMTIME GUEST_CLOCK [VMTIME_HOSTD] - virsh domtime of a guest that has no qemu-ga and no hwclock

A real libvirtd, an emulated guest with the real vmtimed in it and nothing else: `agent auto` takes
the port of virtio-serial.  The guest has no source of time, so the host's word is believed: a
vmtime-hostd, if there is one with libvirt, tells it of a pause, and sets the clock when that was no help.
"""

import os
import sys
import time

import hostd_stand
import libvirt_stand
import stage
from libvirt_stand import virsh
from stage import check

if os.environ.get("VMTIME_STAGE") != "built":
    libvirt_stand.check_needs()
stage.enter(seconds=150)

START = """ip link set lo up
mkdir -p /run/vmtime /var/lib/vmtime
vmtimed -d -u 990 'agent auto' 'hostclock off' >/dev/console 2>&1 &
"""


def shown():
    """What virsh domtime says; None and the reason where it fails."""
    done = virsh("domtime", "one", may_fail=True)
    return (int(done.stdout.split()[-1]), "") if done.returncode == 0 else (None, done.stderr)


def test_domtime(guest):
    at, why = shown()
    check("virsh domtime shows the guest's clock", at is not None and abs(at - time.time()) < 3,
          (at, why))
    done = virsh("domtime", "one", "--time", str(int(time.time()) - 3600), may_fail=True)
    check("--time sets it", done.returncode == 0, done.stderr)
    offset, error = guest.clock()
    check("to what was asked for", abs(offset - 3600) < 1.5 + error, offset)
    virsh("suspend", "one")
    time.sleep(2)
    virsh("resume", "one")
    done = virsh("domtime", "one", "--now", may_fail=True)
    check("--now succeeds, without hwclock", done.returncode == 0, done.stderr)
    offset, error = guest.clock()
    # virsh --now sends whole seconds.
    check("and the clock is right", abs(offset) < 1.5 + error, offset)
    done = virsh("domtime", "one", "--time", "86400", may_fail=True)
    check("a time before this program was made is refused with the reason",
          done.returncode != 0 and "not believed" in done.stderr, done.stderr)
    check("and nothing is set", abs(guest.clock()[0]) < 1.5)
    done = virsh("qemu-agent-command", "one", '{"execute":"vmtime-status"}', may_fail=True)
    check("libvirt passes vmtimed's own messages on", '"state"' in done.stdout, done.stderr)


def test_hostd(guest):
    """vmtimed's own messages as raw commands: it is the agent, and there is no vsock."""
    if len(sys.argv) < 5:
        print("     left out: this build has no vmtime-hostd with libvirt")
        return
    hostd = hostd_stand.Hostd(os.path.abspath(sys.argv[4]), "unsynchronized-threshold 100ms").start()
    told = hostd_stand.told
    check("vmtime-hostd knows the agent, and that vmtimed answers", stage.until(
        20, lambda: told().get("agent") == "vmtimed" and told()["has_vmtimed"]),
          (told(), stage.read(hostd_stand.LOG)))
    check("the quality of the host's clock arrives", stage.until(
        10, lambda: "the host's clock is not synchronised, says its" in guest.console()),
          (told(), guest.console()[-1000:]))
    guest.clock()
    virsh("suspend", "one")
    time.sleep(2)
    virsh("resume", "one")
    check("after a pause the guest is right", stage.until(15, lambda: (
        told().get("last", {}).get("reason") == "pause" and hostd_stand.is_at_rest())),
          (told(), stage.read(hostd_stand.LOG)))
    last = told().get("last", {})
    check("vmtimed was told", told()["nudges"] >= 1, told())
    check("and, as it has no source, the clock was set by the host",
          last["end"] == "set" and 1.8 < last["lost_ns"] / 1e9 < 4, last)
    offset, error = guest.clock()
    check("by the guest's own word", abs(offset) < 0.1 + error, (offset, error))
    check("without waiting for a vmtimed that cannot", last["took_ns"] < 1.5e9, last)
    print(f"     right after {last['took_ns'] / 1e9:.2f} s")
    check("libvirt has marked the domain", "ga-command" in stage.read(
        "/var/log/libvirt/qemu/one.log"), virsh("dominfo", "one").stdout)
    check("vmtime-hostd ends in time", hostd.end() == 0, stage.read(hostd_stand.LOG)[-2000:])


def busy(seconds=4):
    """The part of a processor that the guest takes."""
    def ticks():
        fields = stage.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    pid = int(stage.read("/run/libvirt/qemu/one.pid"))
    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def test_libvirtd_goes_and_comes(libvirtd):
    """The host's end of the port closes; vmtimed must neither spin nor miss who comes back."""
    libvirtd.kill()
    taken = busy()
    check(f"a port that nobody holds is not waited for in a circle: {taken:.2f}", taken < 0.5)
    libvirtd.start()
    back = stage.until(15, lambda: shown()[0] is not None)
    check("libvirtd is back, and answered", back, shown())


def test_a_guest_with_vmtimed_alone():
    libvirtd = libvirt_stand.Libvirtd()
    image = libvirt_stand.image("vmtimed", [stage.VMTIMED], start=START,
                                guest_clock=os.path.abspath(sys.argv[3]))
    guest = libvirt_stand.Guest("one", image)
    guest.start()
    guest.wait_for_agent()
    check("auto takes the port", stage.until(
        5, lambda: "answering as guest agent" in guest.console()), guest.console())
    test_hostd(guest)
    test_domtime(guest)
    test_libvirtd_goes_and_comes(libvirtd)
    guest.destroy()


stage.finish(test_a_guest_with_vmtimed_alone)
