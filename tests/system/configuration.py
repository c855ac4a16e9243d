#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""configuration.py VMTIMED VMTIME - files that are wrong, files of distributions, and reloads"""

import os
import random
import signal

import stage
from stage import check

stage.enter(seconds=60)

DISTRIBUTIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "distributions")


def refused(what, path, *words):
    """The daemon does not start, and one line of its log names the file and what is wrong."""
    result = stage.vmtimed("-d", "-x", "-f", path, text=True)
    lines = result.stderr.splitlines()
    check(f"{what}: told, and not started", result.returncode == 1 and len(lines) == 1
          and all(word in lines[0] for word in words) and not stage.exists(stage.SOCKET),
          repr(result))
    check(f"{what}: safe to print", lines and lines[0].isprintable() and len(lines[0]) < 1000,
          repr(result))


def test_errors():
    for what, text, place, *words in (
            ("an unknown directive", "# one\n\nrefclok PHC /dev/ptp0\n", "3:1",
             'expected a directive, got "refclok"'),
            ("a bad number", "refclock PHC /dev/ptp0 poll two\n", "1:29",
             "a whole number from -7 to 24", '"two"'),
            ("a number out of range", "refclock PHC /dev/ptp0 poll 99\n", "1:29", "-7 to 24"),
            ("a unit that is missing", "maxslewrate fast\n", "1:13", "PPM, a number of ppm"),
            ("a value that is missing", "makestep 1\n", "1:", "expected"),
            ("a word too many", "rtcsync yes\n", "1:9", '"yes"'),
            ("an unknown option", "refclock PHC /dev/ptp0 pol 2\n", "1:24", '"pol"'),
            ("escapes for the terminal", "\x1b[2J\x07\n", "1:1", "expected text"),
            ("a NUL", "rtcsync\0\n", "1:8", "expected text"),
            ("a line too long", "#" * 5000 + "\n", "1", "2048"),
            ("a missing file", "\ninclude /nowhere.conf\n", "2: ", "/nowhere.conf")):
        path = stage.write("/run/wrong.conf", text)
        refused(what, path, f"{path}:{place}", *words)


def test_files():
    refused("a file that is not there", "/run/nowhere.conf", "/run/nowhere.conf", "No such file")
    refused("a folder", "/run", "/run", "irectory")
    os.mkfifo("/run/fifo")
    refused("a FIFO", "/run/fifo", "/run/fifo")
    refused("a device", "/dev/zero", "/dev/zero")
    with open("/run/noise", "wb") as noise:
        noise.write(random.Random(1).randbytes(10 << 20))
    refused("10 MB of noise", "/run/noise", "/run/noise")
    with open("/run/long", "w", encoding="ascii") as noise:
        noise.write("rtcsync\n" * (10 << 17))
    refused("10 MB of directives", "/run/long", "/run/long", "1 MiB")
    stage.write("/run/a.conf", "include /run/b.conf\n")
    stage.write("/run/b.conf", "\ninclude /run/a.conf\n")
    refused("a circle of includes", "/run/a.conf", ".conf:", "include")
    os.symlink("/run/nowhere", stage.CONFIGURATION)
    result = stage.vmtimed("-d", "-x", text=True)
    check("a link to nowhere is not passed over", result.returncode == 1
          and stage.CONFIGURATION in result.stderr, repr(result))
    os.unlink(stage.CONFIGURATION)


def distributions():
    """The files in the forms that distributions and clouds ship: (name, path)."""
    return sorted((entry.name[:-5], entry.path) for entry in os.scandir(DISTRIBUTIONS))


def test_distributions():
    check("there are files of distributions", len(distributions()) >= 15, distributions())
    for what, path in distributions():
        result = stage.vmtimed("-p", "-f", path, text=True)
        lines = result.stdout.splitlines()
        warnings = result.stderr.splitlines()
        check(f"{what}: loads", result.returncode == 0 and not stage.exists(stage.SOCKET),
              repr(result))
        check(f"{what}: warnings only, each once", all(": warning: " in line for line in warnings)
              and len(set(warnings)) == len(warnings), warnings)
        check(f"{what}: what matters is understood", {"rtcsync", "hostclock on"} <= set(lines)
              and any(line.startswith("makestep ") for line in lines), lines)
        again = stage.vmtimed("-p", "-f", stage.write("/run/again.conf", result.stdout), text=True)
        check(f"{what}: what is printed loads as the same", again.stdout == result.stdout
              and again.returncode == 0, repr(again))
    result = stage.vmtimed("-p", "-f", stage.write("/run/wrong.conf", "port none\n"), text=True)
    check("-p of a file in error: 1, and nothing is printed", result.returncode == 1
          and not result.stdout and "/run/wrong.conf:1:6: port: expected" in result.stderr,
          repr(result))


def test_a_distribution_runs():
    for what in ("debian-12", "rhel-9"):
        path = os.path.join(DISTRIBUTIONS, f"{what}.conf")
        with stage.Daemon("-f", path) as daemon:
            warnings = daemon.lines("warning: ")
            check(f"{what}'s file starts", daemon.process.poll() is None, daemon.log())
            for directive in ("server, pool, peer", "keyfile", "ntsdumpdir", "leapsectz"):
                found = [line for line in warnings if f": {directive}: " in line]
                check(f"{what}: one warning for {directive}", len(found) == 1
                      and found[0].count(path), warnings)


def test_sources_that_programs_write():
    """A sourcedir is read as root at the start; a bad line in it is told and left out."""
    os.mkdir("/run/chrony-dhcp")
    stage.write("/run/chrony-dhcp/eth0.sources", "server 10.0.0.1 iburst\nbogus\nrtcsync\n")
    path = stage.write("/run/dhcp.conf", "sourcedir /run/chrony-dhcp\n")
    result = stage.vmtimed("-p", "-f", path, text=True)
    check("the good line counts", "server 10.0.0.1 iburst" in result.stdout.splitlines()
          and "rtcsync" not in result.stdout and result.returncode == 0, repr(result))
    check("the others are told", "eth0.sources:2:1: left out: " in result.stderr
          and "eth0.sources:3:1: left out: " in result.stderr, result.stderr)


def reload(daemon, answers):
    """SIGHUP; the log lines that it made, once one of them has @answers."""
    before = len(daemon.log())
    daemon.process.send_signal(signal.SIGHUP)
    stage.until(3, lambda: answers in daemon.log()[before:])
    return daemon.log()[before:]


def sources():
    return [line.split()[1] for line in stage.vmtime("sources", text=True).stdout.splitlines()[2:]]


def test_reload():
    path = stage.write("/etc/vmtime/reload.conf", "refclock PHC /dev/ptp7 refid ONE\n")
    with stage.Daemon("-f", path) as daemon:
        check("the line is a source, the host's clock another", len(sources()) == 2
              and sources()[0] == "ONE", sources())
        said = reload(daemon, "reloaded")
        check("a file that did not change", said.count("\n") == 1, said)

        stage.write(path, "refclock PHC /dev/ptp7 refid ONE\nrefclock PHC /dev/ptp8 refid TWO\n")
        reload(daemon, "reloaded")
        check("a line more", sources()[:2] == ["ONE", "TWO"], sources())
        stage.write(path, "refclock PHC /dev/ptp8 refid TWO\nhostclock off\n")
        reload(daemon, "reloaded")
        check("a line less, and no host's clock", sources() == ["TWO"], sources())

        for what, text, words in (("an unknown directive", "refclok PHC\n", f"{path}:1:1"),
                                  ("noise", os.urandom(1 << 20), path),
                                  ("an empty path", None, "No such file")):
            if text is None:
                os.unlink(path)
            else:
                stage.write(path, text)
            said = reload(daemon, "the old one stays")
            check(f"{what}: told, the old one stays", words in said and "reloaded" not in said
                  and sources() == ["TWO"], said)
        stage.write(path, "hostclock off\n")
        reload(daemon, "reloaded")
        answer = stage.vmtime(text=True)
        check("no source at all is told", not sources() and "switched off" in answer.stdout,
              repr(answer))
        stage.write(path, "pidfile /run/other.pid\nuser root\n")
        said = reload(daemon, "reloaded")
        check("what cannot change in a running daemon is told",
              "user: takes effect after a restart" in said
              and "pidfile: takes effect after a restart" in said, said)
        os.chmod(path, 0)
        said = reload(daemon, "the old one stays")
        check("a file that the user may not read", "Permission denied" in said, said)
        check("it runs to the end", daemon.end() == 0, daemon.log())


def test_reload_default_file():
    stage.write(stage.CONFIGURATION, "hostclock off\n")
    with stage.Daemon() as daemon:
        check("the usual file is used", not sources(), daemon.log())
        os.chmod(os.path.dirname(stage.CONFIGURATION), 0)
        said = reload(daemon, "the old one stays")
        check("a folder that cannot be entered is not an empty one", "the old one stays" in said
              and not sources(), said)
        os.chmod(os.path.dirname(stage.CONFIGURATION), 0o755)
        os.unlink(stage.CONFIGURATION)
        said = reload(daemon, "reloaded")
        check("a file that is gone is no configuration, as at the start",
              "there is no file" in said and sources() == ["PHC0"], said)


def test_reload_storm():
    path = stage.write("/etc/vmtime/storm.conf", "refclock PHC /dev/ptp7\n")
    with stage.Daemon("-f", path) as daemon:
        for turn in range(300):
            stage.write(path, "refclock PHC /dev/ptp7\n" * (turn % 8 + 1) + "x" * (turn % 2))
            daemon.process.send_signal(signal.SIGHUP)
        fds = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        check("300 reloads leave it whole", stage.vmtime().returncode == 0 and fds < 16, fds)


stage.finish(test_errors, test_files, test_distributions, test_a_distribution_runs,
             test_sources_that_programs_write, test_reload, test_reload_default_file,
             test_reload_storm)
