#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostd_http.py MADE_FLEET - what vmtime-hostd serves, and to whom

The real HTTP, a fleet that is made up, clients that mean well and clients that do not.
"""

import base64
import os
import random
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time
import warnings

import fleet
from fleet import check

PROGRAM = os.path.abspath(sys.argv[1])
TOKEN = "correct-horse-battery-staple"
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
                               "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_what_is_there():
    with fleet.Fleet(PROGRAM, 40) as served:
        for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/style.css", "text/css"),
                           ("/icon.svg", "image/svg+xml"), ("/dygraph.js", "text/javascript"),
                           ("/metrics", "text/plain; version=0.0.4"), ("/api/guests", "application/json"),
                           ("/api/host", "application/json"), ("/api/history", "application/json")):
            status, headers, body = served.ask(path)
            check("%s is %s" % (path, kind), status == 200 and headers["Content-Type"].startswith(kind) and body,
                  (status, headers.items()))
            check("%s is dressed" % path, all(headers[name] == SECURITY[name] for name in SECURITY), headers.items())
            head = served.ask(path, "HEAD")
            check("HEAD %s has no body" % path, head[0] == 200 and head[2] == b"", head[0])
        guests = served.json("/api/guests")["guests"]
        check("all guests, sorted", [g["name"] for g in guests] == sorted(g["name"] for g in guests) and
              len(guests) == 40)
        host = served.json("/api/host")
        check("the host alone", "guests" not in host and sum(host["states"].values()) == 40, host)
        status, headers, _ = served.ask("/page.js")
        again = served.ask("/page.js", headers={"If-None-Match": headers["ETag"]})
        check("a file that is known is not sent again", again[0] == 304 and again[2] == b"", again[0])


def test_what_is_not():
    with fleet.Fleet(PROGRAM, 3) as served:
        for path in ("/x", "/index.html", "/../etc/passwd", "/%2e%2e/etc/passwd", "//", "/api", "/api/", "/api/guests/",
                     "/page.js/", "/page/", "*"):
            check("%s is nothing" % path, served.ask(path)[0] == 404)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
            status, headers, _ = served.ask("/api/guests", method, body=b"x" * 10)
            check("%s is refused" % method, status == 405 and headers["Allow"] == "GET, HEAD", status)
        check("a GET with a body is answered", served.ask("/api/host", body=b"x" * 100000)[0] == 200)
        check("no such guest", served.ask("/api/history?guest=nobody")[0] == 404)
        check("no such back end", served.ask("/api/history?guest=web-0000&backend=vsock")[0] == 404)
        check("since is a number", served.ask("/api/history?since=yesterday")[0] == 400)


def test_history():
    with fleet.Fleet(PROGRAM, 40) as served:
        whole = served.json("/api/history")
        one = served.json("/api/history?guest=web-0000&backend=libvirt")
        mine = [g for g in whole["guests"] if g["name"] == "web-0000"][0]
        measured = [p for p in one["points"] if "offset_ns" in p]
        check("an hour", len(measured) >= 60 and one["name"] == "web-0000", len(measured))
        check("columns are as long as each other",
              len(mine["at_ms"]) == len(mine["offset_us"]) == len(mine["uncertainty_us"]) == len(measured))
        check("both say the same", all(
            at == p["at_unix_ns"] // 1000000 and abs(offset - p["offset_ns"] / 1000) < 1 and
            0 <= error - p["uncertainty_ns"] / 1000 < 1 for at, offset, error, p in
            zip(mine["at_ms"], mine["offset_us"], mine["uncertainty_us"], measured)))
        marks = [[p["at_unix_ns"] // 1000000, p["mark"]] for p in one["points"] if p["mark"] != "measured"]
        check("marks", mine["marks"] == marks and ["disrupted", "set"] == [m[1] for m in marks[:2]], (marks, mine["marks"]))
        middle = measured[30]["at_unix_ns"]
        later = served.json("/api/history?since=%d" % middle)
        mine = [g for g in later["guests"] if g["name"] == "web-0000"][0]
        check("only what is later", mine["at_ms"] == [p["at_unix_ns"] // 1000000 for p in measured[31:]])
        check("nothing new, nothing said", served.json("/api/history?since=%d" % whole["now_unix_ns"])["guests"] == [])


def keys_of(value):
    if isinstance(value, dict):
        return set(value) | set().union(*map(keys_of, value.values()), set())
    return set().union(*map(keys_of, value), set()) if isinstance(value, list) else set()


def test_the_document_has_every_key():
    document = os.path.join(os.path.dirname(__file__), "../../docs/protocol/http.md")
    with open(document, encoding="utf-8") as f:
        text = f.read()
    told = set(re.findall(r'"([a-z_0-9]+)":', text)) | set(re.findall(r"`([a-z_0-9]+)`", text))
    with fleet.Fleet(PROGRAM, 100) as served:
        for path in ("/api/host", "/api/guests", "/api/history", "/api/history?guest=web-0000"):
            keys = keys_of(served.json(path))
            check("%s: docs/protocol/http.md has every key" % path, len(keys) > 4 and keys <= told, keys - told)


def promtool_check(text):
    promtool = shutil.which("promtool")
    if not promtool:
        return None
    return subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)


def test_metrics():
    with fleet.Fleet(PROGRAM, 200) as served:
        text = served.get("/metrics")
        names = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        used = set(re.sub(r"_(bucket|sum|count)$", "", n) if re.sub(r"_(bucket|sum|count)$", "", n) in names else n
                   for n in re.findall(r"^([a-z_]+)[{ ]", text, re.M))
        check("every series has a type", used == names, used ^ names)
        check("every type has a help", names == set(re.findall(r"^# HELP (\S+)", text, re.M)))
        series = re.findall(r"^[^#\n]+(?= \S+$)", text, re.M)
        check("no series stands there twice", len(series) == len(set(series)))
        check("few series a guest", len([s for s in series if s.startswith("vmtime_guest_")]) <= 17 * 200, len(series))
        document = os.path.join(os.path.dirname(__file__), "../../docs/fleet.md")
        with open(document, encoding="utf-8") as f:
            told = set(re.findall(r"`((?:vmtime|process)_[a-z_]+)`", f.read()))
        check("docs/fleet.md tells of each metric, and of no other", told == names, told ^ names)
        answer = promtool_check(text)
        if answer is None:
            print("skip: promtool is not installed")
        else:
            check("promtool has nothing to say", answer.returncode == 0 and answer.stdout + answer.stderr == "",
                  answer.stdout + answer.stderr)


def test_rebinding():
    with fleet.Fleet(PROGRAM, 3) as served:
        for host in ("evil.example:%d" % served.port, "localhost.evil.example", "192.0.2.1", ""):
            check("Host %r is refused" % host, served.ask("/api/guests", headers={"Host": host})[0] in (400, 403))
        for host in ("localhost", "127.0.0.1:80", "LOCALHOST:%d" % served.port, "[::1]:9532"):
            check("Host %r is served" % host, served.ask("/api/guests", headers={"Host": host})[0] == 200)


def refusal(*options):
    with fleet.Fleet(PROGRAM, 3, *options) as served:
        return None if served.port else served.why


def test_other_machines_need_tls_and_a_token():
    with fleet.folder() as folder:
        certificate, key = fleet.make_certificate(folder)
        token = fleet.make_token(folder)
        why = refusal("--address", "0.0.0.0")
        check("nothing but an address", why and "tls" in why and "token" in why and "missing: both" in why, why)
        why = refusal("--address", "0.0.0.0", "--certificate", certificate, "--key", key)
        check("no token", why and "missing: token" in why, why)
        why = refusal("--address", "0.0.0.0", "--token", token)
        check("no TLS", why and "missing: tls" in why, why)
        why = refusal("--certificate", certificate)
        check("no key", why and "the key is missing" in why, why)
        os.chmod(token, 0o644)
        why = refusal("--token", token)
        check("a token that others can read", why and "chmod 600" in why, why)
        why = refusal("--token", os.path.join(folder, "none"))
        check("no such file", why and "No such file" in why, why)
        other = os.path.join(folder, "other")
        os.mkdir(other)
        _, foreign = fleet.make_certificate(other)
        why = refusal("--certificate", certificate, "--key", foreign)
        check("a key of another certificate", why, why)
        why = refusal("--certificate", key, "--key", key)
        check("no certificate", why, why)
        with fleet.Fleet(PROGRAM, 3) as first:
            why = refusal("--port", str(first.port))
            check("a port that is taken", why and "in use" in why, why)


def test_tls_and_token():
    with fleet.folder() as folder:
        certificate, key = fleet.make_certificate(folder)
        token = fleet.make_token(folder)
        with fleet.Fleet(PROGRAM, 30, "--address", "0.0.0.0", "--certificate", certificate, "--key", key,
                         "--token", token) as served:
            served.tls = fleet.tls_context(certificate)
            basic = lambda text: "Basic " + base64.b64encode(text.encode()).decode()
            for what, header, want in (
                    ("nothing", None, 401), ("Bearer", "Bearer " + TOKEN, 200), ("Basic", basic("me:" + TOKEN), 200),
                    ("a wrong token", "Bearer " + TOKEN[:-1] + "X", 401), ("a wrong password", basic("me:x"), 401),
                    ("a longer token", "Bearer " + TOKEN + "x", 401), ("the token as a name", basic(TOKEN + ":"), 401)):
                for path in ("/", "/metrics", "/api/guests", "/nothing"):
                    status, headers, _ = served.ask(path, headers={"Authorization": header} if header else {})
                    expected = 404 if want == 200 and path == "/nothing" else want
                    check("%s with %s: %d" % (path, what, expected), status == expected, status)
                    if expected == 401:
                        check("a browser is told to ask", headers["WWW-Authenticate"].startswith("Basic "))
            check("any name of this host will do", served.ask("/api/host", headers={
                "Host": "kvm7.example", "Authorization": "Bearer " + TOKEN})[0] == 200)
            with socket.create_connection(("127.0.0.1", served.port)) as plain:
                plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                check("without TLS nothing is served", b"vmtime_" not in plain.recv(4096))
            for version, want in ((ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
                                  (ssl.TLSVersion.TLSv1_1, False)):
                check("%s: %s" % (version.name, want), speaks(served.port, version) == want)


def speaks(port, version):
    warnings.simplefilter("ignore")  # it knows that TLS 1.1 is old
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, context.wrap_socket(raw):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def status_of(answer):
    found = re.match(rb"HTTP/1\.[01] (\d+)", answer)
    return int(found.group(1)) if found else None


def exchange(served, data, seconds=15):
    """Everything that comes back for @data; whatever the other end does is fine."""
    answer = b""
    with served.socket() as s:
        s.settimeout(seconds)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while True:
                piece = s.recv(65536)
                if not piece:
                    return answer
                answer += piece
        except OSError:
            return answer


def test_bad_input():
    with fleet.Fleet(PROGRAM, 100) as served:
        answer = exchange(served, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
        check("1 MB of one header", status_of(answer) in (None, 400, 413, 431), answer[:80])
        answer = exchange(served, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200000 + b"\r\n")
        check("1 MB of headers", status_of(answer) in (None, 400, 413, 431), answer[:80])
        answer = exchange(served, b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check("1 MB of path", status_of(answer) in (None, 400, 414), answer[:80])
        answer = exchange(served, b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n")
        check("HTTP 9.9", status_of(answer) in (None, 400, 505), answer[:80])
        seed = random.randrange(1 << 32)
        print("seed", seed)
        draw = random.Random(seed)
        for _ in range(150):
            exchange(served, draw.randbytes(draw.randrange(1, 3000)), 0.02)
        good = b"GET /api/host HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for _ in range(150):
            text = bytearray(good)
            for _ in range(draw.randrange(1, 4)):
                text[draw.randrange(len(text))] = draw.randrange(256)
            exchange(served, bytes(text), 0.02)
        for cut in range(len(good)):
            exchange(served, good[:cut], 0.005)
        check("it serves on", served.json("/api/host")["v"] == 1)


def cpu_of(process):
    with open("/proc/%d/stat" % process.pid, encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(process):
    with open("/proc/%d/status" % process.pid, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def test_slow_clients():
    """Connections that dawdle: /metrics is answered meanwhile, and none stays for ever."""
    with fleet.Fleet(PROGRAM, 1000) as served:
        began, cpu = time.monotonic(), cpu_of(served.process)
        slow = [served.socket() for _ in range(100)]
        for s in slow:
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        stalling = [served.socket() for _ in range(30)]
        for s in stalling:  # ask for a megabyte and do not take it
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        worst, answers = 0, 0
        gone = set()
        while time.monotonic() - began < 13:
            before = time.monotonic()
            answers += "vmtime_guest_offset_seconds" in served.get("/metrics")
            worst = max(worst, time.monotonic() - before)
            for i, s in enumerate(slow):
                try:
                    s.sendall(b"X: y\r\n")  # a line every now and then
                except OSError:
                    gone.add(i)
            time.sleep(0.4)
        check("/metrics is answered among 130 dawdlers", answers >= 15 and worst < 3, (answers, worst))
        check("who has not asked within 10 s is gone", len(gone) == 100, len(gone))
        used = cpu_of(served.process) - cpu
        check("waiting costs nothing", used < 3, used)
        print("worst answer %.0f ms, %d answers, %.2f s of CPU, %.1f MB" % (
            worst * 1e3, answers, used, memory_of(served.process)))
        for s in slow + stalling:
            s.close()


def test_too_many_clients():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with fleet.Fleet(PROGRAM, 100) as served:
        many = []
        for _ in range(600):
            s = served.socket()
            s.sendall(b"G")
            many.append(s)
        before = time.monotonic()
        check("the next one is served", served.json("/api/host")["v"] == 1)
        check("at once", time.monotonic() - before < 2, time.monotonic() - before)
        held = len(os.listdir("/proc/%d/fd" % served.process.pid))
        check("it holds no more than its limit", held < 280, held)
        for s in many:
            s.close()
        fleet.wait_for("all are let go", lambda: len(os.listdir("/proc/%d/fd" % served.process.pid)) < 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_as_many_as_may_be():
    """4096 guests, and a thousand answers: memory comes back."""
    with fleet.Fleet(PROGRAM, 4096) as served:
        text = served.get("/metrics")
        check("all are there", text.count("vmtime_guest_running{") == 4096)
        served.get("/api/guests")
        fleet.wait_for("what was needed for a moment is given back", lambda: memory_of(served.process) < 25)


fleet.finish(test_what_is_there, test_what_is_not, test_history, test_the_document_has_every_key, test_metrics, test_rebinding,
             test_other_machines_need_tls_and_a_token, test_tls_and_token, test_bad_input, test_slow_clients,
             test_too_many_clients, test_as_many_as_may_be)
