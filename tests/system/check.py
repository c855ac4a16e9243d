#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py VMTIME TREE - vmtime check on this very machine, and as a user without rights

What is found here nobody can foresee; that it is found at all, in which form and how fast, can be
said.  TREE is tests/audit/tree.py.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile

VMTIME, TREE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LIMIT_S = 0.05
NOBODY = 65534
failed = 0


def check(what, is_true, detail=""):
    global failed
    print(f"{'ok' if is_true else 'FAILED'}: {what}" + (f": {detail}" if detail else ""))
    failed += not is_true


def run(*arguments, **options):
    return subprocess.run([VMTIME, "check", *arguments], capture_output=True, text=True,
                          timeout=30, check=False, **options)


def processor_seconds():
    """What one run costs; the least of ten, since others compute here, too."""
    costs = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(costs)


def this_machine():
    text, data = run(), run("--json")
    report = json.loads(data.stdout)
    severities = [finding["severity"] for finding in report["findings"]]
    order = ["broken", "warning", "note"]
    status = {"broken": 2, "warning": 1, "note": 0, None: 0}[report["worst"]]
    if report["machine"]["is_container"]:
        status = 3
    check("text and JSON end with the status of the worst finding",
          text.returncode == data.returncode == status, f"{text.returncode}, {report['worst']}")
    check("worst first", severities == sorted(severities, key=order.index), " ".join(severities))
    check("each finding stands in the text",
          all(finding["id"] + ":" in text.stdout for finding in report["findings"]))
    check("nothing on standard error", not text.stderr + data.stderr, text.stderr + data.stderr)
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        is_guest = " hypervisor" in file.read()
    check("a guest where the processor's flags say so", report["machine"]["is_guest"] == is_guest,
          f"{report['machine']['hypervisor']}")
    seconds = processor_seconds()
    check(f"below {LIMIT_S * 1000:.0f} ms of a processor", seconds < LIMIT_S,
          f"{seconds * 1000:.1f} ms")
    watched = run("--wait", "0.2")
    check("--wait looks twice at stolen time", "time stolen now" not in watched.stdout)


def refusals():
    for arguments, what in (
            (["--root", "/does/not/exist"], "a folder that is not there"),
            (["--root", "/proc/version"], "a file for a folder"),
            (["--explain", "nonsense"], "a finding that there is not"),
            (["--nonsense"], "an option that there is not"),
            (["--wait", "0"], "no time at all"),
            (["more"], "a word too many"),
    ):
        done = run(*arguments)
        check(f"{what}: 3 and one sentence", done.returncode == 3 and not done.stdout and
              done.stderr.count("\n") == 1, done.stderr.strip())
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([VMTIME, "check"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    check("an answer that cannot be written: 3", done.returncode == 3, done.stderr.strip())
    done = run("--explain", "makestep")
    check("--explain ends with 0", done.returncode == 0 and "83333" in done.stdout)


def without_rights():
    if os.geteuid():
        print("skip: only root can give up rights")
        return
    with tempfile.TemporaryDirectory() as folder:
        root = folder + "/machine"
        subprocess.run([sys.executable, TREE, "rhel-9-host", root], check=True)
        os.chmod(folder, 0o755)
        entries = root + "/boot/loader/entries"
        os.chmod(entries, 0o700)
        done = run("--root", root, user=NOBODY, group=NOBODY, extra_groups=[])
        data = run("--root", root, "--json", user=NOBODY, group=NOBODY, extra_groups=[])
        unread = {item["what"]: item["needs_root"] for item in json.loads(data.stdout)["not_looked_at"]}
        check("what needs root is named", "for want of root" in done.stdout and
              "/boot/loader/entries" in done.stdout, ", ".join(unread))
        check("and so in JSON", unread.get("/etc/libvirt/qemu/alpha.xml") is True)
        check("what could not be read is no finding", "domain-kvmclock" not in done.stdout and
              "reboot:" not in done.stdout)
        check("the rest was looked at", "constant-tsc" in done.stdout, str(done.returncode))


this_machine()
refusals()
without_rights()
sys.exit(1 if failed else 0)
