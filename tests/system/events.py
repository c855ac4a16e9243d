#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""events.py VMTIMED VMTIME PLAY.SO - what happened to the clock, and who is told

The daemon is the real one, its host's clock jumps as the tests want it.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import stage
from stage import check

stage.enter(seconds=100)
import play  # pylint: disable=wrong-import-position

CAUSES_OF_A_JUMP = ("jump", "pause")


def events(*arguments):
    result = stage.vmtime("events", "--json", *arguments, text=True)
    return json.loads(result.stdout)["events"] if result.returncode == 0 else result.stderr


def state():
    result = stage.vmtime("--json", text=True)
    return json.loads(result.stdout)["state"] if result.returncode == 0 else ""


def settled(daemon):
    """In sync, and nothing left of the start."""
    ok = daemon.is_right(1e-6) is not None and stage.until(3, lambda: state() == "ok")
    time.sleep(0.5)
    return check("it follows its host", ok, daemon.log())


class Follower:
    """`vmtime events --follow ARGUMENT...`, its lines with the time at which they came."""

    def __init__(self, *arguments):
        self.lines = []
        self.process = subprocess.Popen([stage.VMTIME, "events", "--follow", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip("\n")))

    def text(self):
        return [line for _, line in self.lines]

    def parsed(self):
        return [json.loads(line) for _, line in self.lines]

    def has(self, claim, seconds=3):
        """The first line of which @claim is true, parsed."""
        return stage.until(seconds, lambda: next((line for line in self.parsed() if claim(line)),
                                                 None))

    def __enter__(self):
        stage.until(3, lambda: self.lines)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.thread.join(3)


def test_list():
    play.show(0)
    with play.Daemon(host_ahead=0.25) as daemon:
        settled(daemon)
        first = events()
        check("the step of the start is an event", len(first) == 1
              and first[0]["cause"] == "boot" and first[0]["end"] == "stepped"
              and abs(first[0]["size_ns"] - 250000000) < 1e6 and first[0]["number"] == 1
              and first[0]["source"] == "PHC0" and first[0]["evidence"] == []
              and re.fullmatch("[0-9a-f-]{36}", first[0]["boot"]), first)
        daemon.play.jump(10)
        took = daemon.is_right(1e-3, 5)
        jump = stage.until(2, lambda: [e for e in events() if e["number"] > 1 and e["is_repaired"]])
        check("a jump of ten seconds is one more", jump and len(events()) == 2, events())
        jump = jump[0]
        check("its size, cause and end", abs(jump["size_ns"] / 1e9 - 10) < 1e-3
              and jump["cause"].startswith(CAUSES_OF_A_JUMP) and jump["end"] == "stepped"
              and jump["is_repaired"], jump)
        check("how long the clock was wrong: not less than it was, and not much more",
              took and took * 1e9 - 5e7 < jump["wrong_for_ns"] < 1.5e9
              and jump["wrong_for_ns"] == jump["noticed_after_ns"] + jump["repaired_after_ns"],
              f"{took} {jump}")
        real = daemon.play["real_ns"] + time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) \
            - daemon.play["raw_ns"]
        check("when: noticed by the wrong clock, repaired by the right one",
              0 <= real - jump["at_unix_ns"] < 5e9
              and abs(jump["at_unix_ns"] - jump["noticed_unix_ns"] - jump["size_ns"]
                      - jump["repaired_after_ns"]) < 5e7, jump)
        check("`status` tells the same", json.loads(
            stage.vmtime("--json").stdout)["last_event"] == jump, stage.vmtime("--json").stdout)
        check("-n 1 is the newest", events("-n", "1") == [jump], events("-n", "1"))
        daemon.play.set_system(-5)
        another = stage.until(3, lambda: [e for e in events() if e["cause"] == "set by another"
                                          and e["is_repaired"]])
        check("that somebody else set the clock is one, too", another
              and abs(another[0]["size_ns"] - 5e9) < 1e6, events())
        check_text()
    play.hide(0)


def check_text():
    table = stage.vmtime("events", text=True)
    lines = table.stdout.splitlines()
    check("a table for people: a line each, 80 columns, the newest last", table.returncode == 0
          and len(lines) == 4 and all(len(line) <= 80 for line in lines)
          and "set by another" in lines[-1] and "+10 s" in lines[2], table.stdout)
    long = stage.vmtime("events", "-v", text=True).stdout
    check("-v: a paragraph each", "  Evidence  readings\n" in long and "  Evidence  none\n" in long
          and "the clock was 10 s behind; it was stepped" in long, long)


def test_everybody_may_ask():
    if not shutil.which("setpriv"):
        print("skip: there is no setpriv to become another user")
        return
    command = shutil.copy(stage.VMTIME, "/run/vmtime-copy")
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", command]
    play.show(0)
    with play.Daemon(host_ahead=0.25) as daemon:
        settled(daemon)
        for what in (["events"], ["waitsync", "1"], ["waitsync", "3", "--after-resume"]):
            result = stage.run(*prefix, *what, text=True)
            check(f"any user: {what}", result.returncode == 0 and not result.stderr, repr(result))
    play.hide(0)


def test_follow():
    play.show(0)
    with play.Daemon() as daemon:
        settled(daemon)
        with Follower("--json") as follower, Follower() as reader:
            began = follower.parsed()
            check("it begins with the state", len(began) == 1 and began[0]["what"] == "state"
                  and began[0]["state"] == "ok" and 0 <= began[0]["bound_ns"] < 1e6, began)
            daemon.play.jump(-3.5)
            closed = follower.has(lambda l: l["what"] == "closed")
            check("a jump: told when it is repaired", closed
                  and abs(closed["event"]["size_ns"] / 1e9 + 3.5) < 1e-3, follower.text())
            check("and that the status was not ok meanwhile, and is again", stage.until(
                2, lambda: [l["state"] for l in follower.parsed() if l["what"] == "state"]
                == ["ok", "disrupted", "ok"]), follower.text())
            check("in words", stage.until(1, lambda: len(reader.lines) >= 4)
                  and any("3.5 s ahead" in line and "it was stepped" in line
                          for line in reader.text()), reader.text())
            daemon.end()
            check("when the daemon ends, so do they, with a sentence", stage.until(
                2, lambda: follower.process.poll() == 1 and reader.process.poll() == 1)
                and reader.process.stderr.read() == "vmtime: vmtimed has ended, or hung up\n",
                f"{follower.process.poll()} {reader.process.poll()}")
    play.hide(0)


def follow_raw():
    client = stage.connect()
    client.sendall(b'{"v":1,"cmd":"follow"}\n')
    return client


def test_many_followers():
    play.show(0)
    with play.Daemon() as daemon:
        settled(daemon)
        clients = [follow_raw() for _ in range(20)]
        files = [client.makefile("rb") for client in clients]
        for file in files:
            check_quietly("the state first", json.loads(file.readline())["follow"]["what"] == "state")
        idle = follow_raw()
        daemon.play.jump(2)
        for number, file in enumerate(files):
            seen = []
            while "closed" not in seen and len(seen) < 9:
                seen.append(json.loads(file.readline())["follow"]["what"])
            check_quietly(f"follower {number} hears the end of it", seen[-1] == "closed", seen)
        check("twenty followers hear of it", not QUIET, QUIET)
        more = [follow_raw() for _ in range(8)]
        replies = [json.loads(client.makefile("rb").readline()) for client in more]
        check("too many are told so, others may still ask", not replies[-1]["ok"]
              and replies[-1]["error"]["code"] == "busy" and state() == "ok", replies[-1])
        check("one that never reads does no harm", state() == "ok" and idle.fileno() >= 0)
        for client in clients + more + [idle]:
            client.shutdown(socket.SHUT_RDWR)
            client.close()
        for file in files:
            file.close()
        check("who is gone makes room", stage.until(2, lambda: [
            json.loads(client.makefile("rb").readline())["ok"] for client in [follow_raw()]] == [True]))
        check("it ends in order", daemon.end() == 0, daemon.log())
    play.hide(0)


QUIET = []


def check_quietly(what, is_true, detail=""):
    if not is_true:
        QUIET.append(f"{what} {detail}")


def waits(*arguments, **options):
    began = time.monotonic()
    result = stage.vmtime("waitsync", *arguments, text=True, **options)
    return result, time.monotonic() - began


def test_waitsync():
    line = r"try: 1, refid: 50484330, correction: 0\.[0-9]{9}, skew: [0-9]+\.[0-9]{3}\n"
    play.show(0)
    with play.Daemon() as daemon:
        settled(daemon)
        result, took = waits()
        check("in sync: at once, in chronyc's words", result.returncode == 0 and took < 0.5
              and re.fullmatch(line, result.stdout), f"{took} {result}")
        result, took = waits("2", "0", "0.0000001", "0.1")
        check("a skew that is never reached: two tries, then 1", result.returncode == 1
              and result.stdout.count("try: ") == 2 and took < 2, f"{took} {result}")
        result, took = waits("--after-resume")
        check("after a resume: by a reading that is made at once", result.returncode == 0
              and took < 0.4, f"{took} {result}")
        time.sleep(2)  # until it reads once a second again: the next reading is not due by itself
        daemon.play.jump(60)
        result, took = waits("--after-resume")
        check("and the jump of a moment ago is repaired then", result.returncode == 0
              and abs(daemon.error()) < 1e-3 and took < 0.6, f"{took} {daemon.error()} {result}")
        play.hide(0)
    with play.Daemon(host_ahead=0.25) as daemon:
        threading.Timer(1.0, play.show, (0,)).start()
        result, took = waits("0", "0.1", "0", "30")
        check("not in sync yet: as soon as it is, not at the next try", result.returncode == 0
              and 0.5 < took < 6 and result.stdout.count("try: ") == 2
              and "refid: 00000000" in result.stdout and abs(daemon.error()) < 0.1,
              f"{took} {result}")
        play.hide(0)


def test_waitsync_without_daemon():
    result, took = waits("1")
    check("no daemon: one try, one sentence, and 1", result.returncode == 1 and took < 1
          and result.stderr.startswith("vmtime: vmtimed is not running") and not result.stdout,
          repr(result))
    result, took = waits("--timeout", "0.5")
    check("--timeout: given up then", result.returncode == 1 and 0.4 < took < 1.5
          and len(result.stderr.splitlines()) == 1, f"{took} {result}")
    play.show(0)
    waiting = subprocess.Popen([stage.VMTIME, "waitsync"], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    with play.Daemon() as daemon:
        check("a daemon that comes later is waited for", waiting.wait(8) == 0, daemon.log())
    play.hide(0)
    for words in (["x"], ["-1"], ["1", "x"], ["1", "1", "-1"], ["1", "1", "1", "y"],
                  ["1", "1", "1", "1", "1"], ["--timeout", "x"], ["--json"]):
        result, _ = waits(*words)
        check(f"wrong: {words}", result.returncode == 2 and result.stderr.startswith("vmtime: "),
              repr(result))


def test_killed_waiter():
    """Who stops waiting leaves nothing behind."""
    with play.Daemon() as daemon:
        for _ in range(30):
            with stage.connect() as client:
                client.sendall(b'{"v":1,"cmd":"waitsync","timeout_ns":3600000000000}\n')
        with stage.connect() as client:
            client.sendall(b'{"v":1,"id":1,"cmd":"waitsync","timeout_ns":300000000}\n'
                           b'{"v":1,"id":2,"cmd":"tracking"}\n')
            file = client.makefile("rb")
            began = time.monotonic()
            first, second = json.loads(file.readline()), json.loads(file.readline())
            check("thirty that went away make room, and replies keep their order", first["id"] == 1 and second["id"] == 2
                  and not first.get("waitsync", {"is_met": True})["is_met"]
                  and 0.25 < time.monotonic() - began < 2, [first, second])
        check("it ends in order", daemon.end() == 0, daemon.log())


stage.finish(test_list, test_everybody_may_ask, test_follow, test_many_followers, test_waitsync,
             test_waitsync_without_daemon, test_killed_waiter)
