# SPDX-License-Identifier: Apache-2.0
"""libvirt_stand.py - a real libvirtd with emulated guests, and a real qemu-ga in them

    import stage, libvirt_stand
    stage.enter(seconds=120)
    libvirtd = libvirt_stand.Libvirtd()     # skips where something is missing, and says what
    image = libvirt_stand.image("plain", programs=["/usr/sbin/qemu-ga"])
    guest = libvirt_stand.Guest("one", image)
    guest.start()
    guest.wait_for_agent()
    libvirt_stand.virsh("suspend", "one")
    guest.clock()                           # (offset, uncertainty) in seconds, offset > 0: behind

It stands on stage.py: own mount, process and network namespaces, in which libvirtd has /run,
/var/lib, /etc, its caches and logs for itself, no systemd, no virtlogd, no cgroups.  All of it
ends with the test.

Guests are emulated (type='qemu') and boot the lab's kernel with an initrd of busybox, the programs
that were asked for with their libraries, and an init that starts what `start` says.  Into every image
goes guest_clock.c on a port of its own, by which the host reads the guest's clock without any part
of what is tested.  A guest is up after five seconds or so.

VMTIME_LAB_CACHE says where the lab keeps kernel and busybox (tests/lab/fetch.sh).
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import stage

CACHE = os.environ.get("VMTIME_LAB_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/root", ".cache"),
    "vmtime-lab")
FETCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab", "fetch.sh")
FOLDER = "/run/stand"
AGENT_PORT = "org.qemu.guest_agent.0"
CLOCK_PORT = "vmtime.clock"
URI = "qemu:///system"

QEMU_CONF = """
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
clear_emulator_capabilities = 0
"""

LIBVIRTD_CONF = """
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "root"
log_level = 3
"""

# An emulated timer that is late on a busy machine makes a kernel panic ("IO-APIC + timer doesn't
# work") that is not told to leave it alone: no_timer_check.
DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 no_timer_check {cmdline}</cmdline>
  </os>
  <features><acpi/></features>
  <clock offset='utc'/>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>{emulator}</emulator>
    <serial type='file'><source path='{folder}/{name}.console'/></serial>
    <channel type='unix'><target type='virtio' name='{agent_port}'/></channel>
    <channel type='unix'>
      <source mode='bind' path='{folder}/{name}.clock'/>
      <target type='virtio' name='{clock_port}'/>
    </channel>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>
"""

# busybox does all but what was asked for.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /var/run /var/lib /dev/virtio-ports /sbin /usr/bin
for name in $(/bin/busybox --list); do
	[ -e /bin/$name ] || [ -e /sbin/$name ] || /bin/busybox ln -s busybox /bin/$name
done
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
	ln -s /dev/$(basename $port) /dev/virtio-ports/$(cat $port/name)
done
guest_clock /dev/virtio-ports/%s &
%s
echo "stand: up" >/dev/console
while :; do sleep 1000; done
"""

QEMU_GA = "qemu-ga -m virtio-serial -p /dev/virtio-ports/%s -t /run -d\n" % AGENT_PORT


def need(program, package):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/usr/lib/libvirt")
    if not path:
        stage.skip(f"there is no {program} (package {package})")
    return path


def check_needs():
    """Before stage.enter(), where the network can still be reached: fetches what the lab has."""
    if os.uname().machine != "x86_64":
        stage.skip(f"the guests are x86-64 machines, this is a {os.uname().machine} one")
    need("libvirtd", "libvirt-daemon-system")
    need("virsh", "libvirt-clients")
    need("qemu-ga", "qemu-guest-agent")
    # Not the lab's own, which lacks modules that libvirt asks for.
    need("qemu-system-x86_64", "qemu-system-x86")
    fetched = subprocess.run([FETCH, "tools", "kernel"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
    if fetched.returncode != 0:
        stage.skip("what the lab is made of cannot be had: "
                   + (fetched.stdout.strip().splitlines() or ["?"])[-1])


def _reap():
    """
    As process 1 we get the orphans that libvirt makes of QEMU, and it waits until they are gone for
    good.  They have sessions of their own, which our own children have not.
    """
    own = os.getsid(0)
    while True:
        for pid in map(int, stage.read("/proc/self/task/%d/children" % os.getpid()).split()):
            try:
                fields = stage.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
                if fields[0] == "Z" and int(fields[3]) != own:
                    os.waitpid(pid, os.WNOHANG)
            except OSError:
                pass
        time.sleep(0.02)


# --- libvirtd ------------------------------------------------------------------------------------

class Libvirtd:
    def __init__(self, settings=""):
        os.makedirs(FOLDER, exist_ok=True)
        for folder in ("/var/log/libvirt", "/var/cache/libvirt"):
            if os.path.isdir(folder):
                stage._mount("stage", folder, "tmpfs", options="mode=755")
        for folder in ("/etc/libvirt/qemu", "/var/log/libvirt/qemu", "/var/cache/libvirt/qemu",
                       "/var/lib/libvirt"):
            os.makedirs(folder, exist_ok=True)
        stage.write("/etc/libvirt/qemu.conf", QEMU_CONF)
        stage.write("/etc/libvirt/libvirtd.conf", LIBVIRTD_CONF + settings)
        # Debian's libvirt wants to know them, whatever qemu.conf says.
        for file, line in (("passwd", "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin"),
                           ("group", "libvirt-qemu:x:64055:"), ("group", "kvm:x:64056:")):
            stage.write("/etc/" + file, stage.read("/etc/" + file) + line + "\n")
        stage.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        os.makedirs("/dev/shm", exist_ok=True)
        self.program = need("libvirtd", "libvirt-daemon-system")
        self.process = None
        threading.Thread(target=_reap, daemon=True).start()
        self.start()

    def start(self):
        with open(FOLDER + "/libvirtd.log", "ab") as log:
            self.process = subprocess.Popen([self.program], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        if not stage.until(20, lambda: stage.run("virsh", "-c", URI, "list").returncode == 0):
            log = stage.read(FOLDER + "/libvirtd.log")
            stage.skip("libvirtd does not start here: " + (log.strip().splitlines() or ["?"])[-1])

    def kill(self, number=signal.SIGKILL):
        """libvirtd alone: its guests live on."""
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait()
            # Or the next one finds it in its way.
            for name in stage.exists("/run/libvirtd.pid"):
                os.unlink(name)

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def let_go(self):
        self.process.send_signal(signal.SIGCONT)


def virsh(*words, may_fail=False, timeout=60):
    done = stage.run("virsh", "-q", "-c", URI, *words, timeout=timeout)
    if done.returncode != 0 and not may_fail:
        stage.check(f"virsh {' '.join(words)}", False, done.stderr)
    return done


# --- images --------------------------------------------------------------------------------------

def _libraries(program):
    listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, check=False)
    return re.findall(r"(/[^ )]+)", listed.stdout) if listed.returncode == 0 else []


class _Archive:
    """An initrd as the kernel unpacks it ("newc"), not compressed."""

    def __init__(self):
        self.entries = {}

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | 0o755, b"")

    def add(self, path, content, mode=0o755):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFREG | mode, content)

    def copy(self, source, path=None):
        with open(source, "rb") as file:
            self.add(path or source, file.read())

    def program(self, source, path=None):
        self.copy(source, path or "/bin/" + os.path.basename(source))
        for library in _libraries(source):
            self.copy(library)

    def write(self, path):
        with open(path, "wb") as file:
            for number, (name, (mode, content)) in enumerate([*self.entries.items(),
                                                              ("TRAILER!!!", (0, b""))], 1):
                fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
                head = b"070701" + b"".join(b"%08X" % field for field in fields)
                head += name.encode() + b"\0"
                file.write(head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4))


def image(name, programs=(), files=None, start=QEMU_GA, guest_clock=None):
    """
    An initrd with @programs (paths, or (path, path in the guest)), each with its libraries, and
    @files ({path in the guest: text or bytes}).  @start is what init runs, in sh.  @guest_clock is the
    program of that name, by default beside the first argument of the test.  Returns its path.
    """
    archive = _Archive()
    archive.copy(CACHE + "/tools/busybox", "/bin/busybox")
    archive.program(guest_clock or find_guest_clock(), "/bin/guest_clock")
    for program in programs:
        archive.program(*(program if isinstance(program, tuple) else (program,)))
    for path, text in (files or {}).items():
        archive.add(path, text.encode() if isinstance(text, str) else text)
    # Where ld.so looks for what is not in its default folders.
    archive.add("/etc/ld.so.cache", open("/etc/ld.so.cache", "rb").read())
    archive.add("/etc/passwd", "root:x:0:0::/:/bin/sh\n".encode())
    archive.add("/init", (INIT % (CLOCK_PORT, start)).encode())
    path = f"{FOLDER}/{name}.initrd"
    archive.write(path)
    return path


def find_guest_clock():
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "guest_clock")


def disk(path):
    """What a Guest's @devices says of a disk in qcow2, which snapshots need."""
    return f"""<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
    <source file='{path}'/><target dev='vda' bus='virtio'/></disk>"""


def plain_image(has_hwclock, guest_clock=None):
    programs = [need("qemu-ga", "qemu-guest-agent")]
    if has_hwclock:
        hwclock = shutil.which("hwclock", path="/sbin:/usr/sbin")
        if not hwclock or os.path.islink(hwclock):
            stage.skip("there is no hwclock (package util-linux-extra)")
        programs.append((hwclock, "/sbin/hwclock"))
    return image("hwclock" if has_hwclock else "bare", programs, guest_clock=guest_clock)


# --- guests --------------------------------------------------------------------------------------

class Guest:
    def __init__(self, name, initrd, memory=160, devices="", cmdline=""):
        self.name = name
        self.stream = None
        self.xml = DOMAIN.format(
            name=name, memory=memory, kernel=CACHE + "/kernel/vmlinuz", initrd=initrd,
            cmdline=cmdline, emulator=need("qemu-system-x86_64", "qemu-system-x86"), folder=FOLDER, agent_port=AGENT_PORT,
            clock_port=CLOCK_PORT, devices=devices)
        self.file = stage.write(f"{FOLDER}/{name}.xml", self.xml)

    def define(self):
        virsh("define", self.file)

    def start(self, is_transient=False):
        if is_transient:
            virsh("create", self.file)
        else:
            self.define()
            virsh("start", self.name)

    def state(self):
        return virsh("domstate", self.name, may_fail=True).stdout.strip()

    def console(self):
        path = f"{FOLDER}/{self.name}.console"
        return stage.read(path) if os.path.exists(path) else ""

    def is_agent_up(self):
        return f"name='{AGENT_PORT}' state='connected'" in virsh(
            "dumpxml", self.name, may_fail=True).stdout

    def wait_for_agent(self, seconds=60):
        if not stage.until(seconds, self.is_agent_up):
            stage.check(f"the agent of {self.name} comes up", False, self.console()[-2000:])

    def hang_up(self):
        if self.stream:
            self.stream.close()
        self.stream = None

    def _ask(self):
        if not self.stream:
            self.stream = socket.socket(socket.AF_UNIX)
            self.stream.settimeout(1)
            self.stream.connect(f"{FOLDER}/{self.name}.clock")
        before = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.stream.send(b"?")
        line = b""
        while not line.endswith(b"\n"):
            got = self.stream.recv(64)
            if not got:
                raise OSError("hung up")
            line += got
        after = time.clock_gettime_ns(time.CLOCK_REALTIME)
        if line.count(b"\n") != 1:
            raise OSError("an answer from before")
        return ((before + after) // 2 - int(line)) / 1e9, (after - before) / 2e9, after

    def look(self):
        """(offset, uncertainty, host's clock in ns), or None where it does not answer."""
        try:
            return self._ask()
        except OSError:
            self.hang_up()
            return None

    def clock(self, seconds=10):
        """(offset, uncertainty) in seconds: positive, the guest is behind.  The best of five."""
        looks = []
        stage.until(seconds, lambda: looks.append(self.look()) or len([l for l in looks if l]) >= 5)
        looks = [look for look in looks if look]
        if not looks:
            stage.check(f"the clock of {self.name} answers", False, self.console()[-2000:])
            return (float("nan"), float("nan"))
        return min(looks, key=lambda look: look[1])[:2]

    def destroy(self):
        self.hang_up()
        virsh("destroy", self.name, may_fail=True)
