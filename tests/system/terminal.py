# SPDX-License-Identifier: Apache-2.0
"""terminal.py - a terminal that is played, for tests of what is written to one

Terminal understands what vmtime writes and nothing else: a sequence that it does not know, or a
cursor beyond the edge, is a complaint.  Program is a program on such a terminal, in a session of
its own.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


def _begin():
    """In the program's process: the terminal is its own, and it ignores nothing that we may ignore."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.modes = {"1049": False, "25": True, "7": True}
        self.cells = {}
        self.row = self.column = 0
        self.styles = set()
        self.complaints = []
        self.rest = ""

    def feed(self, data):
        text = self.rest + data
        self.rest = ""
        while text:
            if text[0] != "\x1b":
                self.put(text[0])
                text = text[1:]
                continue
            found = re.match(r"\x1b\[(\??)([0-9;]*)([A-Za-z])", text)
            if not found:
                if len(text) > 16:
                    self.complaints.append(repr(text[:16]))
                self.rest = text
                return
            self.obey(*found.groups())
            text = text[found.end():]

    def put(self, character):
        if not character.isprintable():
            self.complaints.append(f"the character {character!r}")
        if not (0 <= self.row < self.rows and 0 <= self.column < self.columns):
            self.complaints.append(f"{character!r} at {self.column},{self.row}")
        self.cells[self.column, self.row] = character
        self.column += 1

    def obey(self, private, numbers, letter):
        if private and letter in "hl" and numbers in self.modes:
            self.modes[numbers] = letter == "h"
        elif letter == "H" and not private:
            row, column = (numbers or "1;1").split(";")
            self.row, self.column = min(int(row), self.rows) - 1, int(column) - 1
        elif letter == "J" and numbers == "2":
            self.cells = {}
        elif letter == "m" and not private:
            self.styles.add(numbers)
        else:
            self.complaints.append(f"CSI {private}{numbers}{letter}")

    def text(self):
        return "\n".join("".join(self.cells.get((column, row), " ")
                                 for column in range(self.columns)).rstrip()
                         for row in range(self.rows))


class Program:
    """`command` on a terminal; the session's leader is the program itself."""

    def __init__(self, command, columns=80, rows=24, environment=None):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.bytes = 0
        self.pieces = b""
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, env={"PATH": os.environ["PATH"], "TERM": "xterm",
                                         "LANG": "C.UTF-8", **(environment or {})},
            preexec_fn=_begin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)

    def resize(self, columns, rows):
        """The kernel sends SIGWINCH to the terminal's foreground."""
        self.screen = Terminal(columns, rows)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.0):
        """Takes what is there, for as long as @seconds."""
        end = time.monotonic() + seconds
        while True:
            left = max(0, end - time.monotonic())
            if not select.select([self.master], [], [], left)[0]:
                return
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            self.bytes += len(piece)
            self.pieces += piece
            whole = self.pieces.decode(errors="ignore").encode()
            # A character may have come in half.
            if self.pieces.startswith(whole):
                self.screen.feed(whole.decode())
                self.pieces = self.pieces[len(whole):]

    def shows(self, words, seconds=5):
        end = time.monotonic() + seconds
        while words not in self.screen.text() and time.monotonic() < end:
            self.read(0.05)
        return words in self.screen.text()

    def press(self, keys):
        os.write(self.master, keys)

    def end(self, seconds=3):
        """Its exit status, after it has written its last; None where it goes on."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.02)
        self.read()
        return self.process.poll()

    def is_restored(self):
        """The terminal is as it was: its modes, the first screen, a cursor, new lines."""
        return (termios.tcgetattr(self.slave) == self.before and not self.screen.complaints
                and self.screen.modes == {"1049": False, "25": True, "7": True})
