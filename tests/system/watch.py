#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""watch.py VMTIME CONTROL.MD - `vmtime watch` on terminals that are played

The daemon is a thread that answers with the example of the protocol's document, its figures
changed as a test needs them.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

from terminal import Program

VMTIME, DOCUMENT = os.path.abspath(sys.argv[1]), sys.argv[2]
DIRECTORY = tempfile.mkdtemp(prefix="vmtime-watch-")
SOCKET = os.path.join(DIRECTORY, "s")
COMMAND = [VMTIME, "-s", SOCKET, "watch"]
failures = []


def check(what, is_true, detail=""):
    print("ok  " if is_true else "FAIL", what)
    if not is_true:
        failures.append(what)
        print(detail)
    return is_true


def example():
    with open(DOCUMENT, encoding="utf-8") as file:
        text = re.search(r"```reply status\n(.*?)\n```", file.read(), re.S).group(1)
    return json.loads("".join(line.strip() for line in text.split("\n")))


class Daemon:
    """Answers every request of every connection; each answer's offset is another one."""

    def __init__(self, **changes):
        self.reply = example()
        self.reply["status"].update(changes)
        self.events = b'{"v":1,"ok":false,"error":{"code":"unknown-command","text":"what?"}}\n'
        self.requests = 0
        self.connections = []

    def __enter__(self):
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(SOCKET)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            for request in connection.makefile("rb"):
                if json.loads(request)["cmd"] == "events":
                    connection.sendall(self.events)
                    continue
                self.requests += 1
                self.reply["status"]["tracking"]["system_offset_ns"] = self.requests * 7919 % 41 - 20
                connection.sendall(json.dumps(self.reply).encode() + b"\n")
        except OSError:
            pass

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


def check_left(what, program, status):
    ended = program.end()
    check(f"{what}: it ends", ended == status, f"{ended} instead of {status}")
    check(f"{what}: the terminal is as it was", program.is_restored(),
          f"{program.screen.modes} {program.screen.complaints} "
          f"{termios.tcgetattr(program.slave)} {program.before}")


def test_sizes():
    with Daemon():
        for columns, rows, words in ((80, 24, "is right: within 912 ns"), (40, 10, "ok for 1 h 58"),
                                     (200, 60, "precise"), (20, 5, "PHC0"),
                                     (1, 1, "\u25cf")):
            with Program(COMMAND, columns, rows) as program:
                size = f"{columns}x{rows}"
                check(f"{size}: it is shown", program.shows(words), program.screen.text())
                check(f"{size}: on a second screen, without a cursor",
                      program.screen.modes == {"1049": True, "25": False, "7": False})
                check(f"{size}: keys come at once and are not echoed",
                      not termios.tcgetattr(program.slave)[3] & (termios.ICANON | termios.ECHO))
                program.read(0.7)
                check(f"{size}: nothing is written beside it", not program.screen.complaints,
                      program.screen.complaints)
                program.press(b"xyz\x1b[Aq")
                check_left(f"{size}, q", program, 0)


def test_resize():
    with Daemon(), Program(COMMAND) as program:
        program.shows("precise")
        for columns, rows in ((120, 40), (30, 8), (1, 1), (80, 24)):
            program.resize(columns, rows)
            check(f"resized to {columns}x{rows}: drawn anew", program.shows("\u25cf"),
                  program.screen.text())
            program.read(0.3)
        check("after all that it is whole", program.shows("q quit") and program.shows("precise")
              and not program.screen.complaints, program.screen.complaints)
        program.press(b"q")
        check_left("after resizing", program, 0)


def test_signals():
    with Daemon():
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
            with Program(COMMAND) as program:
                program.shows("precise")
                program.process.send_signal(number)
                check_left(number.name, program, -number)
        with Program(COMMAND) as program:
            program.shows("precise")
            program.press(b"\x03")
            check_left("Ctrl-C", program, -signal.SIGINT)


# A shell with job control, as little of it as is needed: says what became of its job.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[2], sys.argv[2:])
report = os.open(sys.argv[1], os.O_WRONLY)
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        os.write(report, b"ended %d\\n" % status)
        sys.exit(0)
    os.tcsetpgrp(0, os.getpgrp())
    os.write(report, b"stopped %d\\n" % job)
    signal.sigwait({signal.SIGUSR1})
    os.tcsetpgrp(0, job)
    os.kill(job, signal.SIGCONT)
"""


def test_stop_and_continue():
    fifo = os.path.join(DIRECTORY, "report")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def report(program):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            program.read(0.05)
            try:
                words = os.read(reader, 100).split()
            except BlockingIOError:
                continue
            if words:
                return words[0].decode(), int(words[1])
        return None, 0

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with Daemon(), Program([sys.executable, "-c", SHELL, fifo, *COMMAND]) as program:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        check("it is shown", program.shows("precise"), program.screen.text())
        for turn in ("once", "and again"):
            program.press(b"\x1a")
            what, program.job = report(program)
            check(f"Ctrl-Z stops it, {turn}", what == "stopped", what)
            check(f"with the terminal as it was, {turn}", program.is_restored(),
                  program.screen.modes)
            program.process.send_signal(signal.SIGUSR1)
            check(f"and then it goes on, {turn}", program.shows("precise")
                  and program.screen.modes["1049"]
                  and not termios.tcgetattr(program.slave)[3] & termios.ECHO)
        program.press(b"\x0c")
        job = int(program.job)
        os.kill(job, signal.SIGSTOP)
        report(program)
        termios.tcsetattr(program.slave, termios.TCSANOW, program.before)
        program.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 3
        while termios.tcgetattr(program.slave)[3] & termios.ECHO and time.monotonic() < end:
            program.read(0.05)
        check("stopped by force, it takes the terminal over again",
              not termios.tcgetattr(program.slave)[3] & termios.ECHO)
        program.press(b"q")
        check("q ends it all the same", report(program) == ("ended", 0))
        check_left("after having been stopped", program, 0)
    os.close(reader)


def test_nobody_reads():
    """What is written to a terminal that takes nothing must not stop anything else."""
    with Daemon() as daemon, Program(COMMAND, 200, 60) as program:
        program.press(b"\x0c")
        time.sleep(2)
        for _ in range(40):  # as much as the terminal takes, and more
            program.press(b"\x0c")
            time.sleep(0.02)
        before = daemon.requests
        time.sleep(2)
        check("nobody reads: the daemon is asked on", daemon.requests >= before + 3,
              f"{before} {daemon.requests}")
        program.press(b"q")
        began = time.monotonic()
        while program.process.poll() is None and time.monotonic() < began + 3:
            time.sleep(0.01)
        check("nobody reads: q ends it soon", program.process.poll() == 0
              and time.monotonic() < began + 1, time.monotonic() - began)
        check("nobody reads: the modes are as they were",
              termios.tcgetattr(program.slave) == program.before)
        program.read(0.2)
        check("nobody reads: the last that comes restores the screen",
              program.screen.modes == {"1049": False, "25": True, "7": True},
              program.screen.modes)


def test_few_bytes():
    with Daemon(), Program(COMMAND) as program:
        program.shows("precise")
        program.read(1)
        before = program.bytes
        program.read(5)
        a_second = (program.bytes - before) / 5
        print(f"an unquiet line at 80x24 costs {a_second:.0f} bytes a second")
        check("bytes a second are within the limit", 20 < a_second < 4500, a_second)
        for _ in range(300):
            program.press(b"\x0c")
            program.read(0.01)
        check("even when it is asked to draw anew all the time",
              program.bytes - before < 16384 + 4096 * 12 + 20000, program.bytes - before)


def test_events():
    with Daemon() as daemon, Program(COMMAND) as program:
        check("a daemon that lists no events: the one of the status is shown",
              program.shows("10 s behind for at most 1.19 s: jump, cause unknown"),
              program.screen.text())
        known = daemon.reply["status"]["last_event"]
        now = time.time_ns()
        listed = [known] + [{**known, "number": 50 + i, "size_ns": (2 + i) * 1000000000,
                             "noticed_unix_ns": now - 3 * 10**9, "at_unix_ns": now - (4 - i) * 10**9,
                             "cause": "pause"} for i in range(3)]
        daemon.events = json.dumps({"v": 1, "ok": True, "events": {
            "path": "", "trouble": "", "unreadable": 0, "events": listed}}).encode() + b"\n"
        daemon.reply["status"]["last_event"] = listed[-1]
        check("a new one: all that came meanwhile are shown, the newest first", wait_until(
            program, lambda text: re.search(r"4 s behind [^\n]*: pause\n[^\n]*3 s behind", text)),
            program.screen.text())
        check("with a mark each in the chart", len(re.findall(
            "\u25bc", program.screen.text().split("now")[0])) == 3, program.screen.text())


def wait_until(program, claim, seconds=5):
    end = time.monotonic() + seconds
    while not claim(program.screen.text()) and time.monotonic() < end:
        program.read(0.05)
    return claim(program.screen.text())


def test_daemon_ends_and_returns():
    with Daemon():
        program = Program(COMMAND)
        program.shows("precise")
    with program:
        check("the daemon ended: it says so", program.shows("no answer for"),
              program.screen.text())
        check("and why", program.shows("vmtimed is not running: nothing answers at"),
              program.screen.text())
        check("what was known stays", program.shows("PHC0"))
        with Daemon(state="holdover", state_age_ns=3000000000):
            check("the daemon is back: it is asked again", program.shows("holdover for 3 s"),
                  program.screen.text())
        program.shows("no answer")
        program.press(b"q")
        check_left("without a daemon", program, 0)
    with Program(COMMAND) as program:
        check("no daemon from the beginning", program.shows("no answer for")
              and program.shows("vmtimed is not running"), program.screen.text())
        with Daemon():
            check("and one that comes late", program.shows("ok for"), program.screen.text())
    with Daemon(state={"not": "a state"}), Program(COMMAND) as program:
        check("one that says nonsense", program.shows("is not understood"), program.screen.text())


def test_characters():
    with Daemon():
        for environment, is_ascii in (({"LANG": "C"}, True), ({"LC_ALL": "C"}, True),
                                      ({"LANG": ""}, True), ({"LC_CTYPE": "de_DE.utf8"}, False),
                                      ({"TERM": "linux"}, False)):
            with Program(COMMAND, environment=environment) as program:
                program.shows("q quit")
                text = program.screen.text()
                check(f"{environment}: {'only ASCII' if is_ascii else 'more than ASCII'}",
                      text.isascii() == is_ascii and "precise" in text, text)
                braille = any("\u2800" <= character <= "\u28ff" for character in text)
                check(f"{environment}: dots where there is a font for them",
                      braille == (not is_ascii and "TERM" not in environment), text)
        for environment, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False),
                                         ({"NO_COLOR": ""}, True)):
            with Program(COMMAND, environment=environment) as program:
                program.shows("q quit")
                check(f"colours with {environment}", is_coloured
                      == any(re.search(r"3[0-7]", style) for style in program.screen.styles),
                      program.screen.styles)


LINE = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC  ok +[+-]\d+ ns  \+/- 912 ns  PHC0"


def test_lines():
    with Daemon() as daemon:
        with Program(COMMAND, environment={"TERM": "dumb"}) as program:
            time.sleep(2.5)
            text = os.read(program.master, 65536).decode()
            lines = text.split("\r\n")
            check("TERM=dumb: a line a second, and nothing that is not text",
                  2 <= len(lines) - 1 <= 4 and all(re.fullmatch(LINE, line) for line in lines[:-1]),
                  text)
            check("TERM=dumb: the terminal is left alone",
                  termios.tcgetattr(program.slave) == program.before)
            program.press(b"\x03")
            program.process.wait(3)
            check("TERM=dumb: Ctrl-C ends it", program.process.returncode == -signal.SIGINT)
        with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={"TERM": "xterm"}) as process:
            check("a pipe: lines", re.fullmatch(LINE, process.stdout.readline().rstrip("\n")))
            daemon.reply["status"]["last_event"] = {
                **daemon.reply["status"]["last_event"], "number": 19,
                "at_unix_ns": 1795445903120045012}
            news = process.stdout.readline() + process.stdout.readline()
            check("an event is news", "UTC  event: jump, cause unknown: the clock was 10 s behind, "
                  "noticed within 1 s, repaired 188 ms later\n" in news, news)
            process.stdout.close()
            check("nobody reads the pipe any more: it ends", process.wait(5) == 1
                  and process.stderr.read() == "")
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        check("no daemon: a line says so", re.search(r"UTC  no answer  vmtimed is not running",
                                                     process.stdout.readline()))
        process.terminate()
        check("SIGTERM ends it", process.wait(5) == -signal.SIGTERM)
    result = subprocess.run(COMMAND + ["--json"], capture_output=True, text=True, check=False)
    check("there is no --json", result.returncode == 2 and "--json" in result.stderr, repr(result))


def test_terminal_hangs_up():
    with Daemon():
        with Program(COMMAND) as program:
            program.shows("precise")
            os.close(program.slave)
            os.close(program.master)
            program.slave = program.master = -1
            try:
                ended = program.process.wait(5)
            except subprocess.TimeoutExpired:
                ended = None
            check("the terminal is gone: so is it", ended in (-signal.SIGHUP, 1), ended)


def main():
    try:
        for test in (test_sizes, test_resize, test_signals, test_stop_and_continue,
                     test_nobody_reads, test_few_bytes, test_events,
                     test_daemon_ends_and_returns,
                     test_characters, test_lines, test_terminal_hangs_up):
            print(f"-- {test.__name__}")
            test()
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
