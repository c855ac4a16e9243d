#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kept.py VMTIMED VMTIME PLAY.SO - events outlive the daemon, and a bad disk does it no harm"""

import json
import os
import shutil
import signal
import time

import stage
from stage import check

stage.enter(seconds=100)
import play  # pylint: disable=wrong-import-position

FOLDER = "/var/lib/vmtime"
KEPT = FOLDER + "/events"


def document():
    result = stage.vmtime("events", "--json", "-n", "256", text=True)
    return json.loads(result.stdout) if result.returncode == 0 else {"events": [], "is": result}


def numbers():
    return [event["number"] for event in document()["events"]]


def jump(daemon, seconds):
    """One jump; whether it became one event more."""
    before = len(numbers())
    daemon.play.jump(seconds)
    return stage.until(4, lambda: len(numbers()) == before + 1
                       and document()["events"][-1]["is_repaired"])


def settled(daemon):
    check("it follows its host", daemon.is_right(1e-6) is not None and stage.until(
        3, lambda: json.loads(stage.vmtime("--json").stdout)["state"] == "ok"), daemon.log())
    time.sleep(0.3)


def clear():
    if os.path.ismount(FOLDER):
        stage.unmount(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)


def test_restarts():
    made = play.Play(host_ahead=0.25)
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        jump(daemon, 5)
        first = document()["events"]
        check("two events, in a file of 64 KiB", len(first) == 2
              and os.stat(KEPT).st_size == 65536 and document()["path"] == KEPT
              and not document()["trouble"], document())
        check("the file is the daemon's, and everybody may read it", os.stat(KEPT).st_uid
              == stage.UID and os.stat(KEPT).st_mode & 0o777 == 0o644, os.stat(KEPT))
        check("it ends in order", daemon.end() == 0, daemon.log())
    result = stage.vmtime("events", "--json", text=True)
    check("without a daemon they are read from the file, which is told", result.returncode == 0
          and json.loads(result.stdout)["events"] == first
          and result.stderr == "vmtime: vmtimed is not running; this is what it wrote to "
          + KEPT + "\n", repr(result))
    result = stage.vmtime("events", "-n", "1", text=True)
    check("as a table, too", result.returncode == 0 and len(result.stdout.splitlines()) == 2
          and " jump" in result.stdout, repr(result))
    check("but not those of another daemon", stage.vmtime(
        "events", "-s", "/run/other").returncode == 1)
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        check("a new daemon goes on with them", document()["events"][:2] == first
              and jump(daemon, -2) and numbers() == list(range(1, 1 + len(numbers()))), document())
        killed = document()["events"]
        daemon.end(signal.SIGKILL)
    check("kill -9 loses none", document()["events"] == killed, document())
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        check("and the numbers go on", jump(daemon, 1) and numbers() == list(
            range(1, 1 + len(numbers()))) and len(numbers()) > len(killed), document())
    os.chown(KEPT, 0, 0)
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        check("made root's by a service manager, it is the daemon's again", os.stat(KEPT).st_uid
              == stage.UID and not document()["trouble"], daemon.log())
    clear()


def test_killed_in_the_middle():
    made = play.Play()
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        before = len(numbers())
        made.jump(3)
        stage.until(3, lambda: document()["events"][before:])
        # Back and forth, so that no three readings agree.
        for i in range(40):
            made.jump(100 if i % 2 else -100)
            time.sleep(0.01)
            if document()["events"][-1]["end"] == "open":
                break
        is_open = document()["events"][-1]["end"] == "open"
        daemon.end(signal.SIGKILL)
    last = document()["events"][-1]
    check("a disruption that was open when the daemon was killed is unfinished",
          is_open and last["end"] == "unfinished" and not last["is_repaired"], last)
    check("people are told so", "vmtimed ended before it was repaired" in stage.vmtime(
        "events", "-v", text=True).stdout, stage.vmtime("events", "-v", text=True).stdout)
    clear()


def test_damage():
    made = play.Play()
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        jump(daemon, 1)
        jump(daemon, 2)
        kept = numbers()
    with open(KEPT, "r+b") as file:
        file.seek(256 * kept[-2] + 100)
        file.write(b"\xff")
        file.seek(256 * 200)
        file.write(b"foreign bytes")
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        seen = document()
        check("damaged records are left out, and counted", seen["unreadable"] == 2
              and kept[-2] not in numbers() and kept[-1] in numbers(), seen)
        check("the log tells once", len(daemon.lines("2 damaged records")) == 1, daemon.log())
        check("people are told", "2 damaged records in " + KEPT in stage.vmtime(
            "events", text=True).stdout, stage.vmtime("events", text=True).stdout)
        check("and it is kept on", jump(daemon, 3), daemon.log())
    clear()


def bad_place(what, prepare, words):
    """The daemon works without the file, says so once, and goes on with the ring in memory."""
    os.makedirs(FOLDER, exist_ok=True)
    os.chown(FOLDER, stage.UID, stage.GID)
    prepare()
    with play.Daemon() as daemon:
        settled(daemon)
        check(f"{what}: events are kept in memory", jump(daemon, 4) and jump(daemon, -1), daemon.log())
        told = daemon.lines(KEPT + ": events are kept in memory alone: " + words)
        check(f"{what}: told once", len(told) == 1, daemon.log())
        seen = document()
        check(f"{what}: and to who asks", words in seen["trouble"]
              and "Kept in memory alone: " + KEPT in stage.vmtime("events", text=True).stdout, seen)
        check(f"{what}: it ends in order", daemon.end() == 0, daemon.log())


def test_bad_places():
    def full():
        stage.mount_small(FOLDER)
        os.chown(FOLDER, stage.UID, stage.GID)
        with open(FOLDER + "/ballast", "wb") as file:
            file.write(b"x" * 32768)

    bad_place("a full disk", full, "No space left on device")
    check("a full disk: no half of a file takes room from others", not os.path.exists(KEPT))
    clear()
    bad_place("a folder in its place", lambda: os.mkdir(KEPT), "Is a directory")
    clear()
    bad_place("somebody else's file", lambda: stage.write(KEPT, "precious"), "Permission denied")
    check("somebody else's file: as it was", stage.read(KEPT) == "precious")
    clear()
    bad_place("a symbolic link", lambda: os.symlink("/run/elsewhere", KEPT),
              "Too many levels of symbolic links")
    check("a symbolic link: not followed", not os.path.exists("/run/elsewhere"))
    clear()


def test_read_only():
    made = play.Play()
    with play.Daemon(play=made) as daemon:
        settled(daemon)
        jump(daemon, 1)
        kept = numbers()
    with play.Daemon(play=made, prepare=lambda: stage.mount_read_only("/var/lib")) as daemon:
        settled(daemon)
        check("a file system that can only be read: the numbers go on all the same",
              jump(daemon, 2) and numbers()[:len(kept)] == kept and len(numbers()) > len(kept)
              and "Read-only file system" in document()["trouble"], document())
    clear()


play.show(0)
stage.finish(test_restarts, test_killed_in_the_middle, test_damage, test_bad_places, test_read_only)
