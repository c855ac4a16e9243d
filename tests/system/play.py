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


class Vmclock:
    """The page of a vmclock device, which is there as long as the file is: /dev/vmclock0."""

    PATH, DEVICE = "/run/play.vmclock", "/dev/vmclock0"
    NOTIFIES, HAS_GENERATION = 1 << 9, 1 << 8
    AT = {"magic": (0, "I"), "size": (4, "I"), "version": (8, "H"), "counter": (10, "B"),
          "time_type": (11, "B"), "sequence": (12, "I"), "marker": (16, "Q"), "flags": (24, "Q"),
          "status": (0x22, "B"), "utc_minus_tai": (0x24, "h"), "leap": (0x26, "B"),
          "period_shift": (0x27, "B"), "counter_value": (0x28, "Q"), "period": (0x30, "Q"),
          "period_error": (0x40, "Q"), "time_s": (0x48, "Q"), "time_fraction": (0x50, "Q"),
          "time_error_ns": (0x60, "Q"), "generation": (0x68, "Q")}

    def __init__(self, **fields):
        stage.write(self.PATH, bytes(4096))
        os.chmod(self.PATH, 0o666)
        with open(self.PATH, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)
        fields = {"magic": 0x4B4C4356, "size": 4096, "version": 1, "counter": 0xFF, "sequence": 2,
                  "marker": 1, **fields}
        for name, value in fields.items():
            self[name] = value
        self.show()

    def show(self):
        if not os.path.exists(self.DEVICE):
            os.mknod(self.DEVICE, 0o020600, os.makedev(1, 5))

    def hide(self):
        if os.path.exists(self.DEVICE):
            os.unlink(self.DEVICE)

    def end(self):
        self.hide()
        os.unlink(self.PATH)

    def __getitem__(self, name):
        at, kind = self.AT[name]
        return struct.unpack_from("<" + kind, self.map, at)[0]

    def __setitem__(self, name, value):
        at, kind = self.AT[name]
        struct.pack_into("<" + kind, self.map, at, value)

    def change(self, play=None, **fields):
        """As a host does: odd, the change, even; and it wakes up who waits."""
        self["sequence"] += 1
        for name, value in fields.items():
            self[name] = value
        self["sequence"] += 1
        if play:
            play.tell(".wake")


class Play:
    """The two clocks.  Keep FIELDS in step with struct play."""

    FIELDS = ("host_ns", "answer", "step_back", "real_ns", "raw_ns", "tick", "freq", "status",
              "maxerror", "tai", "rtc_ns", "slept_ns", "rtc_readings", "steps", "rates", "readings")

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
        for fifo in (".wake", ".set", ".uevent"):
            if not os.path.exists(self.path + fifo):
                os.mkfifo(self.path + fifo)
            os.chmod(self.path + fifo, 0o666)

    def tell(self, fifo, message=b"x"):
        """Through one of the FIFOs of play_devices.c; nothing where nobody has it open."""
        try:
            fd = os.open(self.path + fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        try:
            os.write(fd, message)
        except BlockingIOError:
            pass
        os.close(fd)

    def tell_generation(self):
        """The kernel's event about the VM generation id."""
        self.tell(".uevent", b"change@/devices/QEMUVGID:00\0ACTION=change\0NEW_VMGENID=1\0")

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
        self.tell(".set")

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

    def __init__(self, *arguments, play=None, environment=None, prefix=(), prepare=None,
                 **options):
        self.play = play or Play(**options)
        super().__init__(*arguments, prefix=prefix, may_set_clock=True,
                         preexec=stage.kill_at_clock_call,
                         environment={**(environment or {}), "LD_PRELOAD": LIBRARY,
                                      "VMTIME_PLAY": self.play.path})
        if prepare:
            self.prepare.insert(0, prepare)
        self.command.remove("-x")

    def error(self):
        return self.play.error()

    def is_right(self, within=1e-3, seconds=3):
        """How long it takes until the clock is right; None if it does not get there."""
        began = time.monotonic()
        return stage.until(seconds, lambda: abs(self.error()) < within
                           and time.monotonic() - began + 1e-9)
