# SPDX-License-Identifier: Apache-2.0
"""stage.py - a machine of its own for tests of the real programs

    import stage
    stage.enter(seconds=60)         # from here on: our own /run, /etc, /dev, /proc, /var/lib
    def test_something():
        with stage.Daemon("-x") as daemon:
            stage.check("what is claimed", daemon.log() == "...", detail)
    stage.finish(test_something, ...)

The script gets the paths of vmtimed and vmtime as its first two arguments.  enter() starts it
again in mount, process and network namespaces of its own, where it is process 1: whatever it starts
ends with it, nothing that it writes is seen outside, and no device, daemon or network of the machine
is seen inside, but for a loopback of its own.  It needs root and says so (exit 77) where that cannot be had.

The machine's clock is the one thing that has no namespace.  So a Daemon has no right to set it
unless a test asks for the right (which it does with -x only), and a start that has to be refused is
made under a filter that kills it at the first system call which so much as looks at the clock's
settings: see refused().
"""

import ctypes
import errno
import fcntl
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

VMTIMED, VMTIME = (os.path.abspath(path) for path in sys.argv[1:3])
RUN = "/run/vmtime"
SOCKET = RUN + "/vmtimed.sock"
PIDFILE = RUN + "/vmtimed.pid"
CONFIGURATION = "/etc/vmtime/vmtime.conf"
USER, UID, GID = "vmtime", 890, 891
CAP_SYS_TIME = 25
CAP_SYS_TIME_MASK = 1 << CAP_SYS_TIME

SYSTEM_CALLS = {  # adjtimex, clock_adjtime, clock_settime, settimeofday
    "x86_64": (0xC000003E, (159, 305, 227, 164)),
    "aarch64": (0xC00000B7, (171, 266, 112, 170)),
    "riscv64": (0xC00000F3, (171, 266, 112, 170)),
}

PR_SET_SECCOMP, PR_CAPBSET_DROP = 22, 24

_libc = ctypes.CDLL(None, use_errno=True)
_failures = []


def skip(reason):
    print("skip:", reason)
    sys.exit(77)


def _mount(source, target, kind=None, flags=0, options=None):
    if _libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags,
                   options and options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def _bind(source, target):
    _mount(source, target, flags=4096)


def mount_small(folder):
    """A file system with room for 64 KiB."""
    _mount("stage", folder, "tmpfs", options="size=64k,mode=755")


def hide_file(path):
    """In its place there is an empty one, which is of no use."""
    _bind("/dev/null", path)


def unmount(folder):
    if _libc.umount2(folder.encode(), 0) != 0:
        raise OSError(ctypes.get_errno(), f"umount {folder}")


def _raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0x1 | 0x40)  # up, running
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def _build():
    """The folders of the stage, each a tmpfs; only /usr and what hangs on it is the machine's."""
    for folder in ("/run", "/var/lib"):
        _mount("stage", folder, "tmpfs", options="mode=755")
    etc = "/run/etc"
    os.mkdir(etc)
    for name in ("ld.so.cache", "ld.so.conf", "nsswitch.conf", "localtime"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, etc)
    for name, lines in (("passwd", ("root:x:0:0::/:/bin/sh",
                                    f"{USER}:x:{UID}:{GID}::/:/usr/sbin/nologin")),
                        ("group", ("root:x:0:", f"{USER}:x:{GID}:"))):
        write(f"{etc}/{name}", "\n".join(lines) + "\n")
    os.mkdir(etc + "/vmtime")
    _bind(etc, "/etc")
    # No clock of the machine is seen, nor its vsock, whose ports have no namespace.
    for folder in ("/sys/class/ptp", "/sys/class/misc"):
        if os.path.isdir(folder):
            _mount("stage", folder, "tmpfs", options="mode=755")

    _raise_loopback()
    dev = "/run/dev"
    os.mkdir(dev)
    for name in ("null", "zero", "full", "random", "urandom"):
        os.mknod(f"{dev}/{name}", 0o020666, os.stat("/dev/" + name).st_rdev)
        os.chmod(f"{dev}/{name}", 0o666)
    os.symlink("/proc/self/fd", dev + "/fd")
    _bind(dev, "/dev")


def mount_read_only(folder):
    """For preexec_fn, in namespaces of the new process's own: nothing can be written there."""
    if _libc.unshare(0x00020000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("none", folder, flags=4096 | 32 | 1)  # bind, remount, read-only


def enter(seconds):
    """Goes on in namespaces of its own, for at most @seconds."""
    sys.stdout.reconfigure(line_buffering=True)
    if os.environ.get("VMTIME_STAGE") == "built":
        signal.alarm(0)
        try:
            _build()
        except OSError as error:
            skip(f"no stage can be built here: {error}")
        signal.signal(signal.SIGALRM, lambda *_: _end(f"not done after {seconds} s"))
        signal.alarm(seconds)
        return
    if os.geteuid() != 0:
        skip("needs root, for namespaces and users of its own")
    if not shutil.which("unshare"):
        skip("there is no unshare (util-linux)")
    prefix = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc",
              "--propagation", "private"]
    tried = subprocess.run(prefix + ["true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        skip(f"namespaces are not allowed here: {tried.stderr.strip()}")
    os.environ["VMTIME_STAGE"] = "built"
    os.execvp("unshare", prefix + [sys.executable, *sys.argv])


def _end(why):
    print("FAIL", why)
    os._exit(1)


def check(what, is_true, detail=""):
    print("ok  " if is_true else "FAIL", what)
    if not is_true:
        _failures.append(what)
        print(detail)
    return is_true


def finish(*tests):
    for test in tests:
        print(f"-- {test.__name__}")
        test()
    print(f"{len(_failures)} failed")
    sys.exit(1 if _failures else 0)


def write(path, text):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read().decode(errors="replace")


def exists(*paths):
    return [path for path in paths if os.path.lexists(path)]


def clear():
    """What an earlier daemon left in /run is gone, as after a boot."""
    for folder in exists(RUN, "/run/chrony"):
        shutil.rmtree(folder)


def until(seconds, claim):
    """The first true value of @claim(), or its last one after @seconds."""
    end = time.monotonic() + seconds
    while True:
        value = claim()
        if value or time.monotonic() >= end:
            return value
        time.sleep(0.01)


def is_alive(pid):
    """Runs, and is not only waiting for somebody to take notice of its end."""
    try:
        return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in read(f"/proc/{pid}/status").splitlines())}


def drop_clock_right():
    """For preexec_fn: what is executed next cannot set the clock, though it be root."""
    if _libc.prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")


def kill_at_clock_call():
    """For preexec_fn: what is executed next dies of SIGSYS at a look at the clock's settings."""
    architecture, numbers = SYSTEM_CALLS[platform.machine()]

    def code(operation, jump_true, jump_false, value):
        return struct.pack("HBBI", operation, jump_true, jump_false, value)

    program = [code(0x20, 0, 0, 4), code(0x15, 1, 0, architecture), code(0x06, 0, 0, 0x80000000),
               code(0x20, 0, 0, 0)]
    for number in numbers:
        program += [code(0x15, 0, 1, number), code(0x06, 0, 0, 0x80000000)]
    program.append(code(0x06, 0, 0, 0x7FFF0000))
    filters = ctypes.create_string_buffer(b"".join(program))
    handed = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program), ctypes.addressof(filters)))
    if _libc.prctl(PR_SET_SECCOMP, 2, handed, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


def run(*command, **options):
    options.setdefault("timeout", 30)
    options.setdefault("errors", "replace")
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **options)


def vmtime(*arguments, **options):
    return run(VMTIME, *arguments, **options)


def vmtimed(*arguments, **options):
    """vmtimed where it ends by itself, without the right to set the clock."""
    options.setdefault("preexec_fn", drop_clock_right)
    return run(VMTIMED, *arguments, **options)


def refused(*arguments, **options):
    """vmtimed without -x, which must end before it even looks at the clock's settings."""
    if platform.machine() not in SYSTEM_CALLS:
        skip(f"no filter for {platform.machine()}, without which the clock is not safe")
    return run(VMTIMED, *arguments, preexec_fn=kill_at_clock_call, **options)


class Daemon:
    """`vmtimed -d -x ARGUMENT...`, up when the block begins, gone when it has ended."""

    count = 0

    def __init__(self, *arguments, may_set_clock=False, environment=None, prefix=(),
                 preexec=None, first=("-d",)):
        Daemon.count += 1
        self.path = f"/run/log.{Daemon.count}"
        self.process = None
        self.command = [*prefix, VMTIMED, *first, "-x", *arguments]
        self.environment = {**os.environ, **(environment or {})}
        self.prepare = [function for function in
                        (None if may_set_clock else drop_clock_right, preexec) if function]

    def __enter__(self):
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, preexec_fn=lambda: [f() for f in self.prepare])
        if not until(10, lambda: self.is_up() or self.process.poll() is not None):
            check(f"{self.command} starts", False, self.log())
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        clear()

    @property
    def pid(self):
        return self.process.pid

    def is_up(self):
        return " started" in self.log() and os.path.exists(SOCKET)

    def log(self):
        return read(self.path)

    def says(self, words, seconds=3):
        return until(seconds, lambda: words in self.log())

    def lines(self, words):
        return [line for line in self.log().splitlines() if words in line]

    def end(self, number=signal.SIGTERM, seconds=1):
        """Its exit status after @number, or None where it goes on for @seconds."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def opener(self):
        """The pid of its helper, or None."""
        children = read(f"/proc/{self.pid}/task/{self.pid}/children").split()
        return int(children[0]) if children else None


def connect(path=SOCKET, seconds=5):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(seconds)
    try:
        client.connect(path)
    except OSError as error:
        client.close()
        raise OSError(error.errno or errno.EIO, f"connect {path}") from error
    return client
