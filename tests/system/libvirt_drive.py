# SPDX-License-Identifier: Apache-2.0
"""libvirt_drive.py - libvirt_drive.c, and what it prints"""

import queue
import subprocess
import threading

import libvirt_stand
import stage


class Drive:
    """libvirt_drive, and what it prints."""

    def __init__(self, program, workers=4):
        self.process = subprocess.Popen([program, libvirt_stand.URI, str(workers)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        self.all = []
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def collect(self):
        while not self.lines.empty():
            self.all.append(self.lines.get())

    def wait(self, *words, seconds=15, since=0):
        """The first line from @since on with all of @words in it, as a dictionary; None: none came."""
        def find():
            self.collect()
            return next((l for l in self.all[since:] if all(f" {w} " in l + " " for w in words)), None)
        line = stage.until(seconds, find)
        if not line:
            return None
        fields = dict(w.split("=", 1) for w in line.split(" text=")[0].split() if "=" in w)
        return {**fields, "line": line, "at": int(line.split()[0]),
                "text": line.split(" text=")[1] if " text=" in line else ""}

    def mark(self):
        self.collect()
        return len(self.all)

    def say(self, line):
        self.number += 1
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.number

    def ask(self, kind, guest, timeout_ms=5000, seconds=15):
        """Begins work and waits for its outcome."""
        number = self.say(f"{kind} {guest} {timeout_ms}")
        return self.wait("outcome", kind, f"number={number}", seconds=seconds)

    def gaps(self):
        self.collect()
        return [line for line in self.all if " gap " in line]

    def end(self, seconds=5):
        self.process.stdin.close()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None
