#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli.py VMTIME CONTROL.MD - the vmtime command against daemons that behave and that do not

Each daemon is a thread behind a Unix socket in a directory of its own.  The answers of the
one that behaves are the examples of the protocol's document.
"""

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

VMTIME, DOCUMENT = sys.argv[1], sys.argv[2]
DIRECTORY = tempfile.mkdtemp(prefix="vmtime-cli-")
SOCKET = os.path.join(DIRECTORY, "s")
failures = []


def examples():
    """The replies in the document, by command, as bytes of one line."""
    found = {}
    with open(DOCUMENT, encoding="utf-8") as file:
        for name, text in re.findall(r"```reply (\w+)\n(.*?)\n```", file.read(), re.S):
            line = "".join(part.strip() for part in text.split("\n"))
            found.setdefault(name, line.encode() + b"\n")
    return found


EXAMPLES = examples()


class Daemon:
    """Takes one connection after the other; `behave` gets it and the request's line."""

    def __init__(self, behave):
        self.behave = behave
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX)

    def __enter__(self):
        self.listener.bind(SOCKET)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                line = connection.makefile("rb").readline()
                self.requests.append(line)
                try:
                    self.behave(connection, line)
                except OSError:
                    pass

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(SOCKET)


def good(connection, line):
    connection.sendall(EXAMPLES[json.loads(line)["cmd"]])


def says(data):
    return lambda connection, line: connection.sendall(data)


def run(*arguments, stdout=subprocess.PIPE, **environment):
    return subprocess.run([VMTIME, "-s", SOCKET, *arguments], stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], **environment})


def check(what, is_true, detail=""):
    print("ok  " if is_true else "FAIL", what)
    if not is_true:
        failures.append(what)
        print(detail)


def check_failure(what, result, status, words):
    """One sentence on standard error that holds @words, nothing on standard output."""
    lines = result.stderr.splitlines()
    check(what, result.returncode == status and not result.stdout and len(lines) == 1
          and lines[0].startswith("vmtime: ") and words in lines[0], repr(result))


def test_answers():
    with Daemon(good) as daemon:
        for arguments, first in ((["status"], "The clock is right"), ([], "The clock is right"),
                                 (["sources"], "MS Name/IP address"),
                                 (["sourcestats"], "Name/IP Address"),
                                 (["tracking"], "Reference ID    : 50484330 (PHC0)")):
            result = run(*arguments)
            check(f"answer to {arguments}", result.returncode == 0 and not result.stderr
                  and result.stdout.startswith(first), repr(result))
        check("no command asks for the status",
              daemon.requests[1] == b'{"v":1,"cmd":"status"}\n', repr(daemon.requests))
        result = run("-v", "sources")
        check("sources -v", "KVM virtual PTP" in result.stdout
              and "/dev/ptp9: no such device" in result.stdout, repr(result))
        for command in ("status", "sources", "sourcestats", "tracking"):
            line = EXAMPLES[command]
            for arguments in ([command, "--json"], ["--json", command]):
                result = run(*arguments)
                check(f"{arguments}", result.returncode == 0
                      and json.loads(result.stdout) == json.loads(line)[command], repr(result))


def test_no_daemon():
    check_failure("no socket", run(), 1, f"vmtimed is not running: nothing answers at {SOCKET}")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.close()
    check_failure("a socket nobody listens to", run("tracking"), 1, "vmtimed is not running")
    os.unlink(SOCKET)
    result = subprocess.run([VMTIME, "-s", "/" + "x" * 200], capture_output=True, text=True,
                            check=False)
    check_failure("a path too long for a socket", result, 1, "cannot be asked")


def test_denied():
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        print("skip: root is never denied, and there is no setpriv to become somebody else")
        return
    with Daemon(good):
        os.chmod(SOCKET, 0)
        os.chmod(DIRECTORY, 0o755)
        # The command itself may lie where only root can go.
        command = os.path.join(DIRECTORY, "vmtime")
        shutil.copy(VMTIME, command)
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        result = subprocess.run((prefix if os.geteuid() == 0 else []) + [command, "-s", SOCKET],
                                capture_output=True, text=True, check=False)
        check_failure("permission denied", result, 1, "may not connect")


def test_garbage():
    status = EXAMPLES["status"]
    for what, data, words in (
            ("noise", b"SSH-2.0-OpenSSH_9.2\r\n", "is not understood"),
            ("an empty line", b"\n", "is not understood"),
            ("bytes that are not UTF-8", b'{"v":1,"ok":true,"status":"\xff"}\n', "not understood"),
            ("escapes for the terminal", b"\x1b[2J\x1b]0;owned\x07\n", "is not understood"),
            ("another command's reply", EXAMPLES["tracking"], "missing"),
            ("a wrong type", status.replace(b'"pid":312', b'"pid":"312"'), '"pid"'),
            ("a later version", status.replace(b'"v":1', b'"v":2'), "version 2"),
            ("a refusal",
             b'{"v":1,"ok":false,"error":{"code":"busy","text":"too many \\u001b[2J"}}\n',
             "vmtimed refused: too many ?[2J"),
            ("half a line", status[:100], "hung up"),
            ("nothing", b"", "hung up"),
            ("more than a reply can be", b"x" * (2 << 20), "too much")):
        with Daemon(says(data)):
            result = run()
        check_failure(what, result, 1, words)
        check(what + ": safe to print", result.stderr.rstrip("\n").isprintable()
              and result.stderr.isascii(), repr(result))
        with Daemon(says(data)):
            check_failure(what + ", as JSON", run("--json"), 1, words)


def test_timeout():
    done = threading.Event()

    def stall(connection, line):
        connection.sendall(EXAMPLES["status"][:50])
        done.wait(30)

    with Daemon(stall):
        start = time.monotonic()
        result = run()
        took = time.monotonic() - start
        done.set()
    check_failure("half a line and silence", result, 1, "did not answer within 5 seconds")
    check("it gave up after about 5 seconds", 4.5 < took < 20, f"{took} s")


def test_output_errors():
    with Daemon(good):
        for arguments in ([], ["sources", "-v"], ["--json"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                result = run(*arguments, stdout=full)
            check(f"full disk {arguments}", result.returncode == 1
                  and result.stderr == "vmtime: cannot write the answer: "
                  "No space left on device\n", repr(result))
            reader, writer = os.pipe()
            os.close(reader)
            result = run(*arguments, stdout=writer)
            os.close(writer)
            check(f"closed pipe {arguments}", result.returncode == 1 and not result.stderr,
                  repr(result))


def test_usage():
    for arguments, word in ((["reboot"], "'reboot'"), (["--verbatim"], "'--verbatim'"),
                            (["-x"], "'-x'"), (["-vx", "sources"], "'-x'"),
                            (["tracking", "sources"], "'sources'"),
                            (["tracking", "-v"], "'tracking'"), (["--json=1"], "'--json=1'"),
                            (["sources", "-s"], "'-s'"), (["\x1b[2J"], "'\\x1b[2J'"),
                            ([""], "unknown command ''")):
        check_failure(f"{arguments}", run(*arguments), 2, word)
    result = run("--help")
    check("--help lists every command", result.returncode == 0
          and all(f"\n  {name}" in result.stdout for name in EXAMPLES if name in ("status", "sources", "sourcestats",
                                                              "tracking")), repr(result))
    result = run("--version")
    check("--version", re.fullmatch(r"vmtime [0-9]+\.[0-9]+.*\n", result.stdout) is not None,
          repr(result))


def on_a_terminal(**environment):
    """What `vmtime status` writes to a terminal."""
    master, slave = pty.openpty()
    run("status", stdout=slave, **environment)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass
    os.close(master)
    return text


def test_colours():
    with Daemon(good):
        check("colours on a terminal", b"\x1b[1;32m" in on_a_terminal(TERM="xterm"))
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text = on_a_terminal(**environment)
            check(f"no colours with {environment}", b"The clock" in text and b"\x1b" not in text,
                  repr(text))
        check("NO_COLOR empty means nothing", b"\x1b[" in on_a_terminal(NO_COLOR=""))
        check("no colours in a file", "\x1b" not in run("status").stdout)


def main():
    try:
        for test in (test_answers, test_no_daemon, test_denied, test_garbage, test_timeout,
                     test_output_errors, test_usage, test_colours):
            test()
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
