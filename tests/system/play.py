# SPDX-License-Identifier: Apache-2.0
"""play.py - the stage with a host's clock and a system clock that are played

    import play                     # after stage.enter(); VMTIMED VMTIME PLAY.SO are the arguments
    with play.Daemon(host_ahead=0.5) as daemon:
        daemon.host.jump(10)
        ... daemon.error() is what the clock is off, in seconds ...

The daemon is the real one, without -x: play.c stands between it and the C library, and the filter
of stage.kill_at_clock_call ends it should any call reach the real clock.  Whoever cannot have that
filter skips.
"""

import mmap
import os
import platform
import shutil
import socket
import struct
import sys
import time

import stage

LIBRARY = os.path.abspath(sys.argv[3])
KVM = "KVM virtual PTP"
STA_UNSYNC = 0x40
CLASS = "/sys/class/ptp"
VSOCK_CLASS, VSOCK = "/sys/class/misc", "/run/vsock"

if platform.machine() not in stage.SYSTEM_CALLS:
    stage.skip(f"no filter for {platform.machine()}, without which the clock is not safe")
if b"__asan_init" in open(stage.VMTIMED, "rb").read():
    stage.skip("the played clock does not go together with a sanitizer's library")
if not os.path.isdir(CLASS):
    stage.skip(f"there is no {CLASS} to play a clock in")


def show(number, name=KVM):
    """A PTP clock appears as /dev/ptpNUMBER.  At most three, by the devices that play.c knows."""
    minor = (3, 8, 9)[number % 3]
    os.makedirs(f"{CLASS}/ptp{number}", exist_ok=True)
    stage.write(f"{CLASS}/ptp{number}/clock_name", name + "\n")
    stage.write(f"{CLASS}/ptp{number}/dev", f"1:{minor}\n")
    if not os.path.exists(f"/dev/ptp{number}"):
        os.mknod(f"/dev/ptp{number}", 0o020600, os.makedev(1, minor))


def hide(number):
    shutil.rmtree(f"{CLASS}/ptp{number}", ignore_errors=True)
    if os.path.exists(f"/dev/ptp{number}"):
        os.unlink(f"/dev/ptp{number}")


def show_rtc():
    """The RTC appears.  play.c knows it by its device too."""
    os.mknod("/dev/rtc0", 0o020600, os.makedev(1, 7))


def show_vsock():
    """The kernel has vsock: a folder of Unix sockets, each by its port."""
    if not os.path.isdir(VSOCK_CLASS):
        stage.skip(f"there is no {VSOCK_CLASS} to play vsock in")
    os.makedirs(VSOCK_CLASS + "/vsock", exist_ok=True)
    shutil.rmtree(VSOCK, ignore_errors=True)
    os.makedirs(VSOCK)
    os.chmod(VSOCK, 0o777)


def hide_vsock():
    shutil.rmtree(VSOCK_CLASS + "/vsock", ignore_errors=True)


def vsock(cid=2, peer_port=1023, port=9532, seconds=5):
    """A connection to the guest's @port that comes from @cid and @peer_port."""
    show_vsock.count = getattr(show_vsock, "count", 0) + 1
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(seconds)
    client.bind(f"{VSOCK}/{cid}:{peer_port}:{show_vsock.count}")
    client.connect(f"{VSOCK}/{port}")
    return client


class Play:
    """The two clocks.  Keep FIELDS in step with struct play."""

    FIELDS = ("host_ns", "answer", "step_back", "real_ns", "raw_ns", "tick", "freq", "status",
              "maxerror", "tai", "rtc_ns", "steps", "rates", "readings")

    def __init__(self, host_ahead=0.0, system_ahead=0.0, status=STA_UNSYNC, fast_ppm=0.0,
                 rtc_ahead=0.0):
        raw = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        real = time.time_ns()
        self.path = "/run/play"
        stage.write(self.path, bytes(8 * len(self.FIELDS)))
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8 * len(self.FIELDS))
        self["host_ns"] = real - raw + int(host_ahead * 1e9)
        self["real_ns"] = real + int(system_ahead * 1e9)
        self["raw_ns"] = raw
        self["rtc_ns"] = real - raw + int(rtc_ahead * 1e9)
        self["tick"] = 10000
        self["freq"] = int(fast_ppm * 65536)
        self["status"] = status

    def __getitem__(self, name):
        return struct.unpack_from("q", self.map, 8 * self.FIELDS.index(name))[0]

    def __setitem__(self, name, value):
        struct.pack_into("q", self.map, 8 * self.FIELDS.index(name), value)

    def jump(self, seconds):
        """The host's clock is ahead by so much more: the guest was paused, or the host stepped."""
        self["host_ns"] += int(seconds * 1e9)

    def set_system(self, seconds):
        """Somebody else moves the system clock."""
        self["real_ns"] += int(seconds * 1e9)

    def rate_ppm(self):
        return (self["tick"] - 10000) * 100 + self["freq"] / 65536

    def error(self):
        """What the system clock is ahead of the host, in seconds."""
        raw = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        elapsed = raw - self["raw_ns"]
        system = self["real_ns"] + elapsed + int(elapsed * self.rate_ppm() / 1e6)
        return (system - raw - self["host_ns"]) / 1e9

    def is_synchronized(self):
        return not self["status"] & STA_UNSYNC


class Daemon(stage.Daemon):
    """vmtimed, steering the played clock."""

    def __init__(self, *arguments, play=None, environment=None, prefix=(), **options):
        self.play = play or Play(**options)
        super().__init__(*arguments, prefix=prefix, may_set_clock=True,
                         preexec=stage.kill_at_clock_call,
                         environment={**(environment or {}), "LD_PRELOAD": LIBRARY,
                                      "VMTIME_PLAY": self.play.path})
        self.command.remove("-x")

    def error(self):
        return self.play.error()

    def is_right(self, within=1e-3, seconds=3):
        """How long it takes until the clock is right; None if it does not get there."""
        began = time.monotonic()
        return stage.until(seconds, lambda: abs(self.error()) < within
                           and time.monotonic() - began + 1e-9)
