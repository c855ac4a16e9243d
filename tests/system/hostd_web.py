#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostd_web.py VMTIME-HOSTD VMTIME FLEET_PLAY - the real daemon's page, API and metrics

The guests are played, the daemon is real: what it serves is what it knows, it refuses to serve others
without TLS and a token, a reload changes certificate and token, and clients that dawdle do not
keep it from its guests.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import fleet as tools
import stage
from played_fleet_stand import HOSTD, RULE, Fleet, Hostd, percentile, wait_for_all
from stage import check, until

stage.enter(seconds=110)

FIVE = 5 * 10**6  # seconds, in microseconds
HERE = "http 127.0.0.1:9532"


def ask(path, context=None, token=None):
    """(status, body)"""
    connection = (http.client.HTTPSConnection("127.0.0.1", 9532, timeout=5, context=context) if context else
                  http.client.HTTPConnection("127.0.0.1", 9532, timeout=5))
    try:
        connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def get(path):
    status, body = ask(path)
    return json.loads(body) if status == 200 and path.startswith("/api") else body


def metric(text, name, guest):
    found = re.search(rf'^{name}{{guest="{guest}",backend="qemu"[^}}]*}} (\S+)$', text, re.M)
    return float(found.group(1)) if found else None


def test_it_serves_what_it_knows():
    with Fleet(50) as fleet, Hostd(HERE) as hostd:
        if "built without" in hostd.log():
            stage.skip("vmtime-hostd was built without libmicrohttpd")
        check("all are found", wait_for_all(fleet, hostd), hostd.log())
        served = {g["name"]: g for g in get("/api/guests")["guests"]}
        told = hostd.guests()
        check("the same guests as `vmtime guests`", set(served) == set(told) and len(served) == 50, set(served) ^ set(told))
        check("in the same words", all(set(served[name]) == set(told[name]) and served[name]["state"] == told[name]["state"]
                                       for name in told), (served["vm-0000"], told["vm-0000"]))
        host = get("/api/host")
        check("the host", host["host"]["version"] and host["host"]["clocksource"] and sum(host["states"].values()) == 50, host)
        fleet.do("forget all")
        fleet.do("stop 3")
        check("one that stopped", until(3, lambda: get("/api/host")["states"]["stopped"] == 1), get("/api/host"))
        check("does not run", metric(get("/metrics"), "vmtime_guest_running", "vm-0003") == 0)
        fleet.do(f"resume 3 {FIVE}")
        until(5, lambda: hostd.guests()["vm-0003"].get("last", {}).get("end") == "set")
        time.sleep(0.6)
        text = get("/metrics")
        lost = metric(text, "vmtime_guest_last_lost_seconds", "vm-0003")
        took = metric(text, "vmtime_guest_last_recovery_seconds", "vm-0003")
        check("what it lost", lost and 5 <= lost < 6, lost)
        check("how long it took", took and 0 < took < 1, took)
        check("that it was set", metric(text, "vmtime_guest_sets_total", "vm-0003") == 1 and
              metric(text, "vmtime_guest_repaired", "vm-0003") == 1)
        check("and no other", metric(text, "vmtime_guest_sets_total", "vm-0004") == 0)
        check("all is counted", 'vmtime_hostd_repairs_total{end="set"} 1\n' in text and
              "vmtime_hostd_recovery_seconds_count" in text)
        history = get("/api/history?guest=vm-0003")
        marks = [p["mark"] for p in history["points"] if p["mark"] != "measured"]
        check("its history", marks[-3:] == ["disrupted", "set", "right"] or
              ["disrupted", "set", "right"] == [m for m in marks if m in ("disrupted", "set", "right")][-3:], marks)
        everything = {g["name"]: g for g in get("/api/history")["guests"]}
        check("everybody's history", len(everything) == 50 and
              [m[1] for m in everything["vm-0003"]["marks"]] == marks, everything["vm-0003"])
        promtool = shutil.which("promtool")
        if promtool:
            said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            check("promtool has nothing to say", said.returncode == 0 and not said.stdout + said.stderr, said)
        else:
            print("skip: promtool is not installed")


def test_a_thousand_and_dawdlers():
    with Fleet(1000) as fleet, Hostd(HERE) as hostd:
        check("all are found", wait_for_all(fleet, hostd, 20), hostd.log())
        times = []
        for _ in range(30):
            time.sleep(0.05)
            before = time.monotonic()
            text = get("/metrics")
            times.append((time.monotonic() - before) * 1e3)
        check(f"/metrics takes {percentile(times, 0.5):.1f} ms, {max(times):.1f} at most (50)",
              text.count("vmtime_guest_running{") == 1000 and percentile(times, 0.5) <= 50, times)
        slow = []
        for _ in range(100):
            s = socket.create_connection(("127.0.0.1", 9532))
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")
            slow.append(s)
        fleet.do("stop all")
        fleet.do("forget all")
        fleet.do(f"resume all {FIVE}")
        answered = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            answered += "vmtime_guests{" in get("/metrics")
        until(5, lambda: all(row["sets"] for row in fleet.report().values()))
        worst = max(row["set_after_us"] for row in fleet.report().values()) / 1e3
        check(f"with {answered} answers and 100 dawdlers meanwhile the last was set after {worst:.0f} ms",
              answered > 5 and worst < 1500, worst)
        check(f"{hostd.memory():.1f} MB at most (40)", hostd.memory() <= 40)
        for s in slow:
            s.close()


def refused(*directives):
    said = subprocess.run([HOSTD, "-d", RULE, "libvirt off", "socket /run/vmtime/other.sock", "pidfile /run/vmtime/other.pid",
                           *directives], capture_output=True, text=True, timeout=10, check=False)
    return said.returncode != 0 and said.stderr


def test_refusals():
    with tools.folder() as folder:
        certificate, key = tools.make_certificate(folder)
        token = tools.make_token(folder, mode=0o644)
        why = refused("http 0.0.0.0:9532")
        check("others need TLS and a token", why and "missing: both" in why, why)
        why = refused("http [::]:9532", f"tls {certificate} {key}")
        check("a token", why and "missing: token" in why, why)
        why = refused("http 192.0.2.1:9532", f"token {token}")
        check("TLS", why and "missing: tls" in why, why)
        why = refused("http 0.0.0.0:9532", f"tls {certificate} {key}", f"token {token}")
        check("one that others cannot read", why and "chmod 600" in why, why)
        why = refused("http 127.0.0.1:9532", f"tls {certificate} {folder}/none")
        check("a key that is there", why and "No such file" in why, why)


def test_a_port_that_is_taken():
    with socket.socket() as taken, Fleet(1) as fleet:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 9532))
        taken.listen(1)
        with Hostd(HERE) as hostd:
            check("it is told", "in use; tried again" in hostd.log(), hostd.log())
            check("and the guests are looked after", wait_for_all(fleet, hostd))
            taken.close()
            hostd.process.send_signal(signal.SIGHUP)
            check("a reload tries at once", until(5, lambda: "reloaded" in hostd.log()) and
                  len(get("/api/guests")["guests"]) == 1, hostd.log())


def serial_of_server():
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", 9532), timeout=5) as raw, context.wrap_socket(raw) as s:
        return s.getpeercert(binary_form=True)


def test_a_reload_takes_what_is_new():
    with tools.folder() as folder, Fleet(1):
        certificate, key = tools.make_certificate(folder)
        token = tools.make_token(folder)
        with Hostd("http 0.0.0.0:9532", f"tls {certificate} {key}", f"token {token}") as hostd:
            context = tools.tls_context(certificate)
            check("without a token: no", ask("/metrics", context)[0] == 401)
            check("with it: yes", ask("/metrics", context, "correct-horse-battery-staple")[0] == 200)
            before = serial_of_server()
            tools.make_certificate(folder)
            tools.make_token(folder, "another-secret-of-some-length")
            hostd.process.send_signal(signal.SIGHUP)
            until(5, lambda: "reloaded" in hostd.log())
            check("the new certificate", serial_of_server() != before)
            context = tools.tls_context(certificate)
            check("the new token", ask("/metrics", context, "another-secret-of-some-length")[0] == 200 and
                  ask("/metrics", context, "correct-horse-battery-staple")[0] == 401)
            os.chmod(token, 0o644)
            hostd.process.send_signal(signal.SIGHUP)
            check("an error is told", until(5, lambda: "the old one stays" in hostd.log()), hostd.log())
            check("and changes nothing", ask("/metrics", context, "another-secret-of-some-length")[0] == 200)
            check("no secret is in the log", "secret" not in hostd.log() and "battery" not in hostd.log())


stage.finish(test_it_serves_what_it_knows, test_a_thousand_and_dawdlers, test_refusals, test_a_port_that_is_taken,
             test_a_reload_takes_what_is_new)
