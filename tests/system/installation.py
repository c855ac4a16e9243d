#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""installation.py BUILD SOURCE files|systemd - what an installation lays down

`files`: what is where, and that it is what it should be.  `systemd`: what systemd's own tools say
of the unit and of the user.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD, SOURCE, PART = sys.argv[1:4]
failures = []


def check(what, is_true, detail=""):
    print("ok  " if is_true else "FAIL", what)
    if not is_true:
        failures.append(what)
        print(detail)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, **options)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def prefix_of(root):
    """Where the programs are, found by the one whose place is fixed within it."""
    for folder, _, names in os.walk(root):
        if "vmtime" in names and folder.endswith("/bin"):
            return os.path.dirname(folder)
    return root


def test_files(root):
    prefix = prefix_of(root)
    found = {os.path.relpath(os.path.join(folder, name), prefix)
             for folder, _, names in os.walk(root) for name in names}
    expected = {
        "bin/vmtime": 0o755,
        "sbin/vmtimed": 0o755,
        "sbin/vmtime-hostd": 0o755,
        "lib/systemd/system/vmtime-hostd.service": 0o644,
        "share/man/man5/vmtime-hostd.conf.5": 0o644,
        "share/man/man8/vmtime-hostd.8": 0o644,
        "share/doc/vmtime/examples/vmtime-hostd.conf": 0o644,
        "share/vmtime/vmtime.json": 0o644,
        "share/vmtime/vmtime.rules.yml": 0o644,
        "lib/systemd/system/vmtimed.service": 0o644,
        "lib/systemd/system/vmtime-hooks.service": 0o644,
        "lib/sysusers.d/vmtime.conf": 0o644,
        "lib/tmpfiles.d/vmtime.conf": 0o644,
        "share/man/man1/vmtime.1": 0o644,
        "share/man/man1/vmtime-fix.1": 0o644,
        "share/man/man5/vmtime.conf.5": 0o644,
        "share/man/man8/vmtimed.8": 0o644,
        "share/doc/vmtime/examples/vmtime.conf": 0o644,
        "share/doc/vmtime/examples/hooks/on-disruption.d/50-freeze": 0o755,
        "share/doc/vmtime/examples/hooks/on-repair.d/50-thaw": 0o755,
    }
    check("exactly what should be there is there", found == set(expected),
          sorted(found ^ set(expected)))
    for name, mode in expected.items():
        path = os.path.join(prefix, name)
        if os.path.exists(path):
            check(f"{name}: mode {mode:o}", os.stat(path).st_mode & 0o7777 == mode,
                  oct(os.stat(path).st_mode))
    vmtimed = os.path.join(prefix, "sbin/vmtimed")
    for program, words in ((vmtimed, "vmtimed (vmtime) version "),
                           (os.path.join(prefix, "sbin/vmtime-hostd"),
                            "vmtime-hostd (vmtime) version "),
                           (os.path.join(prefix, "bin/vmtime"), "vmtime ")):
        result = run(program, "--version")
        check(f"{program} runs where it is", result.returncode == 0
              and result.stdout.startswith(words), repr(result))

    unit = read(os.path.join(prefix, "lib/systemd/system/vmtimed.service"))
    installed = prefix[len(root):] + "/sbin/vmtimed"
    for directive in ("ExecStart=", "ExecStopPost=-"):
        check(f"the unit's {directive} is the program", f"\n{directive}{installed} " in unit, unit)
    check("no place-holder is left in the unit", "@" not in re.sub("@system-service|@clock", "",
                                                                    unit), unit)
    hooks = read(os.path.join(prefix, "lib/systemd/system/vmtime-hooks.service"))
    check("the hooks' unit runs the command where it is",
          f"\nExecStart={prefix[len(root):]}/bin/vmtime events --follow --exec /etc/vmtime\n" in hooks
          and "@" not in hooks, hooks)
    hostd = os.path.join(prefix, "sbin/vmtime-hostd")
    text = read(os.path.join(prefix, "lib/systemd/system/vmtime-hostd.service"))
    check("hostd's unit runs the program where it is", f"\nExecStart={hostd[len(root):]} -n\n" in text
          and "@" not in text.replace("@system-service", ""), text)
    test_hostd_example(hostd, os.path.join(prefix, "share/doc/vmtime/examples/vmtime-hostd.conf"),
                       root)
    test_example(vmtimed, os.path.join(prefix, "share/doc/vmtime/examples/vmtime.conf"), root)
    test_pages(prefix)


def test_hostd_example(hostd, path, folder):
    result = run(hostd, "-p", "-f", path)
    check("hostd's example is a configuration, without a warning", result.returncode == 0
          and not result.stderr, repr(result))
    check("what it says is what is done without a file", result.stdout == run(hostd, "-p").stdout
          or os.path.exists("/etc/vmtime/vmtime-hostd.conf"), result.stdout)
    with_all = os.path.join(folder, "all-hostd.conf")
    with open(with_all, "w", encoding="utf-8") as file:
        file.write(re.sub("(?m)^#(?=[a-z])", "", read(path)))
    result = run(hostd, "-p", "-f", with_all)
    check("and so is everything that it leaves as a comment", result.returncode == 0
          and "qemu web " in result.stdout and "token " in result.stdout, repr(result))


def test_example(vmtimed, path, folder):
    result = run(vmtimed, "-p", "-f", path)
    check("the example is a configuration, without a warning", result.returncode == 0
          and not result.stderr, repr(result))
    with_all = os.path.join(folder, "all.conf")
    with open(with_all, "w", encoding="utf-8") as file:
        file.write(re.sub("(?m)^#(?=[a-z])", "", read(path)).replace("confdir", "#"))
    result = run(vmtimed, "-p", "-f", with_all)
    check("and so is everything that it leaves as a comment", result.returncode == 0
          and "refid KVM" in result.stdout and "makestep" in result.stdout, repr(result))
    default = run(vmtimed, "-p")
    check("what it says is what is done without a file",
          run(vmtimed, "-p", "-f", path).stdout == default.stdout
          or os.path.exists("/etc/vmtime/vmtime.conf"), default.stdout)


def test_pages(prefix):
    if not shutil.which("groff"):
        print("there is no groff: the manual pages are not formatted")
        return
    for page in ("man1/vmtime.1", "man1/vmtime-fix.1", "man5/vmtime.conf.5", "man8/vmtimed.8",
                 "man5/vmtime-hostd.conf.5", "man8/vmtime-hostd.8"):
        result = run("groff", "-mandoc", "-Tutf8", "-ww",
                     os.path.join(prefix, "share/man", page))
        check(f"{page} can be formatted without a warning", result.returncode == 0
              and result.stdout and not result.stderr, result.stderr)


def test_systemd(root):
    if not shutil.which("systemd-analyze"):
        print("skip: there is no systemd-analyze")
        sys.exit(77)
    prefix = prefix_of(root)
    # The unit names the program where it will be; for the verification it is where it is now.
    for name in ("vmtime-hooks.service", "vmtime-hostd.service", "vmtimed.service"):
        unit = os.path.join(root, name)
        text = read(os.path.join(prefix, "lib/systemd/system", name))
        with open(unit, "w", encoding="utf-8") as file:
            file.write(re.sub(re.escape(prefix[len(root):]) + "/(s?bin)/", prefix + r"/\1/", text))
        result = run("systemd-analyze", "verify", "--man=no", unit)
        check(f"systemd has no objection to {name}", result.returncode == 0
              and "vmtime" not in result.stderr, repr(result))
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=40", unit)
    if "unrecognized option" not in result.stderr:
        check("and calls its exposure low", result.returncode == 0, result.stdout[-300:])

    if not shutil.which("systemd-sysusers"):
        print("there is no systemd-sysusers: the user is not tried")
        return
    users = os.path.join(root, "users")
    os.makedirs(users + "/etc")
    result = run("systemd-sysusers", f"--root={users}",
                 os.path.join(prefix, "lib/sysusers.d/vmtime.conf"))
    passwd = read(users + "/etc/passwd") if os.path.exists(users + "/etc/passwd") else ""
    check("the user vmtime is made, without a shell", result.returncode == 0
          and re.search(r"(?m)^vmtime:[^:]*:\d+:\d+:.*:/usr/sbin/nologin$", passwd),
          f"{result!r} {passwd}")


def main():
    with tempfile.TemporaryDirectory(prefix="vmtime-install-") as root:
        result = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
        check("meson install", result.returncode == 0, repr(result))
        if not failures:
            {"files": test_files, "systemd": test_systemd}[PART](root)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
