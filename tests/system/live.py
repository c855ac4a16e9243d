#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""live.py VMTIMED VMTIME PLAY.SO - the vmtime command and the real daemon, in each of its states

What vmtime does with daemons that misbehave is in cli.py.
"""

import errno
import json
import os
import re
import shutil
import signal

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position

COMMANDS = ("status", "sources", "sourcestats", "tracking")


def check_commands(what):
    """Each command answers, and its JSON is JSON that says the same."""
    answers = {}
    for command in COMMANDS:
        text = stage.vmtime(command, text=True)
        check(f"{what}: {command}", text.returncode == 0 and text.stdout and not text.stderr
              and all(len(line) < 200 for line in text.stdout.splitlines()), repr(text))
        result = stage.vmtime(command, "--json", text=True)
        try:
            answers[command] = json.loads(result.stdout)
        except ValueError as error:
            check(f"{what}: {command} --json is JSON", False, f"{error} {result!r}")
            continue
        check(f"{what}: {command} --json", result.returncode == 0 and not result.stderr,
              repr(result))
        answers[command + " text"] = text.stdout
    return answers


def test_states():
    with play.Daemon(host_ahead=0.25) as daemon:
        answers = check_commands("starting")
        check("starting: told", answers["status"]["state"] == "starting"
              and answers["tracking"]["leap"] == "not-synchronised"
              and "Not synchronised" in answers["tracking text"], answers)
        play.show(0)
        stage.until(4, lambda: json.loads(stage.vmtime("--json").stdout)["state"] == "ok")
        answers = check_commands("in sync")
        check("in sync: told", answers["status text"].startswith("The clock is right: within ")
              and answers["tracking"]["leap"] == "normal"
              and re.search(r"(?m)^#\* PHC0 +0 +4 +[1-7]", answers["sources text"]), answers)
        check("in sync: the bound is known, and true", 0 <= answers["status"]["bound_ns"] < 1e6
              and abs(daemon.error()) * 1e9 <= answers["status"]["bound_ns"], answers)
        daemon.play["answer"] = errno.EOPNOTSUPP
        stage.until(4, lambda: json.loads(stage.vmtime("--json").stdout)["state"] == "holdover")
        answers = check_commands("holdover")
        check("holdover: told, with the reason and what to do",
              answers["status text"].startswith("No source answers")
              and "new host" in answers["status text"]
              and re.search(r"(?m)^#\? PHC0 ", answers["sources text"]), answers)
        check("holdover: what the kernel believes is told", daemon.play.is_synchronized()
              == answers["status"]["is_kernel_synchronized"], answers)
        check("it ends in order", daemon.end() == 0, daemon.log())
    play.hide(0)


def test_no_daemon():
    for what, prepare in (("never started", lambda daemon: daemon.end()),
                          ("killed", lambda daemon: daemon.end(signal.SIGKILL))):
        with stage.Daemon() as daemon:
            prepare(daemon)
            result = stage.vmtime(text=True)
            check(f"{what}: one sentence, and 1", result.returncode == 1 and not result.stdout
                  and result.stderr == "vmtime: vmtimed is not running: nothing answers at "
                  f"{stage.SOCKET}\n", repr(result))


def test_hung_daemon():
    with stage.Daemon() as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        result = stage.vmtime(text=True)
        check("a daemon that hangs: one sentence after 5 s, and 1", result.returncode == 1
              and "did not answer within 5 seconds" in result.stderr, repr(result))
        daemon.process.send_signal(signal.SIGCONT)
        check("and it goes on where it was", stage.vmtime().returncode == 0
              and daemon.end() == 0, daemon.log())


def test_denied():
    if not shutil.which("setpriv"):
        print("there is no setpriv: nobody is denied")
        return
    command = shutil.copy(stage.VMTIME, "/run/vmtime-copy")
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with stage.Daemon():
        result = stage.run(*prefix, command, text=True)
        check("every user may ask", result.returncode == 0, repr(result))
        os.chmod(stage.SOCKET, 0o600)
        result = stage.run(*prefix, command, text=True)
        check("who is denied hears so, and 1", result.returncode == 1
              and result.stderr.startswith("vmtime: this user may not connect"), repr(result))


def test_closed_output():
    with stage.Daemon():
        for arguments in ([], ["sources", "-v"], ["tracking", "--json"], ["--help"]):
            result = stage.subprocess.run([stage.VMTIME, *arguments], check=False, timeout=10,
                                          stderr=stage.subprocess.PIPE, text=True,
                                          preexec_fn=lambda: os.close(1))
            check(f"{arguments} with stdout closed: 1, and told", result.returncode == 1
                  and result.stderr == "vmtime: cannot write the answer: Bad file descriptor\n",
                  repr(result))
        result = stage.subprocess.run([stage.VMTIME], check=False, timeout=10,
                                      preexec_fn=lambda: [os.close(fd) for fd in range(3)])
        check("with everything closed: 1", result.returncode == 1, repr(result))


stage.finish(test_states, test_no_daemon, test_hung_daemon, test_denied, test_closed_output)
