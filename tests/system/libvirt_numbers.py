#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvirt_numbers.py LIBVIRT_DRIVE VMTIME - how many guests can be set in a second through libvirt?

No part of `make test`: it boots GUESTS (12 by default) emulated guests.  All are set at once, with 1,
4 and 16 workers, first as they are, with a hwclock that waits for the next full second, then with one
that does nothing, so that only libvirt's own share is left.  libvirtd has its stock limits.
"""

import os
import shutil
import sys
import time

import libvirt_stand
import stage
from libvirt_drive import Drive
from libvirt_stand import virsh

GUESTS = int(os.environ.get("GUESTS", "12"))
HWCLOCK = """#!/bin/sh
[ -e /run/quick ] || exec /sbin/hwclock.real "$@"
"""
QUICK = '{"execute":"guest-exec","arguments":{"path":"/bin/touch","arg":["/run/quick"]}}'


def set_all(workers):
    drive = Drive(sys.argv[1], workers)
    names = [f"g{number}" for number in range(GUESTS)]
    signs = [drive.wait("sign", "appeared", f"name={name}", seconds=60) for name in names]
    numbers = [sign["line"].split()[3] for sign in signs]
    for number in numbers:  # every worker has its connection
        drive.ask("get", number, 20000)
    began = time.monotonic()
    asked = [drive.say(f"set {number} 60000") for number in numbers]
    outcomes = [drive.wait("outcome", "set", f"number={number}", seconds=90) for number in asked]
    took = time.monotonic() - began
    bad = [outcome for outcome in outcomes if not outcome or " done " not in outcome["line"]]
    each = sorted(int(outcome["took_ns"]) / 1e6 for outcome in outcomes if outcome)
    print(f"{workers:2} workers: {GUESTS} guests in {took:.2f} s, {GUESTS / took:.1f} a second; "
          f"one call: median {each[len(each) // 2]:.0f} ms, worst {each[-1]:.0f} ms; "
          f"{len(bad)} not set")
    drive.end()


if os.environ.get("VMTIME_STAGE") != "built":
    libvirt_stand.check_needs()
stage.enter(seconds=900)
libvirtd = libvirt_stand.Libvirtd()
image = libvirt_stand.image(
    "numbers", [libvirt_stand.need("qemu-ga", "qemu-guest-agent"),
                (shutil.which("hwclock", path="/sbin:/usr/sbin"), "/sbin/hwclock.real")],
    files={"/sbin/hwclock": HWCLOCK})
guests = [libvirt_stand.Guest(f"g{number}", image, memory=128) for number in range(GUESTS)]
for guest in guests:
    guest.start()
for guest in guests:
    guest.wait_for_agent(300)
print("hwclock waits for the next second:")
for n in (1, 4, 16):
    set_all(n)
for guest in guests:
    virsh("qemu-agent-command", guest.name, QUICK)
print("hwclock does nothing:")
for n in (1, 4, 16):
    set_all(n)
stage.finish()
