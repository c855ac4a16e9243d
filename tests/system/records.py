#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py VMTIMED VMTIME PLAY.SO - the files that `log` and `logdir` ask for"""

import os
import re
import signal
import shutil
import subprocess
import time

import stage
from stage import check

stage.enter(seconds=90)
import play  # pylint: disable=wrong-import-position

FOLDER = "/var/log/vmtime/records"
CONF = f"""\
refclock PHC /dev/ptp0 refid HOST poll -1 offset 0.25
rtcsync
logdir {FOLDER}
log tracking statistics refclocks
logbanner 4
"""
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
FLOAT = r" +-?\d\.\d{3}e[-+]\d\d"
# As chronyd 4.3 writes them.
TRACKING = re.compile(rf"({TIME}) (\S+) +(\d+) +(-?\d+\.\d{{3}}) +(\d+\.\d{{3}})({FLOAT}) ([N?]) +(\d)"
                      rf"({FLOAT})({FLOAT})({FLOAT})({FLOAT})({FLOAT})")
STATISTICS = re.compile(rf"({TIME}) (\S+) +({FLOAT})({FLOAT})({FLOAT})({FLOAT})({FLOAT})"
                        r" +(\d\.\de[-+]\d\d) +(\d+) +(0) +(\d+)  0\.00")
RAW = re.compile(rf"({TIME})\.(\d{{6}}) (\S+) +(\d+) N 0 +(-?\d\.\d{{6}}e[-+]\d\d)"
                 rf" +(-?\d\.\d{{6}}e[-+]\d\d)({FLOAT})")
FILTERED = re.compile(rf"({TIME})\.(\d{{6}}) (\S+)    - N -       -       +(-?\d\.\d{{6}}e[-+]\d\d)"
                      rf"({FLOAT})")


def lines(name):
    """The lines of a file, without banners."""
    try:
        return [line for line in stage.read(f"{FOLDER}/{name}").splitlines()
                if line[:1] not in ("=", " ")]
    except OSError:
        return []


def clear():
    shutil.rmtree("/var/log/vmtime", ignore_errors=True)
    play.show(0)


def start(text=CONF, **how):
    return play.Daemon("-f", stage.write("/etc/vmtime/records.conf", text), **how)


def test_columns():
    clear()
    with start(host_ahead=0.5) as daemon:
        stage.until(8, lambda: len(lines("tracking.log")) >= 6)
        check("it ends in order", daemon.end() == 0, daemon.log())
    tracking, statistics, clocks = map(lines, ("tracking.log", "statistics.log", "refclocks.log"))
    found = [TRACKING.fullmatch(line) for line in tracking]
    check("tracking: every line has chrony's columns", len(found) >= 6 and all(found), tracking)
    check("tracking: the source, our stratum, synchronised",
          all(m.group(2, 3, 7, 8) == ("HOST", "1", "N", "1") for m in found), tracking)
    check("tracking: the step at the start is an offset: our clock was slow",
          abs(float(found[0].group(6)) + 0.75) < 0.01, tracking[0])
    check("tracking: later ones are small", all(abs(float(m.group(6))) < 1e-3 for m in found[1:]),
          tracking)
    found = [STATISTICS.fullmatch(line) for line in statistics]
    check("statistics: every line has chrony's columns", len(found) >= 4 and all(found), statistics)
    check("statistics: samples grow", int(found[-1].group(9)) > int(found[0].group(9)), statistics)
    found = [FILTERED.fullmatch(line) or RAW.fullmatch(line) for line in clocks]
    check("refclocks: every line has chrony's columns", len(found) > 8 and all(found), clocks)
    raw = [m for m in found if m.re is RAW]
    check("refclocks: the corrections of the configuration lie between raw and cooked",
          all(abs(float(m.group(6)) - float(m.group(5)) - 0.25) < 1e-3 for m in raw), clocks)
    check("refclocks: readings are counted from 0 behind each filtered one",
          all(int(b.group(4)) == (int(a.group(4)) + 1 if a.re is RAW else 0)
              for a, b in zip(found, found[1:]) if b.re is RAW), clocks)
    check("refclocks: a filtered line for each of statistics", len(found) - len(raw)
          == len(statistics), (len(found), len(raw), len(statistics)))


def test_signs():
    """
    A clock that is slow by 0.75 s and is only observed.  As with chronyd -x that is an offset once
    and from then on what remains to be corrected; only the raw offset shows it again.
    """
    clear()
    with play.Daemon("-x", "-f", stage.write("/etc/vmtime/records.conf", CONF),
                     host_ahead=0.5) as daemon:
        stage.until(8, lambda: len(lines("tracking.log")) >= 3 and len(lines("statistics.log")) >= 3)
        daemon.end()
    tracking = [[float(n) for n in TRACKING.fullmatch(line).group(6, 10)]
                for line in lines("tracking.log")]
    check("tracking: a negative offset and nothing that remained",
          abs(tracking[0][0] + 0.75) < 0.01 and tracking[0][1] == 0, tracking)
    check("tracking: then no offset, and what remains is positive",
          all(abs(offset) < 0.01 and abs(rest - 0.75) < 0.01 for offset, rest in tracking[1:]), tracking)
    statistics = STATISTICS.fullmatch(lines("statistics.log")[-1])
    check("statistics: no news", abs(float(statistics.group(4))) < 0.01, statistics)
    found = [RAW.fullmatch(line) for line in lines("refclocks.log")]
    check("refclocks: the raw offset is positive, the other is no news",
          all(abs(float(m.group(5)) - 0.5) < 0.01 and abs(float(m.group(6))) < 0.01
              for m in found if m), lines("refclocks.log"))


def test_banner():
    clear()
    with start() as daemon:
        stage.until(8, lambda: len(lines("tracking.log")) >= 6)
        daemon.end()
    for name, rule in (("tracking.log", 131), ("statistics.log", 116), ("refclocks.log", 79)):
        text = stage.read(f"{FOLDER}/{name}").splitlines()
        check(f"{name}: three lines of banner, and again after four",
              text[0] == text[2] == "=" * rule == text[7] == text[9] and text[1] == text[8]
              and text[1].startswith("   Date (UTC) Time"), text[:12])
    clear()
    with start(CONF + "logbanner 0\n") as daemon:
        stage.until(8, lambda: len(lines("tracking.log")) >= 2)
        daemon.end()
    check("logbanner 0: none", "=" not in stage.read(f"{FOLDER}/tracking.log"))


def test_whose_folder():
    clear()
    with start() as daemon:
        stage.until(8, lambda: lines("tracking.log"))
        daemon.end()
    owners = {path: os.stat(path).st_uid for path in
              (FOLDER, f"{FOLDER}/tracking.log", os.path.dirname(FOLDER))}
    check("the folder and its files are the user's, those above root's",
          list(owners.values()) == [stage.UID, stage.UID, 0], owners)
    clear()
    with start("rtcsync\nlogdir /var/log/vmtime/none\n") as daemon:
        daemon.end()
    check("nothing to log: no folder", not stage.exists("/var/log/vmtime"))


def test_not_followed():
    """A file tells when there was nothing to follow."""
    clear()
    play.hide(0)
    with start() as daemon:
        stage.until(8, lambda: lines("tracking.log"))
        daemon.end()
    found = [TRACKING.fullmatch(line) for line in lines("tracking.log")]
    check("at the start", len(found) == 1 and found[0]
          and found[0].group(2, 3, 7, 8) == ("0.0.0.0", "0", "?", "0"), lines("tracking.log"))


def test_rotation():
    clear()
    with start() as daemon:
        stage.until(8, lambda: len(lines("tracking.log")) >= 2)
        os.rename(f"{FOLDER}/tracking.log", f"{FOLDER}/tracking.log.1")
        old = len(stage.read(f"{FOLDER}/tracking.log.1"))
        stage.until(8, lambda: len(stage.read(f"{FOLDER}/tracking.log.1")) > old)
        check("a file that was moved is written on", not stage.exists(f"{FOLDER}/tracking.log"))
        daemon.process.send_signal(signal.SIGHUP)
        check("until a reload", stage.until(8, lambda: lines("tracking.log")), daemon.log())
        check("the new one begins with a banner",
              stage.read(f"{FOLDER}/tracking.log").startswith("====="))
        if not shutil.which("chronyc"):
            print("there is no chronyc (package chrony): cyclelogs was not tried")
            return
        os.rename(f"{FOLDER}/statistics.log", f"{FOLDER}/statistics.log.1")
        answer = subprocess.run(["chronyc", "cyclelogs"], capture_output=True, text=True, check=False)
        check("or until chronyc cyclelogs", answer.stdout == "200 OK\n"
              and stage.until(8, lambda: lines("statistics.log")), repr(answer))


def test_that_cannot_be_written():
    """Told once for each file, and once when it is over."""
    clear()
    os.makedirs(FOLDER)
    for name in ("tracking.log", "statistics.log"):
        os.mkdir(f"{FOLDER}/{name}")
    os.mkfifo(f"{FOLDER}/refclocks.log")
    os.chown(FOLDER, stage.UID, stage.GID)
    with start() as daemon:
        stage.until(8, lambda: daemon.log().count("cannot be written") == 3)
        time.sleep(1.5)
        said = [line for line in daemon.log().splitlines() if "cannot be written" in line]
        check("each is told once", len(said) == 3 and sum("Is a directory" in s for s in said) == 2,
              said)
        check("the clock goes on", stage.vmtime().returncode == 0, daemon.log())
        os.rmdir(f"{FOLDER}/tracking.log")
        check("and on it goes", stage.until(8, lambda: lines("tracking.log"))
              and "tracking.log can be written again" in daemon.log(), daemon.log())
    clear()
    os.makedirs(FOLDER)
    os.chmod(FOLDER, 0o700)
    with start() as daemon:
        stage.until(8, lambda: daemon.log().count("Permission denied") == 3)
        check("another's folder stays another's", os.stat(FOLDER).st_uid == 0
              and daemon.log().count("Permission denied") == 3, daemon.log())


def test_full_disk():
    """No half of a line, and the clock does not mind."""
    clear()
    os.makedirs(FOLDER)
    if os.system(f"mount -t tmpfs -o size=8k,mode=777 none {FOLDER}") != 0:
        print("a small file system cannot be mounted here: not tried")
        return
    stage.write(f"{FOLDER}/ballast", "x" * 3000)
    with start() as daemon:
        check("told", stage.until(20, lambda: "No space left" in daemon.log()), daemon.log())
        time.sleep(0.5)
        check("the clock goes on", stage.vmtime().returncode == 0, daemon.log())
        for name in os.listdir(FOLDER):
            text = stage.read(f"{FOLDER}/{name}")
            check(f"{name}: no half of a line", name == "ballast" or not text
                  or text.endswith("\n"), text[-200:])
        daemon.end()
    os.system(f"umount {FOLDER}")


def test_without_logdir():
    clear()
    with start("rtcsync\nlog tracking measurements\n") as daemon:
        daemon.end()
        check("no folder: told", "no logdir says where" in daemon.log(), daemon.log())
        check("what stays empty is told", "log measurements: it tells of NTP sources" in daemon.log(),
              daemon.log())


def test_logchange():
    clear()
    with start("refclock PHC /dev/ptp0 refid HOST\nmakestep 10 0\nlogchange 0.1\n") as daemon:
        stage.until(8, lambda: stage.vmtime().returncode == 0)
        check("an error below it is not told", "the clock is off" not in daemon.log(), daemon.log())
    with start("refclock PHC /dev/ptp0 refid HOST\nresume slew\nlogchange 0.1\n") as daemon:
        stage.until(8, lambda: stage.vmtime().returncode == 0)
        daemon.play.jump(0.3)
        check("one above it is, where it is slewed", stage.until(8, lambda: "the clock is off by +0.3"
                                                                 in daemon.log()), daemon.log())
        time.sleep(1.5)
        check("once", daemon.log().count("the clock is off") == 1, daemon.log())


stage.finish(test_columns, test_signs, test_banner, test_whose_folder, test_not_followed, test_rotation,
             test_that_cannot_be_written, test_full_disk, test_without_logdir, test_logchange)
