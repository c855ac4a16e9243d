#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agent.py VMTIMED VMTIME PLAY.SO - vmtimed as its guest's agent

The port is a pseudo terminal, the clocks are played.  What is answered is held against a real
qemu-ga, where one is installed, byte for byte; that one may not touch anything (its list of commands
is cut down to those that only talk).
"""

import json
import os
import shutil
import subprocess
import time

import stage
import play
from stage import check

stage.enter(seconds=110)

os.makedirs("/dev/pts", exist_ok=True)
subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", "/dev/pts"],
               check=True)
if not os.path.exists("/dev/ptmx"):
    os.symlink("pts/ptmx", "/dev/ptmx")

PORT = "/dev/virtio-ports/org.qemu.guest_agent.0"
BLOCKED = ("guest-set-time,guest-shutdown,guest-suspend-disk,guest-suspend-ram,guest-suspend-hybrid,"
           "guest-exec,guest-exec-status,guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,"
           "guest-fsfreeze-thaw,guest-fstrim,guest-file-open,guest-file-write,"
           "guest-set-user-password,guest-set-vcpus,guest-set-memory-blocks,"
           "guest-ssh-add-authorized-keys,guest-ssh-remove-authorized-keys")


class Host:
    """The host's end of the port."""

    def __init__(self):
        self.fd, self.guest = os.openpty()
        self.path = os.ttyname(self.guest)
        os.set_blocking(self.fd, False)

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        deadline = time.monotonic() + 20
        while data and time.monotonic() < deadline:
            try:
                data = data[os.write(self.fd, data):]
            except BlockingIOError:
                time.sleep(0.002)

    def hear(self, seconds=3.0, lines=1):
        """What came until there were so many @lines."""
        heard, until = b"", time.monotonic() + seconds
        while heard.count(b"\n") < lines and time.monotonic() < until:
            try:
                heard += os.read(self.fd, 65536)
            except BlockingIOError:
                time.sleep(0.001)
        return heard

    def ask(self, command, seconds=4.0, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.send(json.dumps(request))
        heard = self.hear(seconds)
        return json.loads(heard) if heard else None

    def close(self):
        os.close(self.fd)
        os.close(self.guest)


def opened(host, *directives, **options):
    return play.Daemon(f"agent {host.path}", *directives, **options)


def now_ns(daemon):
    """What the played system clock shows."""
    raw = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    return raw + daemon.play["host_ns"] + int(daemon.error() * 1e9)


def settle(daemon):
    # Before that the terminal echoes.
    daemon.says("answering as guest agent")
    stage.until(5, lambda: abs(daemon.error()) < 1e-6)


# What both are asked, with the number of lines that come back.
ALIKE = (
    (b'{"execute":"guest-ping"}', 1),
    (b'{"execute":"guest-ping","id":7}\n', 1),
    (b' {"execute":"guest-ping","id":{"a":[1,"x"]}}\r\n', 1),
    (b'{"execute":"guest-ping","id":"\\u00e4\\n"}', 1),
    (b'\xff{"execute":"guest-sync-delimited","arguments":{"id":12345}}\n', 2),
    (b'{"execute":"guest-sync","arguments":{"id":-9}}', 1),
    (b'{"execute":"guest-sync","arguments":{"id":9223372036854775807},"id":1}', 1),
    (b'{"execute":"guest-sync"}', 1),
    (b'{"execute":"guest-sync","arguments":{"id":"x"}}', 1),
    (b'{"execute":"guest-sync","arguments":{"id":1,"y":2}}', 1),
    (b'{"execute":"nix"}', 1),
    (b'{"exec":1}', 1),
    (b'{}', 1),
    (b'[]', 1),
    (b'{"execute":"guest-ping","zz":1}', 1),
    (b'{"execute":5}', 1),
    (b'{"execute":"guest-ping","arguments":5}', 1),
    (b'{"execute":"guest-ping","arguments":{"a":1}}', 1),
    (b'{"execute":"guest-ping","execute":"guest-sync"}', 1),
    (b'{"execute":"guest-ping"}{"execute":"guest-ping","id":2}', 2),
    (b'\xff\xff{"execute":"guest-ping"}', 3),
)


def qemu_ga():
    """A real one on a pseudo terminal of its own; None where there is none."""
    program = shutil.which("qemu-ga", path="/usr/sbin:/usr/bin")
    if not program:
        return None, None
    host = Host()
    option = "--block-rpcs" if "--block-rpcs" in subprocess.run(
        [program, "--help"], capture_output=True, text=True).stdout else "--blacklist"
    agent = subprocess.Popen([program, "-m", "isa-serial", "-p", host.path, "-t", "/run",
                              "-f", "/run/qemu-ga.pid", f"{option}={BLOCKED}"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return agent, host


def test_answers_are_those_of_qemu_ga():
    ours = Host()
    agent, theirs = qemu_ga()
    with opened(ours) as daemon:
        settle(daemon)
        if not agent:
            print("skip: comparing with qemu-ga, which is not installed")
            return
        try:
            theirs.send('{"execute":"guest-ping"}')
            check("qemu-ga answers", theirs.hear() == b'{"return": {}}\n')
            for request, lines in ALIKE:
                ours.send(request)
                theirs.send(request)
                got, want = ours.hear(lines=lines), theirs.hear(lines=lines)
                check(f"{request} is answered as by qemu-ga", got == want, (got, want))
        finally:
            agent.terminate()
            agent.wait()
            theirs.close()
    ours.close()


def test_info_and_time():
    host = Host()
    with opened(host) as daemon:
        settle(daemon)
        info = host.ask("guest-info")["return"]
        commands = {c["name"] for c in info["supported_commands"] if c["enabled"]}
        check("guest-info names what can be asked", {
            "guest-ping", "guest-sync", "guest-sync-delimited", "guest-info", "guest-get-time",
            "guest-set-time", "vmtime-nudge", "vmtime-status", "vmtime-host-quality"} == commands, info)
        check("and a version", info["version"].count(".") >= 1, info)
        before = now_ns(daemon)
        shows = host.ask("guest-get-time")["return"]
        check("guest-get-time", before <= shows <= now_ns(daemon), (before, shows))
    host.close()


def test_setting_with_a_source_is_a_reading():
    host = Host()
    with opened(host) as daemon:
        settle(daemon)
        for seconds in (10, -7):
            daemon.play.jump(seconds)
            began = time.monotonic()
            reply = host.ask("guest-set-time", time=now_ns(daemon) + seconds * 10**9)
            check("the right time is confirmed", reply == {"return": {}}, reply)
            check("at once", time.monotonic() - began < 0.5, time.monotonic() - began)
            check("by the source, not by what was asked", abs(daemon.error()) < 1e-6, daemon.error())
        steps = daemon.play["steps"]
        reply = host.ask("guest-set-time", time=now_ns(daemon) + 3600 * 10**9)
        check("a wrong time is an error that names the source", "ptp0" in reply["error"]["desc"]
              and "behind" in reply["error"]["desc"], reply)
        check("and changes nothing", daemon.play["steps"] == steps and abs(daemon.error()) < 1e-6)
        daemon.play.jump(3)
        check("without a time it is a reading, too", host.ask("guest-set-time") == {"return": {}})
        check("which sets it right", abs(daemon.error()) < 1e-6, daemon.error())
        # A line's end behind a request that waits is all that is left to read: not to be forgotten.
        host.send('{"execute":"guest-set-time"}\n')
        host.hear()
        began = time.monotonic()
        host.send('{"execute":"guest-ping"}\n')
        host.hear()
        check("the next one is answered at once", time.monotonic() - began < 0.3,
              time.monotonic() - began)
        reply = host.ask("guest-set-time", time="now")
        check("a time is a number", "expected: integer" in reply["error"]["desc"], reply)
        # In order, one at a time: what comes behind a request that waits, waits.
        daemon.play.jump(5)
        host.send(b'{"execute":"guest-set-time","id":1}{"execute":"guest-ping","id":2}')
        check("answers keep their order",
              host.hear(lines=2) == b'{"return": {}, "id": 1}\n{"return": {}, "id": 2}\n')
    host.close()


def test_setting_without_a_source_is_believed():
    play.hide(0)
    host = Host()
    with opened(host, "hostclock off") as daemon:
        daemon.says("answering as guest agent")
        reply = host.ask("guest-set-time", time=now_ns(daemon) + 3600 * 10**9)
        check("a sane time is believed", reply == {"return": {}}, reply)
        check("and the clock is there", abs(daemon.error() - 3600) < 0.1, daemon.error())
        check("by one step", daemon.play["steps"] == 1)
        check("which the log tells", daemon.says("told by the host"), daemon.log())
        for wrong in (0, -1, 2**62, 1577836800 * 10**9):
            reply = host.ask("guest-set-time", time=wrong)
            check(f"{wrong} is not", "not believed" in reply["error"]["desc"], reply)
        reply = host.ask("guest-set-time")
        check("no time and no source is an error", "no time was given" in reply["error"]["desc"], reply)
        check("and nothing moved", daemon.play["steps"] == 1)
    with play.Daemon(f"agent {host.path}", "hostclock off", "resume ignore") as daemon:
        daemon.says("answering as guest agent")
        reply = host.ask("guest-set-time", time=now_ns(daemon) + 3600 * 10**9)
        check("where it is to be left, the answer says so", "not set" in reply["error"]["desc"], reply)
        check("and it is left", daemon.play["steps"] == 0)
    host.close()
    play.show(0)


def test_what_only_vmtimed_has():
    host = Host()
    with opened(host) as daemon:
        settle(daemon)
        daemon.play.jump(10)
        reply = host.ask("vmtime-nudge", reason="migration")
        check("a nudge", reply == {"return": {"is_delayed": False}}, reply)
        check("is a reading at once", daemon.is_right(seconds=0.7) is not None)
        check("with its cause", daemon.says('cause="migrated"'), daemon.log())
        reply = host.ask("vmtime-status")
        check("the status", reply["return"]["state"] == "ok" and reply["return"]["bound_ns"] > 0, reply)
        reply = host.ask("vmtime-host-quality", daemon="chronyd", is_synchronized=True,
                         root_distance_ns=5000000, leap="normal")
        check("the host's quality", reply == {"return": {"valid_ns": 300 * 10**9}}, reply)
        status = json.loads(stage.vmtime("status", "--json").stdout)
        check("is shown", status["host_quality"]["daemon"] == "chronyd", status)
        reply = host.ask("vmtime-nudge", time=1)
        check("a nudge carries no time", '"time" is not known' in reply["error"]["desc"], reply)
    host.close()


def resident_kb(daemon):
    with open(f"/proc/{daemon.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4


def test_bad_input():
    host = Host()
    with opened(host) as daemon:
        settle(daemon)
        before = resident_kb(daemon)
        host.send(b'{"execute":"guest-pi')
        check("half a request is waited for", host.hear(seconds=0.3) == b"")
        host.send(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":1}}')
        heard = host.hear(lines=2)
        check("0xFF throws it away", heard.endswith(b'\n\xff{"return": 1}\n'), heard)
        host.send(b"[" * 10000 + b"\n")
        check("too deep", b"nesting" in host.hear())
        host.send(b'{"a":"' + b"x" * (8 << 20) + b'"}\n')
        check("too long", b"size limit" in host.hear(seconds=20))
        host.send(bytes(range(128, 255)) * 40 + b'\n{"execute":"guest-ping"}\n')
        heard = host.hear(lines=2)
        check("garbage is answered once, and passed over", heard.count(b'"error":') == 1
              and heard.endswith(b'{"return": {}}\n'), heard)
        for size in range(1, 60, 7):
            for byte in b'{"execute":"guest-ping","id":%d}' % size:
                host.send(bytes([byte]))
            check("byte by byte", host.hear() == b'{"return": {}, "id": %d}\n' % size)
        # A host that only asks: what it does not take is not made.
        host.send(b'{"execute":"guest-info"}' * 2000)
        time.sleep(0.5)
        check("memory is what it was", resident_kb(daemon) - before < 256, (before, resident_kb(daemon)))
        check("the clock is kept", abs(daemon.error()) < 1e-6 and
              daemon.play["steps"] == 0, daemon.play["steps"])
    host.close()


def test_configuration():
    for where in ("/tmp/x", "vsock", "vsock:80", "vsock:x", "on", "/dev/"):
        result = subprocess.run([stage.VMTIMED, "-p", f"agent {where}"], capture_output=True, text=True)
        check(f"agent {where} is refused", result.returncode != 0 and "agent" in result.stderr, result)
    with play.Daemon("agent /dev/null") as daemon:
        check("an agent's port that ends at once does no harm", daemon.is_right() is not None)
    with play.Daemon("agent /dev/not-there") as daemon:
        check("nor one that is not there", daemon.is_right() is not None)


def uncover():
    """/usr and /etc may be changed: by what only this stage sees."""
    for folder in ("/usr", "/etc/systemd"):
        if not os.path.isdir(folder):
            continue
        layer = "/run/layer" + folder.replace("/", "-")
        os.makedirs(layer + "/upper")
        os.makedirs(layer + "/work")
        result = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={folder},upperdir={layer}/upper,workdir={layer}/work", folder],
            capture_output=True, text=True)
        if result.returncode != 0:
            return False
    subprocess.run("rm -f /usr/sbin/qemu-ga /usr/bin/qemu-ga /etc/init.d/qemu-guest-agent "
                   "/usr/lib/systemd/system/qemu-g*a* /lib/systemd/system/qemu-g*a* "
                   "/etc/systemd/system/qemu-guest-agent.service", shell=True, check=True)
    return True


def test_auto():
    if not uncover():
        print("skip: agent auto: /usr cannot be covered by an overlay here")
        return
    host = Host()
    os.makedirs(os.path.dirname(PORT), exist_ok=True)
    os.symlink(host.path, PORT)
    with play.Daemon("agent auto") as daemon:
        check("auto takes the port", daemon.says("answering as guest agent on " + PORT), daemon.log())
        check("and answers", host.ask("guest-ping") == {"return": {}})
        os.makedirs("/usr/sbin", exist_ok=True)
        stage.write("/usr/sbin/qemu-ga", "")
        check("qemu-ga is installed: the port is given back", stage.until(
            8, lambda: daemon.says("/usr/sbin/qemu-ga is installed")), daemon.log())
        check("and nobody answers", host.ask("guest-ping", seconds=0.5) is None)
        os.unlink("/usr/sbin/qemu-ga")
        check("it is removed: taken again", stage.until(
            8, lambda: len(daemon.lines("answering as guest agent")) == 2), daemon.log())
    os.unlink(PORT)
    host.close()


def test_vsock():
    play.show_vsock()
    with play.Daemon("agent vsock:9533") as daemon:
        check("on vsock", daemon.says("vsock port 9533"), daemon.log())
        with play.vsock(port=9533) as host:
            host.sendall(b'{"execute":"guest-ping"}')
            check("the host is answered", host.recv(100) == b'{"return": {}}\n')
            with play.vsock(port=9533, peer_port=1000) as second:
                check("one at a time", second.recv(1) == b"")
            host.sendall(b'{"execute":"guest-ping","id":1}')
            check("who was there stays", host.recv(100) == b'{"return": {}, "id": 1}\n')
        for cid, port in ((1, 1023), (3, 1023), (2, 1024)):
            with play.vsock(cid, port, 9533) as other:
                try:
                    heard = other.recv(1)
                except ConnectionError:
                    heard = b""
                check(f"CID {cid} port {port} is closed", heard == b"", heard)
        with play.vsock(port=9533) as host:
            host.sendall(b'{"execute":"guest-ping"}')
            check("and the host again", host.recv(100) == b'{"return": {}}\n')


play.show(0)
stage.finish(test_answers_are_those_of_qemu_ga, test_info_and_time,
             test_setting_with_a_source_is_a_reading, test_setting_without_a_source_is_believed,
             test_what_only_vmtimed_has, test_bad_input, test_configuration, test_auto, test_vsock)
