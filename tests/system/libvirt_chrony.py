#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvirt_chrony.py VMTIME_HOSTD VMTIME GUEST_CLOCK GUEST_TIME - hostd and a guest's chronyd

No part of `make test`: it takes five minutes.  A guest follows its host by a real chronyd with the
distributions' `makestep 1 3`.  It is paused twenty times for a moment, as a backup does it, first
without vmtime-hostd and then with it; with PAUSE=SECONDS in the environment for as long as that
(default 0.05).  Its clock, looked at 20 times a second, must not be worse for it.
"""

import os
import socket
import subprocess
import sys
import threading
import time

import libvirt_stand
import stage
from stage import check

HOSTD, VMTIME, GUEST_CLOCK, GUEST_TIME = (os.path.abspath(path) for path in sys.argv[1:5])
PAUSE = float(os.environ.get("PAUSE", "0.05"))
EVERY = 4
CONF = """
refclock SOCK /run/time.sock poll 2 refid HOST
makestep 1 3
cmdport 0
pidfile /run/chronyd.pid
"""
START = libvirt_stand.QEMU_GA + """
chronyd -u root -f /etc/chrony.conf
guest_time /dev/virtio-ports/vmtime.time /run/time.sock &
"""
PORT = f"""<channel type='unix'><source mode='bind' path='{libvirt_stand.FOLDER}/one.time'/>
<target type='virtio' name='vmtime.time'/></channel>"""


def tell_time():
    """What guest_time asks."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(libvirt_stand.FOLDER + "/one.time")
        while stream.recv(64):
            stream.send(b"%d\n" % time.clock_gettime_ns(time.CLOCK_REALTIME))


def looks(seconds):
    """Offsets of the guest, 20 times a second."""
    offsets = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        look = guest.look()
        if look and look[1] < 0.02:
            offsets.append(abs(look[0]))
        time.sleep(0.05)
    return offsets


def settle():
    check("the guest's clock is right", stage.until(90, lambda: guest.clock()[0] < 0.003
                                                    and max(looks(3), default=1) < 0.01), guest.clock())


def pauses():
    """(mean, worst, mean at the end) of its error during twenty of them and 20 s after."""
    offsets = []
    # One virsh for all of them: each would take longer to start than the pause lasts.
    shell = subprocess.Popen(["virsh", "-q", "-c", libvirt_stand.URI], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True, bufsize=1)
    for _ in range(20):
        shell.stdin.write("suspend one\n")
        time.sleep(PAUSE)
        shell.stdin.write("resume one\n")
        offsets += looks(EVERY)
    offsets += looks(20)
    shell.stdin.close()
    shell.wait(10)
    mean = sum(offsets) / len(offsets)
    return mean, max(offsets), sum(offsets[-200:]) / len(offsets[-200:])


def test_short_pauses():
    figures = {}
    for name in ("without", "with"):
        settle()
        hostd = None
        if name == "with":
            hostd = subprocess.Popen([HOSTD, "-d", "unsynchronized-threshold 100ms"],
                                     stderr=open("/run/hostd.log", "wb"))
            stage.until(20, lambda: '"verified"' in stage.run(VMTIME, "guests", "--json").stdout)
        figures[name] = pauses()
        print("     %s hostd: mean %.1f ms, worst %.1f ms, at the end %.1f ms" % (
            name, *(figure * 1e3 for figure in figures[name])))
        if hostd:
            print(stage.run(VMTIME, "guests").stdout, stage.read("/run/hostd.log")[-600:])
            hostd.kill()
    # What the same twenty pauses do differs by a tenth or so from run to run.
    check("with hostd it is no worse on average",
          figures["with"][0] <= 1.15 * figures["without"][0] + 1e-3, figures)
    check("nor at the end", figures["with"][2] <= 1.15 * figures["without"][2] + 2e-3, figures)


if os.environ.get("VMTIME_STAGE") != "built":
    libvirt_stand.check_needs()
    libvirt_stand.need("chronyd", "chrony")
stage.enter(seconds=500)
libvirtd = libvirt_stand.Libvirtd()
image = libvirt_stand.image(
    "chrony", [libvirt_stand.need("qemu-ga", "qemu-guest-agent"),
               ("/sbin/hwclock", "/sbin/hwclock"),
               libvirt_stand.need("chronyd", "chrony"), GUEST_TIME],
    files={"/etc/chrony.conf": CONF}, start=START, guest_clock=GUEST_CLOCK)
guest = libvirt_stand.Guest("one", image, devices=PORT)
guest.start()
guest.wait_for_agent()
threading.Thread(target=tell_time, daemon=True).start()
stage.finish(test_short_pauses)
