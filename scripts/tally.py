#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tally.py RUNS - count the tests of a run and say what went wrong

RUNS holds a line for each thing that happened:

    step NAME               a step failed before its tests could run
    suite LABEL STATUS LOG  a suite ran: meson's exit status, meson's JSON log

Prints the output of each failed test and the reason of each skip, then one line:
N passed, N failed, N skipped.  Exits 0 only if something passed and nothing failed.

Only an "OK" is a pass and only a "SKIP" with a reason is a skip.  Whatever else
meson may say (timeout, error, expected failure) is a failure, and so are a skip
without a reason, a test that passes while cases inside it were skipped unseen,
and a suite that left no log.
"""

import json
import os
import re
import sys

LINES_SHOWN = 200


def output_of(test):
    parts = [test.get("stdout") or "", test.get("stderr") or ""]
    return "\n".join(p.rstrip("\n") for p in parts if p.strip())


def reason_of(output):
    """The last line that says "skip", else the last line; "" when there is none."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"(#\s*)?skip", line, re.I)]
    last = (named or lines or [""])[-1]
    # A bare "skip" or "SKIPPED" is no reason.
    return "" if re.fullmatch(r"\W*skip(ped)?\W*", last, re.I) else last


def has_hidden_skip(output):
    """cmocka's and TAP's marks of a case that was skipped inside a passing program."""
    return re.search(r"^(\[\s*SKIPPED \]|ok \d.*# *SKIP)", output, re.M | re.I) is not None


def verdict(test):
    """Returns ("passed", ""), ("skipped", reason) or ("failed", why)."""
    result = test.get("result", "?")
    output = output_of(test)
    if result == "SKIP":
        reason = reason_of(output)
        return ("skipped", reason) if reason else ("failed", "skipped without a reason")
    if result != "OK":
        return "failed", f"{result}, exit status {test.get('returncode')}"
    if has_hidden_skip(output):
        return "failed", "skips cases unseen: exit 77 as a whole, or split the program"
    return "passed", ""


def read_log(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.strip()]


class Tally:
    def __init__(self):
        self.count = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures = []
        self.skips = []

    def step(self, name):
        self.count["failed"] += 1
        self.failures.append(f"step failed: {name}")

    def suite(self, label, status, path):
        failed_before = self.count["failed"]
        tests = read_log(path)
        for test in tests:
            self.test(label, test)
        if not tests:
            self.step(f"{label}: no results (meson test exited {status})")
        elif status != 0 and self.count["failed"] == failed_before:
            self.step(f"{label}: meson test exited {status} although no test failed")

    def test(self, label, test):
        # meson's names read "project:suite / name".
        name = f"{label} / {test['name'].split(' / ')[-1]}"
        kind, why = verdict(test)
        self.count[kind] += 1
        if kind == "skipped":
            self.skips.append(f"skipped: {name}: {why}")
        elif kind == "failed":
            lines = output_of(test).splitlines()
            if len(lines) > LINES_SHOWN:
                lines = [f"({len(lines) - LINES_SHOWN} lines left out)"] + lines[-LINES_SHOWN:]
            text = "".join(f"    {line}\n" for line in lines)
            self.failures.append(f"failed: {name}: {why}\n{text}".rstrip())

    def report(self):
        for entry in self.failures + self.skips:
            print(entry)
        c = self.count
        print(f"{c['passed']} passed, {c['failed']} failed, {c['skipped']} skipped")
        return 0 if c["passed"] and not c["failed"] else 1


def main():
    tally = Tally()
    with open(sys.argv[1], encoding="utf-8") as runs:
        for line in runs:
            kind, rest = line.rstrip("\n").split(" ", 1)
            if kind == "step":
                tally.step(rest)
            else:
                label, status, path = rest.rsplit(" ", 2)
                tally.suite(label, int(status), path)
    sys.exit(tally.report())


main()
