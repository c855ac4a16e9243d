#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lifecycle.py VMTIMED VMTIME - start and end of the daemon, and its command line"""

import os
import re
import signal
import socket
import time

import stage
from stage import check

stage.enter(seconds=60)

NOTHING = 'there is no PTP clock called "KVM virtual PTP"'


def test_start_and_stop():
    for number in (signal.SIGTERM, signal.SIGINT):
        with stage.Daemon() as daemon:
            result = stage.vmtime(text=True)
            check("status says what is missing", result.returncode == 0
                  and NOTHING in result.stdout and "only watches" in result.stdout, repr(result))
            check("the pid file names it", stage.read(stage.PIDFILE) == f"{daemon.pid}\n",
                  stage.read(stage.PIDFILE))
            opener = daemon.opener()
            check("it has a helper", opener is not None)
            check(f"signal {number} ends it within a second, with 0",
                  daemon.end(number) == 0, daemon.log())
            check("socket and pid file are gone", not stage.exists(stage.SOCKET, stage.PIDFILE))
            check("so is its helper", stage.until(1, lambda: not stage.is_alive(opener)))


def test_early_signal():
    """From its first file on, SIGTERM ends it in order: nothing stays behind."""
    for attempt in range(10):
        path = stage.PIDFILE if attempt % 2 else stage.SOCKET
        daemon = stage.Daemon()
        process = stage.subprocess.Popen(daemon.command, stderr=stage.subprocess.DEVNULL,
                                         preexec_fn=stage.drop_clock_right)
        while not os.path.exists(path) and process.poll() is None:
            pass
        process.terminate()
        status = process.wait(5)
        check(f"SIGTERM as soon as {path} is there", status == 0
              and not stage.exists(stage.SOCKET, stage.PIDFILE), status)
        stage.clear()


def background(*arguments, **options):
    """Starts it without -d or -n; the result of the process that was started, and its pid."""
    began = time.monotonic()
    result = stage.vmtimed("-x", *arguments, text=True, **options)
    took = time.monotonic() - began
    pid = int(stage.read(stage.PIDFILE)) if os.path.exists(stage.PIDFILE) else None
    return result, pid, took


def test_background():
    result, pid, took = background()
    check("the parent ends with 0 once it is up", result.returncode == 0 and pid is not None
          and took < 3, repr(result))
    answer = stage.vmtime(text=True)
    check("it answers at once", answer.returncode == 0 and NOTHING in answer.stdout, repr(answer))
    stat = stage.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    check("it leads no session and has no terminal", int(stat[3]) != pid and stat[4] == "0", stat)
    check("it is in no folder that could be unmounted", os.readlink(f"/proc/{pid}/cwd") == "/")
    for fd in range(3):
        target = os.readlink(f"/proc/{pid}/fd/{fd}")
        check(f"fd {fd} is nowhere", target.endswith("/null"), target)
    os.kill(pid, signal.SIGTERM)
    check("SIGTERM ends it", stage.until(1, lambda: not stage.is_alive(pid)))
    check("nothing is left", not stage.exists(stage.SOCKET, stage.PIDFILE))

    for what, arguments, words in (
            ("a directive that is none", ["nonsense 1"], 'expected a directive, got "nonsense"'),
            ("a file that is not there", ["-f", "/nowhere"], "/nowhere: "),
            ("a user that is not there", ["-u", "nobody-at-all"], "nobody-at-all does not exist")):
        result, pid, took = background(*arguments)
        check(f"{what}: the parent says so and ends with 1", result.returncode == 1
              and words in result.stderr and pid is None and took < 3, repr(result))


def test_background_reload():
    """A relative -f still means the same file after the daemon has left its folder."""
    stage.write("/run/relative.conf", "hostclock on\n")
    result, pid, _ = background("-f", "relative.conf", cwd="/run")
    check("a relative path", result.returncode == 0 and pid is not None, repr(result))
    answer = stage.vmtime("--json", text=True).stdout
    check("it is told in full", '"/run/relative.conf"' in answer, answer)
    os.kill(pid, signal.SIGTERM)
    stage.until(1, lambda: not stage.is_alive(pid))


def system_log():
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    log.settimeout(5)
    return log


def test_system_log():
    log = system_log()
    with open("/run/stderr", "wb") as stderr:
        process = stage.subprocess.Popen([stage.VMTIMED, "-n", "-x"], stderr=stderr,
                                         preexec_fn=stage.drop_clock_right)
    try:
        check("-n stays in the foreground", stage.until(5, lambda: os.path.exists(stage.PIDFILE)
                                                        and stage.read(stage.PIDFILE))
              == f"{process.pid}\n")
        check("it answers", stage.until(5, lambda: stage.vmtime().returncode == 0))
        process.send_signal(signal.SIGHUP)
        said = log.recv(4096).decode()
        # Facility daemon (3), informational (6); RFC 3164.
        check("-n logs to the system log", said.startswith(f"<30>vmtimed[{process.pid}]: ")
              and "reloaded" in said, said)
        log.close()
        os.unlink("/dev/log")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        check("it goes on without a system log", process.poll() is None)
        log = system_log()
        process.send_signal(signal.SIGHUP)
        check("it finds one that was started anew", "reloaded" in log.recv(4096).decode())
        process.terminate()
        check("it ends", process.wait(1) == 0)
        check("and says so", "signal 15" in log.recv(4096).decode())
    finally:
        process.kill()
        process.wait()
        log.close()
        os.unlink("/dev/log")


def test_once():
    for letter in ("-q", "-Q"):
        began = time.monotonic()
        result = stage.vmtimed("-x", letter, "-t", "2", text=True)
        took = time.monotonic() - began
        check(f"{letter} -t 2 without a source: 1 after 2 s", result.returncode == 1
              and 1.8 < took < 4 and not result.stdout, f"{took} s, {result!r}")
        check(f"{letter} says why", NOTHING in result.stderr, repr(result))
        check(f"{letter} leaves nothing", not stage.exists(stage.SOCKET, stage.PIDFILE))
    result = stage.vmtimed("-x", "-d", "-t", "0.5", text=True)
    check("-t alone: ends with 0", result.returncode == 0, repr(result))
    result = stage.vmtimed("-q", "-t", "0.5", text=True)
    check("-q without the right: says so", result.returncode == 1
          and "CAP_SYS_TIME" in result.stderr, repr(result))


def test_command_line():
    for arguments, status, where, words in (
            (["-p"], 0, "stdout", "hostclock on\n"),
            (["-p", "refclock PHC /dev/ptp0 poll 2"], 0, "stdout", "refclock PHC /dev/ptp0"),
            (["-p", "-f", "/nowhere"], 1, "stderr", "/nowhere: "),
            (["-p", "poll 2"], 1, "stderr", 'command line:1:1: expected a directive, got "poll"'),
            (["-v"], 0, "stdout", "vmtimed (vmtime) version "),
            (["--version"], 0, "stdout", "vmtimed (vmtime) version "),
            (["--help"], 0, "stdout", "Usage: vmtimed "),
            (["--conf-reference"], 0, "stdout", "makestep THRESHOLD LIMIT"),
            (["-Z"], 2, "stderr", "unknown option -Z"),
            (["--nonsense"], 2, "stderr", "unknown option --nonsense"),
            (["-dxZ"], 2, "stderr", "unknown option -Z"),
            (["-f"], 2, "stderr", "option -f needs an argument"),
            (["-t", "soon"], 2, "stderr", 'option -t: "soon"'),
            (["-t", "-1"], 2, "stderr", 'option -t: "-1"'),
            (["-L", "9"], 2, "stderr", 'option -L: "9"')):
        result = stage.vmtimed(*arguments, text=True)
        other = result.stderr if where == "stdout" else result.stdout
        check(f"{arguments}: {status}", result.returncode == status
              and words in getattr(result, where) and not other, repr(result))
    with open("/dev/full", "w", encoding="ascii") as full:
        result = stage.subprocess.run([stage.VMTIMED, "-p"], stdout=full, check=False)
    check("-p onto a full disk: 1", result.returncode == 1, repr(result))


def test_printed_configuration_is_one():
    text = stage.vmtimed("-p", "refclock PHC /dev/ptp0 poll 2 tai", "makestep 1 3").stdout
    stage.write("/run/printed.conf", text)
    again = stage.vmtimed("-p", "-f", "/run/printed.conf")
    check("what -p prints is read as the same", again.returncode == 0 and again.stdout == text,
          repr((text, again)))


def without(fd):
    """For preexec: the program finds this descriptor closed."""
    return lambda: os.close(fd)


def test_closed_descriptors():
    for fds in ((2,), (1, 2), (0, 1, 2)):
        daemon = stage.Daemon()
        process = stage.subprocess.Popen(
            daemon.command, preexec_fn=lambda fds=fds: [stage.drop_clock_right()]
            + [os.close(fd) for fd in fds])
        try:
            up = stage.until(5, lambda: stage.vmtime().returncode == 0)
            check(f"it runs with {fds} closed", up)
            process.send_signal(signal.SIGHUP)  # which makes it log
            result = stage.vmtime("--json", text=True)
            check("what it logs reaches no client", result.returncode == 0 and not result.stderr,
                  repr(result))
            for fd in fds:
                target = os.readlink(f"/proc/{process.pid}/fd/{fd}")
                check(f"fd {fd} was filled", target.endswith("/null"), target)
            process.terminate()
            check("it ends", process.wait(1) == 0)
        finally:
            process.kill()
            process.wait()


def test_log_nobody_reads():
    reader, writer = os.pipe()
    process = stage.subprocess.Popen([stage.VMTIMED, "-d", "-x"], stderr=writer,
                                     preexec_fn=stage.drop_clock_right)
    os.close(writer)
    try:
        check("it starts", stage.until(5, lambda: stage.vmtime().returncode == 0))
        os.close(reader)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        check("a log that nobody reads does not end it", stage.vmtime().returncode == 0,
              process.poll())
        process.terminate()
        check("it ends in order", process.wait(1) == 0)
    finally:
        process.kill()
        process.wait()


def test_no_place_to_run():
    """/run cannot be written, and things in the places of its own."""
    def read_only():
        stage.mount_read_only("/run")

    result = stage.vmtimed("-d", "-x", text=True,
                           preexec_fn=lambda: [stage.drop_clock_right(), read_only()])
    check("a read-only /run is told", result.returncode == 1 and "/run/vmtime" in result.stderr
          and "Read-only file system" in result.stderr, repr(result))

    for what, make, remove in (("file", lambda path: stage.write(path, "precious"), os.unlink),
                               ("folder", os.mkdir, os.rmdir)):
        stage.clear()
        os.mkdir(stage.RUN)
        make(stage.SOCKET)
        result = stage.vmtimed("-d", "-x", text=True)
        check(f"a {what} in the socket's place is left alone", result.returncode == 1
              and stage.SOCKET in result.stderr and os.path.exists(stage.SOCKET), repr(result))
        remove(stage.SOCKET)
    stage.write(stage.PIDFILE, "precious")
    result = stage.vmtimed("-d", "-x", text=True)
    check("a file that is no pid file is left alone", result.returncode == 1
          and "is no pid file" in result.stderr and stage.read(stage.PIDFILE) == "precious",
          repr(result))
    os.unlink(stage.PIDFILE)


def test_lock_and_priority():
    with stage.Daemon("hostclock on", "lock_all", "sched_priority 7") as daemon:
        stage.until(3, lambda: stage.exists(stage.SOCKET))
        log = daemon.log()
        locked = int(re.search(r"VmLck:\s+(\d+)", stage.read(f"/proc/{daemon.pid}/status")).group(1))
        check("memory is locked, or it is told that it is not", (locked > 0)
              != ("lock_all: memory may be swapped out" in log), log)
        first = os.sched_getscheduler(daemon.pid) & 0xff == os.SCHED_FIFO
        check("it runs first, or it is told that it does not", first
              != ("sched_priority 7: running as an ordinary process" in log), log)
        check("with the priority", not first or os.sched_getparam(daemon.pid).sched_priority == 7)
    with stage.Daemon("hostclock on") as daemon:
        stage.until(3, lambda: stage.exists(stage.SOCKET))
        check("neither unless it is written", os.sched_getscheduler(daemon.pid) == os.SCHED_OTHER
              and "VmLck:\t       0 kB" in stage.read(f"/proc/{daemon.pid}/status"))


stage.finish(test_start_and_stop, test_early_signal, test_background, test_background_reload,
             test_system_log, test_once, test_command_line, test_printed_configuration_is_one,
             test_closed_descriptors, test_log_nobody_reads, test_no_place_to_run,
             test_lock_and_priority)
