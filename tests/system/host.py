#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""host.py VMTIMED VMTIME PLAY.SO - what the host says through its channel, and what others say

vsock is played (play.c): the address that a connection comes from is the test's to choose.
"""

import json
import os
import socket
import statistics
import time

import stage
import play
from stage import check

stage.enter(seconds=110)

NUDGE = b'{"v":1,"cmd":"nudge","reason":"pause"}\n'
LOOKS_A_SECOND = 5  # one of the daemon's own, four by nudges


def ask(client, request):
    client.sendall(request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n")
    reply = b""
    while not reply.endswith(b"\n"):
        part = client.recv(65536)
        if not part:
            break
        reply += part
    return json.loads(reply) if reply else None


def quality(**said):
    return {"v": 1, "cmd": "host-quality", "daemon": "chronyd", "is_synchronized": True,
            "root_distance_ns": 5000000, "leap": "normal", **said}


def status():
    return json.loads(stage.vmtime("status", "--json").stdout)


def settle(daemon):
    stage.until(5, lambda: abs(daemon.error()) < 1e-6)


def time_to_right(daemon):
    """Looked at every half millisecond; None where it takes more than 0.9 s."""
    began = time.monotonic()
    while time.monotonic() - began < 0.9:
        if abs(daemon.error()) < 1e-3:
            return time.monotonic() - began
        time.sleep(0.0005)
    return None


def test_a_nudge_is_a_reading_at_once():
    play.show_vsock()
    with play.Daemon() as daemon, play.vsock() as host:
        settle(daemon)
        took = []
        for _ in range(11):
            time.sleep(0.3)
            daemon.play.jump(10)
            host.sendall(NUDGE)
            took.append(time_to_right(daemon))
            reply = json.loads(host.recv(1024))
            check("a nudge is answered", reply == {"v": 1, "ok": True, "nudge": {
                "is_delayed": False}}, reply)
        # Three readings, 25 ms apart, and a busy machine.
        check("after a nudge the clock is right", None not in took, took)
        # Three readings, 5 ms apart.
        check(f"median {statistics.median(took) * 1e3:.0f} ms, worst {max(took) * 1e3:.0f} ms",
              statistics.median(took) < 0.02 and max(took) < 0.5, took)
        steps = daemon.play["steps"]
        readings = daemon.play["readings"]
        ask(host, NUDGE)
        check("a nudge without a jump is a reading", stage.until(
            0.5, lambda: daemon.play["readings"] > readings))
        time.sleep(0.5)
        check("and no step", daemon.play["steps"] == steps and abs(daemon.error()) < 1e-6)


def test_root_may_nudge_too():
    play.show_vsock()
    with play.Daemon() as daemon:
        settle(daemon)
        daemon.play.jump(-5)
        result = stage.vmtime("nudge", "--reason", "restore")
        check("vmtime nudge", result.returncode == 0 and "now" in result.stdout, result)
        check("is a reading at once", daemon.is_right(seconds=0.7) is not None)
        check("which names a cause", daemon.says('cause="restore'), daemon.log())
        check("and is counted", status()["host_channel"]["nudges"] == 1)
        result = stage.vmtime("nudge", "--reason", "because")
        check("a reason that is none is a usage error", result.returncode == 2, result)
        readings = daemon.play["readings"]
        result = stage.vmtime("nudge", preexec_fn=lambda: os.setresuid(65534, 65534, 65534))
        check("others may not", result.returncode == 1 and "only root" in result.stderr, result)
        check("and nothing is read for them", daemon.play["readings"] - readings <= 1
              and status()["host_channel"]["nudges"] == 1)
        for _ in range(12):
            result = stage.vmtime("nudge")
        check("often is too often", "in a moment" in result.stdout, result)


def refused(cid, port):
    """What a connection from there gets, after a nudge was sent on it."""
    with play.vsock(cid, port) as client:
        try:
            client.sendall(NUDGE)
            heard = client.recv(1)
        except ConnectionError as error:
            # Closed with bytes unread is a reset; closed before they were sent is a broken pipe.
            return type(error).__name__
        return heard


def test_nobody_else_is_read():
    play.show_vsock()
    with play.Daemon() as daemon:
        for cid, port in ((3, 1023), (1, 1023), (0, 1), (2, 1024), (2, 4294967294), (258, 1023)):
            got = refused(cid, port)
            check(f"CID {cid} port {port} is closed unread", got in (
                "ConnectionResetError", "BrokenPipeError"), got)
        channel = status()["host_channel"]
        check("they are counted", (channel["refused"], channel["requests"], channel["nudges"])
              == (6, 0, 0), channel)
        check("and told once", len(daemon.lines("refused")) == 1
              and "only the host's root" in daemon.log(), daemon.log())
        with play.vsock(2, 1023) as host:
            check("the host is answered", ask(host, NUDGE)["ok"])


def test_a_flood_costs_little():
    play.show_vsock()
    with play.Daemon() as daemon:
        settle(daemon)
        hosts = [play.vsock(2, port) for port in (1, 2, 3, 4)]
        with play.vsock(2, 5) as fifth:
            heard = fifth.recv(1024)
            check("a fifth connection is told so", b'"busy"' in heard and not fifth.recv(1), heard)
        for host in hosts:
            host.setblocking(False)
        left = [NUDGE * 2500 for _ in hosts]
        began, readings, slowest = time.monotonic(), daemon.play["readings"], 0.0
        while time.monotonic() - began < 6:
            for i, host in enumerate(hosts):
                try:
                    left[i] = left[i][host.send(left[i][:4096]):] if left[i] else b""
                except BlockingIOError:
                    pass
                try:
                    host.recv(65536)
                except BlockingIOError:
                    pass
            asked = time.monotonic()
            status()
            slowest = max(slowest, time.monotonic() - asked)
        took = time.monotonic() - began
        looks = daemon.play["readings"] - readings
        check("a flood leads to few readings", looks <= 8 + LOOKS_A_SECOND * (took + 1),
              f"{looks} in {took:.1f} s")
        check("others are served", slowest < 1, slowest)
        check("the clock is right", abs(daemon.error()) < 1e-6, daemon.error())
        nudges = status()["host_channel"]["nudges"]
        check("and the flood was one", nudges > 1000 and not any(left), nudges)
        daemon.play.jump(10)
        for host in hosts:
            host.close()
        check("a pause at its end is found", daemon.is_right(seconds=3) is not None)


def test_quality_only_widens():
    play.show_vsock()
    stage.write(stage.CONFIGURATION, "rtcsync\nhosterror 2ms\n")
    with play.Daemon() as daemon, play.vsock() as host:
        settle(daemon)
        check("hosterror by itself", status()["host_error_ns"] == 2000000, status())
        reply = ask(host, quality())
        check("quality is taken", reply["ok"] and reply["host-quality"]["valid_ns"] == 300 * 10**9,
              reply)
        said = status()
        check("it widens", 5000000 < said["host_error_ns"] < 5100000
              and said["host_quality"]["daemon"] == "chronyd", said)
        stage.until(3, lambda: daemon.play["maxerror"] >= 5000)
        check("the kernel is told", 5000 <= daemon.play["maxerror"] < 6000, daemon.play["maxerror"])
        check("so is root dispersion", status()["tracking"]["root_dispersion_ns"] > 5000000)
        check("people are told", "against true time" in stage.vmtime("status").stdout)
        ask(host, quality(root_distance_ns=1000))
        check("less than hosterror counts as hosterror", status()["host_error_ns"] == 2000000,
              status())
        ask(host, quality(is_synchronized=False, leap="not-synchronised"))
        said = status()
        check("not synchronised is not known", "host_error_ns" not in said
              and not said["host_quality"]["is_synchronized"], said)
        check("and said", "not synchronised" in stage.vmtime("status").stdout
              and daemon.says("not synchronised"))
        for bad in (quality(root_distance_ns=-1), quality(time_unix_ns=1), quality(leap="no")):
            check(f"{bad} is refused", not ask(host, bad)["ok"])
        ask(host, quality())
        steps = daemon.play["steps"]
        daemon.play.jump(10)
        ask(host, NUDGE)
        daemon.is_right()
        said = status()
        check("after a jump it does not count any more", said["host_error_ns"] == 2000000
              and "host_quality" not in said, said)
        check("and it never moved the clock", daemon.play["steps"] == steps + 1)
        check("status over the channel is short", ask(host, {"v": 1, "cmd": "status"})["status"]
              .keys() == {"state", "offset_ns", "bound_ns"})
    stage.write(stage.CONFIGURATION, "")


def hung_up(client):
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def test_limits_and_lateness():
    play.hide_vsock()
    with play.Daemon("-L", "-1") as daemon:
        check("without vsock the clock is right", daemon.is_right() is not None)
        check("it is told in a whisper", len(daemon.lines("no vsock")) == 1, daemon.log())
        check("and in the status", status()["host_channel"]["is_listening"] is False)
        play.show_vsock()
        began = time.monotonic()
        check("a late module is found", daemon.says("may speak on vsock port 9532", seconds=35),
              daemon.log())
        check("though not at once", time.monotonic() - began > 1)
        silent = play.vsock(2, 1)  # that it ends after 30 s, tests/unit/test_line_server.c knows
        with play.vsock(2, 2) as host:
            try:
                host.sendall(b"x" * 100000)
            except ConnectionError:
                pass
            check("a line of 100 kB is the end", hung_up(host))
        with play.vsock(2, 2) as host:
            check("one of 2 kB is refused", ask(host, b" " * 2000 + b"\n")["error"]["code"]
                  == "too-long")
            check("and the next one served", ask(host, NUDGE)["ok"])
        silent.close()


def test_switched_off_and_moved():
    play.show_vsock()
    stage.write(stage.CONFIGURATION, "rtcsync\nvsock off\n")
    with play.Daemon() as daemon:
        check("off is off", "host_channel" not in status() and "vsock" not in daemon.log())
        stage.write(stage.CONFIGURATION, "rtcsync\nvsock 9999\n")
        daemon.process.send_signal(1)
        check("a reload opens it elsewhere", daemon.says("may speak on vsock port 9999"))
        with play.vsock(port=9999) as host:
            check("where it answers", ask(host, NUDGE)["ok"])
        try:
            play.vsock().close()
            check("and not on the usual port", False)
        except OSError:
            check("and not on the usual port", True)
    stage.write(stage.CONFIGURATION, "")


play.show(0)
stage.finish(test_a_nudge_is_a_reading_at_once, test_root_may_nudge_too, test_nobody_else_is_read,
             test_a_flood_costs_little, test_quality_only_widens, test_switched_off_and_moved,
             test_limits_and_lateness)
