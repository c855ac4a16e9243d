#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""chronyc.py VMTIMED VMTIME PLAY.SO - the real chronyc asks vmtimed

Every subcommand, as text and as CSV, over the unix socket and over UDP, as root and as an ordinary
user; what it prints is compared with vmtime's own JSON.  chronyd is never started.
"""

import json
import os
import re
import shutil
import signal
import time

import stage
from stage import check

stage.enter(seconds=110)
import play  # pylint: disable=wrong-import-position

def find_chronyc():
    """Where every user may run it: the one of scripts/chronyc.sh is in somebody's build."""
    path = shutil.which("chronyc")
    if not path:
        stage.skip("there is no chronyc; scripts/chronyc.sh fetches one")
    if path.startswith("/usr/"):
        return path
    shutil.copytree(os.path.dirname(os.path.dirname(path)), "/run/unpacked", symlinks=True)
    return "/run/unpacked/bin/chronyc"


def find_version(path):
    found = re.search(r"version (\d+)\.(\d+)", stage.run(path, "-v", text=True).stdout)
    return tuple(map(int, found.groups())) if found else (0, 0)


CHRONYC = find_chronyc()
VERSION = find_version(CHRONYC)
# From 4.9 on it leaves root for a user that the stage does not have, and adds sources by a command
# with a new number.
AS_WHO = ["-u", "root"] if VERSION >= (4, 9) else []
UNIX, UDP4, UDP6 = "/run/chrony/chronyd.sock", "127.0.0.1", "::1"
NOBODY = 65534
NEVER = 4294967295


def chronyc(*arguments, host=None, uid=0, gid=None, **options):
    def become():
        if uid:
            group = uid if gid is None else gid
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(uid, uid, uid)
    words = AS_WHO + ["-n"] + (["-h", host] if host else []) + list(arguments)
    return stage.run(CHRONYC, *words, text=True, preexec_fn=become, **options)


def rows(*arguments, **options):
    result = chronyc("-c", *arguments, **options)
    if result.returncode != 0 or result.stderr:
        check(f"chronyc {arguments}", False, repr(result))
    return [line.split(",") for line in result.stdout.splitlines()]


def report(command):
    return json.loads(stage.vmtime(command, "--json", text=True).stdout)


class Comparison:
    """What chronyc printed against what vmtime said before and after: these may have changed."""

    def __init__(self, what, before, after):
        self.what, self.before, self.after, self.wrong = what, before, after, []

    def text(self, name, got, *path, also=lambda value: value):
        want = {str(also(self._at(which, path))) for which in (self.before, self.after)}
        if got not in want:
            self.wrong.append(f"{name}: {got} instead of {want}")

    def number(self, name, got, *path, scale=1.0, digits=9):
        ends = [self._at(which, path) * scale for which in (self.before, self.after)]
        slack = 10.0**-digits + max(map(abs, ends)) * 2.0**-23
        if not min(ends) - slack <= float(got) <= max(ends) + slack:
            self.wrong.append(f"{name}: {got} instead of {ends}")

    @staticmethod
    def _at(which, path):
        for key in path:
            which = which[key]
        return which

    def end(self):
        check(f"{self.what}: the same as vmtime's", not self.wrong,
              f"{self.wrong}\n{self.before}\n{self.after}")


def around(command, function):
    """@function() between two reports that tell of the same reading."""
    for _ in range(20):
        before, got, after = report(command), function(), report(command)
        if command == "tracking":
            is_same = before["ref_time_unix_ns"] == after["ref_time_unix_ns"]
        else:
            is_same = [s["readings"] for s in before] == [s["readings"] for s in after]
        if is_same:
            break
    return before, got, after


LEAPS = {"normal": "Normal", "insert-second": "Insert second", "delete-second": "Delete second",
         "not-synchronised": "Not synchronised"}
STATES = {"selected": "*", "unusable": "?", "falseticker": "x", "jittery": "~", "combined": "+",
          "not-combined": "-"}


def compare_tracking(what, **options):
    before, got, after = around("tracking", lambda: rows("tracking", **options)[0])
    c = Comparison(f"{what}: tracking", before, after)
    c.text("refid", got[0], "refid", also=lambda value: f"{value:08X}")
    c.text("name", got[1], "name")
    c.text("stratum", got[2], "stratum")
    c.text("ref time", got[3], "ref_time_unix_ns",
           also=lambda value: f"{value // 10**9}.{value % 10**9:09}")
    # The correction is what is to be added; all other offsets are what our clock is ahead.
    c.number("correction", got[4], "system_offset_ns", scale=1e-9)
    c.number("last offset", got[5], "last_offset_ns", scale=-1e-9)
    c.number("rms offset", got[6], "rms_offset_ns", scale=1e-9)
    c.number("frequency", got[7], "frequency_ppm", digits=3)
    c.number("residual", got[8], "residual_ppm", digits=3)
    c.number("skew", got[9], "skew_ppm", digits=3)
    c.number("root delay", got[10], "root_delay_ns", scale=1e-9)
    c.number("root dispersion", got[11], "root_dispersion_ns", scale=1e-9)
    c.number("interval", got[12], "update_interval_ns", scale=1e-9, digits=1)
    c.text("leap", got[13], "leap", also=LEAPS.get)
    c.end()
    return got


def compare_sources(what, **options):
    before, got, after = around("sources", lambda: rows("sources", **options))
    check(f"{what}: as many sources", len(got) == len(before), (got, before))
    for i, row in enumerate(got):
        c = Comparison(f"{what}: sources {i}", before[i], after[i])
        check(f"{what}: a reference clock", row[0] == "#", row)
        c.text("state", row[1], "selection", also=STATES.get)
        c.text("name", row[2], "name")
        c.text("stratum", row[3], "stratum")
        c.text("poll", row[4], "poll_log2_s")
        c.text("reach", row[5], "reach", also=lambda value: f"{value:o}")
        if "last_sample" in before[i] and before[i]["last_sample"]:
            c.number("since", row[6], "last_sample", "since_sample_ns", scale=1e-9, digits=0)
            c.number("adjusted", row[7], "last_sample", "adjusted_offset_ns", scale=-1e-9)
            c.number("measured", row[8], "last_sample", "measured_offset_ns", scale=-1e-9)
            c.number("error", row[9], "last_sample", "error_ns", scale=1e-9)
        else:
            check(f"{what}: never read", row[6:] == [str(NEVER)] + ["0.000000000"] * 3, row)
        c.end()
    return got


def compare_sourcestats(what, **options):
    before, got, after = around("sources", lambda: (rows("sourcestats", **options),
                                                    report("sourcestats")))
    got, stats = got
    check(f"{what}: as many sources in sourcestats", len(got) == len(before) == len(stats), got)
    for i, row in enumerate(got):
        c = Comparison(f"{what}: sourcestats {i}", stats[i], stats[i])
        c.text("name", row[0], "name")
        c.text("samples", row[1], "samples")
        c.text("runs", row[2], "runs")
        c.number("span", row[3], "span_ns", scale=1e-9, digits=0)
        c.number("frequency", row[4], "frequency_ppm", digits=3)
        c.number("skew", row[5], "frequency_skew_ppm", digits=3)
        c.number("offset", row[6], "estimated_offset_ns", scale=-1e-9)
        c.number("deviation", row[7], "standard_deviation_ns", scale=1e-9)
        c.end()


def compare_all(what):
    for host in (UNIX, UDP4, UDP6):
        for uid in (0, NOBODY) if host != UNIX else (0,):
            where = f"{what}, {host} as {uid}"
            compare_tracking(where, host=host, uid=uid)
            compare_sources(where, host=host, uid=uid)
            compare_sourcestats(where, host=host, uid=uid)


def test_reports():
    """Who only observes has an offset that stays: its sign and its size can be seen."""
    play.show(0)
    for ahead in (0.0123, -0.0123):
        with play.Daemon("-x", host_ahead=ahead, fast_ppm=7) as daemon:
            stage.until(4, lambda: report("tracking")["leap"] == "normal")
            compare_all(f"host {ahead:+} s")
            tracking, source = rows("tracking")[0], rows("sources")[0]
            # chronyc(1): positive offsets of a source mean that the local clock is ahead of it.
            check("the sign is chrony's", abs(float(tracking[4]) - ahead) < 1e-3
                  and abs(float(source[8]) + ahead) < 1e-3
                  and abs(float(tracking[5]) + ahead) < 1e-3, (tracking, source))
            side = "slow" if ahead > 0 else "fast"
            text = chronyc("tracking").stdout
            check("and so are the words", f"seconds {side} of NTP time" in text, text)
            for command in ("sources", "sourcestats"):
                # The age of a sample, and what follows from it, may change in between.
                check(f"{command}: the same text as vmtime's", stage.until(3, lambda: chronyc(
                    command).stdout == stage.vmtime(command, text=True).stdout),
                    chronyc(command).stdout + stage.vmtime(command, text=True).stdout)
            last = [line for line in text.splitlines() if line.startswith("Last offset")]
            check("tracking: the same sign as vmtime's", last and last[0][:23] in stage.vmtime(
                "tracking", text=True).stdout, last)
            select = rows("selectdata")[0]
            check("selectdata: the limits are about the offset", select[0] == "*"
                  and select[1] == "PHC0" and select[2] == "N"
                  and float(select[15]) <= -ahead + 1e-3 and float(select[16]) >= -ahead - 1e-3
                  and float(select[15]) <= float(select[16]) and select[17] == "Normal", select)
            check("makestep: who observes does not", chronyc("makestep").stdout == "500 Failure\n")
            check("nothing was moved", daemon.play["steps"] == 0)


def test_states():
    with play.Daemon(host_ahead=0.25) as daemon:
        play.hide(0)
        daemon.play["answer"] = 19
        stage.until(4, lambda: report("status")["state"] == "holdover")
        compare_all("holdover")
        check("waitsync gives up", chronyc("waitsync", "2", "0", "0", "0.1").returncode == 1)
        play.show(0)
        daemon.play["answer"] = 0
        began = time.monotonic()
        result = chronyc("waitsync", "100", "0.001", "0", "0.1")
        check("waitsync ends when it is true", result.returncode == 0
              and time.monotonic() - began < 5, repr(result))
        check("waitsync: its last line", "refid: 50484330" in result.stdout.splitlines()[-1],
              result.stdout)
        compare_all("ok again")


NONE = "503 No such source"
OFF = "505 Facility not enabled in daemon"
NO = "501 Not authorised"
OK = "200 OK"
ADD = OFF if VERSION < (4, 9) else "502 Invalid command"

# Subcommand; the first line over the unix socket; whether UDP has it too.
SUBCOMMANDS = (
    ("sources", "MS Name/IP", True), ("sources -a -v", "", True),
    ("sourcestats", "Name/IP", True), ("sourcestats -v", "", True),
    ("tracking", "Reference ID    : 50484330 (PHC0)", True), ("activity", OK, True),
    ("rtcdata", "513 RTC driver not running", True), ("smoothing", OFF, True),
    ("sourcename 192.0.2.1", NONE, True), ("manual list", "210 n_samples = 0", True),
    ("waitsync 1", "try: 1, refid: 50484330", True), ("selectdata", "S Name/IP", False),
    ("selectdata -v", "", False), ("serverstats", "NTP packets received", False),
    ("ntpdata 192.0.2.1", NONE, False), ("clients", "Hostname", False),
    ("online", NONE, False), ("offline", NONE, False), ("onoffline", OK, False),
    ("online 255.255.255.0/192.0.2.0", NONE, False), ("offline 2001:db8::1", NONE, False),
    ("burst 4/8", NONE, False), ("burst 3/6 192.0.2.1", NONE, False),
    ("minpoll 192.0.2.1 4", NONE, False), ("maxpoll 192.0.2.1 10", NONE, False),
    ("maxdelay 192.0.2.1 0.3", NONE, False), ("maxdelayratio 192.0.2.1 2", NONE, False),
    ("maxdelaydevratio 192.0.2.1 10", NONE, False), ("minstratum 192.0.2.1 2", NONE, False),
    ("polltarget 192.0.2.1 8", NONE, False), ("delete 192.0.2.1", NONE, False),
    ("add server 192.0.2.7 iburst", ADD, False), ("add peer 192.0.2.7", ADD, False),
    ("refresh", OK, False), ("reload sources", OK, False), ("reselect", OK, False),
    ("reselectdist 0.001", OFF, False), ("makestep 0.1 3", OK, False), ("dump", OK, False),
    ("cyclelogs", OK, False), ("maxupdateskew 100", OFF, False), ("rekey", OFF, False),
    ("dfreq 1.5", OFF, False), ("doffset 0.25", OFF, False), ("settime 12:00", OFF, False),
    ("manual on", OFF, False), ("manual off", OK, False), ("manual reset", OK, False),
    ("manual delete 3", "516 Sample index out of range", False), ("local stratum 8", OFF, False),
    ("local off", OFF, False), ("smoothtime reset", OFF, False), ("writertc",
    "513 RTC driver not running", False), ("trimrtc", "513 RTC driver not running", False),
    ("allow 10/8", OFF, False), ("allow all", OFF, False), ("deny 10/8", OFF, False),
    ("deny all", OFF, False), ("accheck 192.0.2.1", "209 Access denied", False),
    ("cmdaccheck 192.0.2.1", "209 Access denied", False),
    ("cmdaccheck 127.0.0.1", "208 Access allowed", False), ("cmdallow 192.0.2.0/24", OK, False),
    ("cmdaccheck 192.0.2.1", "208 Access allowed", False), ("cmddeny all 192.0.2.0/16", OK, False),
    ("cmdaccheck 192.0.2.1", "209 Access denied", False), ("cmdallow all", OK, False),
    ("cmdaccheck 2001:db8::1", "208 Access allowed", False), ("cmddeny all", OK, False),
    ("cmdaccheck 2001:db8::1", "209 Access denied", False), ("makestep", OK, False),
)
# One that asks for several things prints a header before the refusal.
GOOD = (OK, "208", "209", "210")


def is_refusal(line):
    return line[:4].strip().isdigit() and not line.startswith(GOOD)


def test_subcommands():
    with play.Daemon(host_ahead=0.25):
        stage.until(4, lambda: report("tracking")["leap"] == "normal")
        for command, first, is_open in SUBCOMMANDS:
            words = command.split()
            result = chronyc(*words, host=UNIX)
            is_refused = is_refusal(first) or command == "clients"
            check(f"{command}: {first or 'a legend'}", result.stdout.startswith(first)
                  and result.returncode == (1 if is_refused else 0) and not result.stderr,
                  repr(result))
            csv = chronyc("-c", *words, host=UNIX)
            check(f"-c {command}", csv.returncode == result.returncode, repr(csv))
            for host, uid in ((UDP4, NOBODY), (UDP6, 0)):
                result = chronyc(*words, host=host, uid=uid)
                check(f"{command} over {host} as {uid}: {'the same' if is_open else 'refused'}",
                      result.stdout.startswith(first) if is_open
                      else (NO in result.stdout or result.stdout.startswith("502"))
                      and result.returncode == 1, repr(result))
        result = chronyc("clients")
        check("clients: not recorded", "519 Client logging is not active" in result.stdout,
              repr(result))
        for command in ("ntpdata", "authdata"):
            result = chronyc(command)
            check(f"{command}: no reference clock has any", result.returncode == 0
                  and "PHC0" not in result.stdout, repr(result))


def test_ntp_sources():
    """They are known, and have no address."""
    stage.write("/run/conf", "server a.example iburst\npool b.example\npeer 192.0.2.1\n")
    with play.Daemon("-f", "/run/conf", host_ahead=0.25):
        stage.until(4, lambda: report("tracking")["leap"] == "normal")
        check("activity lists them", rows("activity") == [["0", "0", "0", "0", "3"]],
              rows("activity"))
        check("sources does not", len(rows("sources")) == 1, rows("sources"))
        check("no such source", chronyc("ntpdata", "192.0.2.1").stdout == NONE + "\n")


def test_who_may():
    with play.Daemon(host_ahead=0.25) as daemon:
        stage.until(4, lambda: report("tracking")["leap"] == "normal")
        result = chronyc("tracking", uid=NOBODY)
        check("chronyc without -h finds its way, as a user", result.returncode == 0, repr(result))
        result = chronyc("tracking", host=UNIX, uid=NOBODY)
        check("the unix socket is not for users", result.returncode == 1
              and "Could not open connection" in result.stderr, repr(result))
        for host in (UDP4, UDP6):
            for command in ("makestep", "shutdown", "reset sources", "offline", "serverstats"):
                result = chronyc(*command.split(), host=host, uid=NOBODY)
                check(f"{command} over {host}", NO in result.stdout, repr(result))
        result = chronyc("-m", "tracking", "activity")
        check("-m: several commands", result.returncode == 0 and "Leap status" in result.stdout
              and "sources online" in result.stdout, repr(result))
        result = chronyc("tracking", host="/run/nothing,::2,127.0.0.1")
        check("-h: a list of hosts", result.returncode == 0, repr(result))
        check("it was not shut down", daemon.process.poll() is None)


def test_the_user_of_chrony():
    """chronyc 4.9 becomes that user when root starts it."""
    for path, line in (("/etc/passwd", "_chrony:x:4702:4705::/:/usr/sbin/nologin\n"),
                       ("/etc/group", "_chrony:x:4705:\n")):
        stage.write(path, stage.read(path) + line)
    with stage.Daemon() as daemon:
        folder = os.stat("/run/chrony")
        check("its group has the folder", (folder.st_uid, folder.st_gid, folder.st_mode & 0o7777)
              == (stage.UID, 4705, 0o770), folder)
        for uid, gid, may in ((4702, 4705, True), (4702, 4706, False), (NOBODY, NOBODY, False)):
            result = chronyc("dump", host=UNIX, uid=uid, gid=gid)
            check(f"user {uid} of group {gid}: {may}", (result.returncode == 0) == may,
                  repr(result))
        check("not a word of it", "chronyc" not in daemon.log(), daemon.log())
        check("and the folder goes in the end", daemon.end() == 0
              and not os.path.exists("/run/chrony"))


def test_acts():
    with play.Daemon(host_ahead=0.25) as daemon:
        stage.until(4, lambda: daemon.is_right(1e-6))
        steps = daemon.play["steps"]
        daemon.play.set_system(-0.0005)
        result = chronyc("makestep")
        check("makestep steps at once what would have been slewed", result.stdout == "200 OK\n"
              and daemon.play["steps"] == steps + 1 and abs(daemon.error()) < 1e-6,
              f"{result!r} {daemon.error()} {daemon.log()}")
        check("and the log knows who asked", "makestep asked for by chronyc" in daemon.log(),
              daemon.log())
        chronyc("makestep")
        check("where nothing is to be stepped nothing is", daemon.play["steps"] == steps + 1)
        readings = report("sources")[0]["readings"]
        chronyc("reset", "sources")
        check("reset sources forgets them", stage.until(
            3, lambda: report("sources")[0]["readings"] < readings), report("sources"))
        check("and follows them again", stage.until(
            3, lambda: report("tracking")["leap"] == "normal"), daemon.log())
        before = daemon.play["readings"]
        for _ in range(5):
            chronyc("reselect")
        check("reselect reads at once", daemon.play["readings"] >= before + 5)
        stats = rows("serverstats")[0]
        check("serverstats counts commands", int(stats[2]) > 8 and stats[3] == "0", stats)
        result = chronyc("shutdown")
        check("shutdown", result.stdout == "200 OK\n"
              and stage.until(2, lambda: daemon.process.poll() is not None)
              and daemon.process.returncode == 0, f"{result!r} {daemon.log()}")
        check("it leaves nothing in /run", not stage.exists("/run/chrony", stage.SOCKET),
              os.listdir("/run"))


def test_dump():
    if os.path.exists("/var/lib/vmtime/drift"):
        os.unlink("/var/lib/vmtime/drift")
    with play.Daemon(host_ahead=0.25, fast_ppm=12):
        stage.until(6, lambda: float(rows("sourcestats")[0][5]) < 1 and len(rows("sources")) == 1
                    and int(rows("sourcestats")[0][1]) > 4)
        check("no drift is written yet", not os.path.exists("/var/lib/vmtime/drift"))
        result = chronyc("dump")
        check("dump writes it", result.stdout == "200 OK\n" and stage.until(
            1, lambda: os.path.exists("/var/lib/vmtime/drift")), repr(result))


def test_folders():
    """/run/chrony is somebody else's, or too open, or somebody answers there."""
    for what, words, owner, mode in (
            ("another's folder", "belongs to user 4711", 4711, 0o770),
            ("a folder that is open to all", "has the mode 755", stage.UID, 0o755)):
        os.mkdir("/run/chrony")
        os.chown("/run/chrony", owner, stage.GID)
        os.chmod("/run/chrony", mode)
        with stage.Daemon() as daemon:
            log = daemon.log()
            check(f"{what}: told",
                  words in log and "chronyc -h /run/vmtime/chronyd.sock" in log, log)
            result = chronyc("tracking", host="/run/vmtime/chronyd.sock")
            check(f"{what}: the other socket answers", result.returncode == 0, repr(result))
            mode = os.stat("/run/vmtime/chronyd.sock").st_mode & 0o777
            check(f"{what}: not for everybody", mode == 0o660, oct(mode))
            result = chronyc("tracking", host="/run/vmtime/chronyd.sock", uid=NOBODY)
            check(f"{what}: an ordinary user cannot", result.returncode == 1, repr(result))
            check(f"{what}: UDP goes on", chronyc("tracking", host=UDP4).returncode == 0)
            check(f"{what}: ends in order", daemon.end() == 0)
            check(f"{what}: left alone", os.path.isdir("/run/chrony"))
    with stage.Daemon("-u", "root") as daemon:
        check("as root: it answers", chronyc("tracking", host=UNIX).returncode == 0, daemon.log())
        check("as root: and leaves nothing", daemon.end() == 0
              and not os.path.exists("/run/chrony"), daemon.log())
    with stage.Daemon() as daemon:
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.process.wait()
        check("killed: the socket stays", os.path.exists(UNIX))
        with stage.Daemon() as second:
            check("and the next one replaces it", chronyc("tracking", host=UNIX).returncode == 0,
                  second.log())
            check("without a word", "chronyc" not in second.log(), second.log())


stage.finish(test_reports, test_states, test_subcommands, test_ntp_sources, test_who_may, test_acts,
             test_dump, test_folders, test_the_user_of_chrony)
