#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rights.py VMTIMED VMTIME - who the daemon is and what it may do"""

import os
import shutil
import signal
import subprocess

import stage
from stage import check

stage.enter(seconds=60)

DAC_OVERRIDE_MASK = 1 << 1
IS_SANITIZED = b"__asan_init" in open(stage.VMTIMED, "rb").read()


def capabilities(status):
    return [int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")]


def check_daemon(what, daemon, uid, gid):
    if not IS_SANITIZED:
        check(f"{what}: only the system calls that it needs", stage.until(
            1, lambda: stage.status_of(daemon.pid)["Seccomp"] == "2"))
    status = stage.status_of(daemon.pid)
    check(f"{what}: user and group", status["Uid"].split() == [str(uid)] * 4
          and status["Gid"].split() == [str(gid)] * 4, status)
    check(f"{what}: no other groups", status["Groups"] == "", status)
    check(f"{what}: may set the clock and nothing else", capabilities(status)
          == [0, stage.CAP_SYS_TIME_MASK, stage.CAP_SYS_TIME_MASK, 0, 0], status)
    check(f"{what}: no new privileges", status["NoNewPrivs"] == "1", status)
    answer = stage.vmtime(text=True)
    check(f"{what}: it answers", answer.returncode == 0, repr(answer))
    for path in (stage.RUN, "/var/lib/vmtime", stage.SOCKET):
        st = os.stat(path)
        check(f"{what}: owns {path}", (st.st_uid, st.st_gid) == (uid, gid), st)
    check(f"{what}: anybody may ask", os.stat(stage.SOCKET).st_mode & 0o777 == 0o666)
    check(f"{what}: only it may write there", os.stat(stage.RUN).st_mode & 0o7777 == 0o755)


def check_opener(what, daemon):
    opener = daemon.opener()
    if not check(f"{what}: there is an opener", opener is not None):
        return
    stage.until(1, lambda: stage.status_of(opener)["NoNewPrivs"] == "1")
    status = stage.status_of(opener)
    check(f"{what}: the opener is root", status["Uid"].split() == ["0"] * 4, status)
    check(f"{what}: it may open, and nothing else", capabilities(status)
          == [0, DAC_OVERRIDE_MASK, DAC_OVERRIDE_MASK, DAC_OVERRIDE_MASK, 0], status)
    check(f"{what}: it is called by its name", status["Name"] == "vmtimed-opener", status)
    files = {fd: os.readlink(f"/proc/{opener}/fd/{fd}") for fd in os.listdir(f"/proc/{opener}/fd")}
    check(f"{what}: it holds its socket and nothing of the daemon's", len(files) == 4
          and all(files[fd].endswith("/null") for fd in "012")
          and files["3"].startswith("socket:"), files)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(opener, number)
    check(f"{what}: signals for the daemon do not end it",
          not stage.until(0.2, lambda: not stage.is_alive(opener)))


def test_users():
    for what, arguments, uid, gid in (
            ("nothing said", [], stage.UID, stage.GID),
            ("a name", ["-u", stage.USER], stage.UID, stage.GID),
            ("a number", ["-u", "12345"], 12345, 12345),
            ("two numbers", ["-u", "12345:54321"], 12345, 54321),
            ("by the configuration", ["user 4711"], 4711, 4711)):
        with stage.Daemon(*arguments, may_set_clock=True) as daemon:
            check_daemon(what, daemon, uid, gid)
            check_opener(what, daemon)
            check(f"{what}: ends in order", daemon.end() == 0
                  and not stage.exists(stage.SOCKET, stage.PIDFILE), daemon.log())


def test_root():
    for arguments in (["-u", "root"], ["-u", "0"], ["user root"]):
        with stage.Daemon(*arguments, may_set_clock=True) as daemon:
            status = stage.status_of(daemon.pid)
            check(f"{arguments}: root stays root, without a helper",
                  status["Uid"].split() == ["0"] * 4 and daemon.opener() is None, status)
            check(f"{arguments}: it answers", stage.vmtime().returncode == 0)
            check(f"{arguments}: ends in order", daemon.end() == 0
                  and not stage.exists(stage.SOCKET, stage.PIDFILE), daemon.log())


def test_unknown_users():
    for user, words in (("nobody-at-all", "user nobody-at-all does not exist: create it"),
                        ("-1", "neither a name"), ("12345:", "neither a name"),
                        ("4294967295", "neither a name"), ("1:2:3", "neither a name"),
                        ("", "neither a name")):
        result = stage.vmtimed("-d", "-x", "-u", user, text=True)
        check(f"user {user!r} is refused", result.returncode == 1 and words in result.stderr
              and not stage.exists(stage.SOCKET, stage.PIDFILE), repr(result))
    users = stage.read("/etc/passwd")
    stage.write("/etc/passwd", users.splitlines()[0] + "\n")
    result = stage.vmtimed("-d", "-x", text=True)
    check("no user vmtime: what to do", result.returncode == 1 and "user vmtime does not exist"
          in result.stderr and "useradd" in result.stderr and "-u root" in result.stderr,
          repr(result))
    stage.write("/etc/passwd", users)


def test_killed_daemon():
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with stage.Daemon(may_set_clock=True) as daemon:
            opener = daemon.opener()
            daemon.end(number)
            check(f"the opener ends after signal {number} to the daemon",
                  opener and stage.until(1, lambda: not stage.is_alive(opener)))
            left = stage.exists(stage.SOCKET, stage.PIDFILE)
            with stage.Daemon() as another:
                check(f"what it left, {left}, is no obstacle", len(left) == 2
                      and stage.vmtime().returncode == 0, another.log())


def test_daemon_without_its_opener():
    with stage.Daemon("refclock PHC /dev/ptp7") as daemon:
        os.kill(daemon.opener(), signal.SIGKILL)
        check("the daemon lives without its opener", not stage.until(
            1.5, lambda: stage.vmtime().returncode != 0), daemon.log())
        check("and ends in order", daemon.end() == 0, daemon.log())


def setpriv(*options):
    if not shutil.which("setpriv"):
        stage.skip("there is no setpriv (util-linux)")
    return ["setpriv", *options]


def test_no_right_to_the_clock():
    """Said before anything is touched: under the filter that kills whoever looks at the clock."""
    for what, prefix in (
            ("dropped from the bounding set", setpriv("--bounding-set", "-sys_time")),
            ("an ordinary user", setpriv("--reuid=65534", "--regid=65534", "--clear-groups"))):
        for arguments in (["-d"], ["-q"], ["-n"], []):
            result = stage.run(*prefix, stage.VMTIMED, *arguments, text=True,
                               preexec_fn=stage.kill_at_clock_call)
            check(f"{what}, {arguments}: refused, -x suggested", result.returncode == 1
                  and "CAP_SYS_TIME is missing" in result.stderr and "-x" in result.stderr
                  and not stage.exists(stage.SOCKET, stage.PIDFILE), repr(result))
    with stage.Daemon(prefix=setpriv("--bounding-set", "-sys_time")) as daemon:
        status = stage.status_of(daemon.pid)
        check("with -x it runs without any right", capabilities(status) == [0] * 5
              and stage.vmtime().returncode == 0, status)


def test_user_namespace():
    """Root of a container has the capability, and it is worth nothing."""
    prefix = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*prefix, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        print("here no user namespaces are allowed: that part is left out")
        return
    result = stage.run(*prefix, stage.VMTIMED, "-d", text=True,
                       preexec_fn=stage.kill_at_clock_call)
    check("root of a container is refused, -x suggested", result.returncode == 1
          and "container" in result.stderr and "-x" in result.stderr, repr(result))
    with stage.Daemon("-u", "root", prefix=prefix) as daemon:
        check("with -x it runs there", stage.vmtime().returncode == 0, daemon.log())


def test_ambient_capability():
    """A service manager may start it as the user, with the one right: nothing is left to drop."""
    os.makedirs(stage.RUN, exist_ok=True)
    os.chown(stage.RUN, stage.UID, stage.GID)
    prefix = setpriv(f"--reuid={stage.UID}", f"--regid={stage.GID}", "--clear-groups",
                     "--inh-caps=+sys_time", "--ambient-caps=+sys_time")
    with stage.Daemon(prefix=prefix, may_set_clock=True) as daemon:
        check("it answers", stage.vmtime().returncode == 0, daemon.log())
        status = stage.status_of(daemon.pid)
        check("it may set the clock and nothing else, and gives nothing on", capabilities(status)
              [:3] == [0, stage.CAP_SYS_TIME_MASK, stage.CAP_SYS_TIME_MASK]
              and capabilities(status)[4] == 0 and status["NoNewPrivs"] == "1", status)
        check("it ends in order", daemon.end() == 0, daemon.log())


stage.finish(test_users, test_root, test_unknown_users, test_killed_daemon,
             test_daemon_without_its_opener, test_no_right_to_the_clock, test_user_namespace,
             test_ambient_capability)
