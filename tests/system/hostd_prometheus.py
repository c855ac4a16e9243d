#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostd_prometheus.py MADE_FLEET ROOT - a real Prometheus that watches a fleet

It scrapes with TLS and a token, as docs/fleet.md tells, with the project's own rules; it is asked what it
knows, and whether an alarm is raised.  The rules' own tests run, and every query of the dashboard is
asked of it.
"""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import fleet
from fleet import check

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(sys.argv[2])
RULES = os.path.join(ROOT, "packaging/prometheus/vmtime.rules.yml")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
DASHBOARD = os.path.join(ROOT, "packaging/grafana/vmtime.json")


def scrape_config(port, certificate, token):
    """As docs/fleet.md has it, with our paths, and quicker."""
    with open(os.path.join(ROOT, "docs/fleet.md"), encoding="utf-8") as f:
        block = [b for b in re.findall(r"^```\n(.*?)^```$", f.read(), re.M | re.S) if "scrape_configs" in b][0]
    changes = (("  - vmtime.rules.yml", "  - rules.yml"),
               ("/etc/prometheus/vmtime.token", token), ("/etc/prometheus/hosts-ca.crt", certificate),
               ("kvm1.example:9532, kvm2.example:9532", "'localhost:%d', 'localhost:1'" % port))
    for old, new in changes:
        assert block.count(old) == 1, old
        block = block.replace(old, new)
    return "global:\n  scrape_interval: 300ms\n  scrape_timeout: 300ms\n  evaluation_interval: 300ms\n" + block


class Prometheus:
    def __init__(self, folder, port, certificate, token):
        # The alarms' patience, which the rules' own tests look at, is cut here.
        with open(RULES, encoding="utf-8") as f:
            rules = re.sub(r"for: \d+m", "for: 1s", f.read())
        with open(os.path.join(folder, "rules.yml"), "w", encoding="utf-8") as f:
            f.write(rules)
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as f:
            f.write(scrape_config(port, certificate, token))
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        self.port = free_port()
        self.process = subprocess.Popen(
            [fleet.need("prometheus"), "--config.file=" + os.path.join(folder, "prometheus.yml"),
             "--storage.tsdb.path=" + os.path.join(folder, "data"),
             "--web.listen-address=127.0.0.1:%d" % self.port], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def api(self, path, **arguments):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(arguments))
        try:
            with DIRECT.open(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None  # it is not ready yet
            return {"error": json.load(error).get("error")}
        except OSError:
            return None

    def query(self, text):
        """[(labels, value)], or what is wrong with it."""
        answer = self.api("query", query=text)
        if not answer or "error" in answer:
            return answer and answer["error"]
        return [(r["metric"], float(r["value"][1])) for r in answer["result"]]

    def firing(self):
        answer = self.api("alerts")
        return {(a["labels"]["alertname"], a["labels"].get("guest")) for a in answer["alerts"]
                if a["state"] == "firing"} if answer else set()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_the_rules():
    promtool = fleet.need("promtool")
    for command in (["check", "rules", "vmtime.rules.yml"], ["test", "rules", "vmtime.test.yml"]):
        answer = subprocess.run([promtool] + command, cwd=os.path.dirname(RULES), capture_output=True, text=True)
        check("promtool " + " ".join(command), answer.returncode == 0, answer.stdout + answer.stderr)
    with open(RULES, encoding="utf-8") as f:
        alerts = set(re.findall(r"- alert: (\w+)", f.read()))
    with open(os.path.join(os.path.dirname(RULES), "vmtime.test.yml"), encoding="utf-8") as f:
        tested = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", f.read()))
    with open(os.path.join(ROOT, "docs/fleet.md"), encoding="utf-8") as f:
        told = set(re.findall(r"^\| `(Vmtime\w+)`", f.read(), re.M))
    check("each alert is seen firing by a test", alerts == tested, alerts ^ tested)
    check("docs/fleet.md tells of each", alerts == told, alerts ^ told)


def names_in(expression):
    return set(re.findall(r"\b(?:vmtime|process)_[a-z_]+", expression))


def queries_of(dashboard):
    """(where, expression) of each panel and variable."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], re.fullmatch(r"label_values\((.*), \w+\)", variable["query"]).group(1)


def test_a_fleet_is_watched():
    fleet.need("prometheus")
    with open(DASHBOARD, encoding="utf-8") as f:
        dashboard = json.load(f)
    with fleet.folder() as folder:
        certificate, key = fleet.make_certificate(folder)
        token = fleet.make_token(folder)
        with fleet.Fleet(PROGRAM, 30, "--certificate", certificate, "--key", key, "--token", token) as served:
            with Prometheus(folder, served.port, certificate, token) as watcher:
                watch(served, watcher, dashboard)


def watch(served, watcher, dashboard):
    me = "localhost:%d" % served.port
    up = lambda: watcher.query("up{instance=\"%s\"}" % me)
    if not fleet.wait_for("it is scraped", lambda: up() and up()[0][1] == 1, 30):
        watcher.log.seek(0)
        print(watcher.log.read()[-3000:])
        return
    check("all guests", watcher.query("count(vmtime_guest_running)") == [({}, 30.0)])
    row = watcher.query('vmtime_guest_offset_seconds{guest="mail-0023"}')
    check("an offset", row[0][1] == 12.3 and row[0][0]["backend"] == "libvirt" and row[0][0]["instance"] == me, row)
    target = [t for t in watcher.api("targets")["activeTargets"] if me in t["scrapeUrl"]][0]
    check("by TLS", target["scrapeUrl"] == "https://%s/metrics" % me and target["lastError"] == "", target)

    known = {name for name in watcher.api("label/__name__/values")}
    for where, expression in queries_of(dashboard):
        strange = {name for name in names_in(expression) if name not in known}
        check("dashboard, %s: every metric exists" % where, not strange, strange)
        for variable in ("$host", "$guest"):
            expression = expression.replace(variable, ".*")
        answer = watcher.query(expression.replace("$__rate_interval", "1m"))
        check("dashboard, %s: Prometheus understands it" % where, isinstance(answer, list), answer)

    fleet.wait_for("a host that is down raises an alarm", lambda: ("VmtimeHostdDown", None) in watcher.firing())
    fleet.wait_for("a guest that is off raises one", lambda: ("VmtimeGuestOff", "mail-0023") in watcher.firing())
    check("one that was not repaired, too", ("VmtimeGuestNotRepaired", "mail-0023") in watcher.firing(), watcher.firing())
    check("those that are right raise none", {guest for _, guest in watcher.firing()} == {None, "mail-0023"},
          watcher.firing())
    served.say("agent web-0000 0")
    served.say("synchronized 0")
    served.say("clocksource hpet")
    for name, guest in (("VmtimeAgentGone", "web-0000"), ("VmtimeHostUnsynchronized", None),
                        ("VmtimeHostClocksource", None)):
        fleet.wait_for("%s, of %s" % (name, guest or "the host"), lambda: (name, guest) in watcher.firing())
    served.say("offset mail-0023 0.001")
    served.say("synchronized 1")
    fleet.wait_for("alarms end", lambda: not {("VmtimeGuestOff", "mail-0023"), ("VmtimeHostUnsynchronized", None)} &
                   watcher.firing())


fleet.finish(test_the_rules, test_a_fleet_is_watched)
