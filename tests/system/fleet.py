# SPDX-License-Identifier: Apache-2.0
"""fleet.py - a made-up fleet behind the real HTTP, for tests

    with fleet.Fleet(program, 1000) as served:
        served.get("/metrics")
        served.say("offset web-0000 12.3")

See made_fleet.c for what can be said.
"""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

_failures = []


def skip(reason):
    """Ends here; what has failed by now stays failed."""
    print("skip:", reason)
    sys.exit(1 if _failures else 77)


def need(program):
    path = shutil.which(program)
    if not path:
        skip("%s is not installed" % program)
    return path


def check(what, ok, detail=None):
    print("%s %s" % ("ok  " if ok else "FAIL", what), "" if ok or detail is None else repr(detail)[:2000],
          flush=True)
    if not ok:
        _failures.append(what)
    return ok


def wait_for(what, condition, seconds=20):
    """Until condition() is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            check(what, True)
            return value
        time.sleep(0.05)
    check(what, False, "not within %s s" % seconds)
    return None


def finish(*tests):
    """Runs them: those that the command line names behind a --, or all."""
    wanted = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        print("--", test.__name__, flush=True)
        test()
    if _failures:
        print("%d failed: %s" % (len(_failures), "; ".join(_failures)))
    sys.exit(1 if _failures else 0)


class Fleet:
    def __init__(self, program, n, *options):
        self.process = subprocess.Popen([program, str(n), *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline().split()
        if first[:1] != ["port"]:
            self.why = self.process.stderr.read()
            self.process.wait()
            if self.process.returncode == 77:
                skip(self.why.strip())
            self.port = None
        else:
            self.port = int(first[1])
        self.tls = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            check("the server ends when it is told to", False)
        if self.port:
            check("the server ended well", self.process.returncode == 0, self.process.stderr.read())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def connection(self, timeout=10):
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, path, method="GET", headers=None, body=None):
        """(status, headers, body)"""
        connection = self.connection()
        try:
            connection.request(method, path, headers=headers or {}, body=body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.ask(path)
        assert status == 200, (path, status, body)
        return body.decode()

    def json(self, path):
        return json.loads(self.get(path))

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)


def make_certificate(folder):
    """(certificate, key): of localhost, signed by itself."""
    certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run([need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, env=dict(os.environ, OPENSSL_CONF="/dev/null"))
    return certificate, key


def make_token(folder, text="correct-horse-battery-staple", mode=0o600):
    path = os.path.join(folder, "token")
    with open(path, "w", encoding="ascii") as f:
        f.write(text + "\n")
    os.chmod(path, mode)
    return path


def tls_context(certificate):
    return ssl.create_default_context(cafile=certificate)


def folder():
    return tempfile.TemporaryDirectory(prefix="vmtime-http-")
