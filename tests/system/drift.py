#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drift.py VMTIMED VMTIME PLAY.SO - the drift file, and whatever may be found in its place"""

import json
import os
import shutil

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position

PATH = "/var/lib/vmtime/drift"
FOLDER = os.path.dirname(PATH)


def clear():
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.mkdir(FOLDER)


def left():
    """What lies in the folder, but the events, which have a test of their own."""
    return sorted(name for name in os.listdir(FOLDER) if name != "events")


def settle():
    """Runs until the rate is known well enough to be worth keeping."""
    def is_known():
        status = json.loads(stage.vmtime("--json").stdout)
        return status["sources"][0]["readings"] > 5 and 0 < status["tracking"]["skew_ppm"] < 5

    return stage.until(8, is_known)


def test_saved_and_loaded():
    play.show(0)
    with play.Daemon(fast_ppm=7) as daemon:
        check("the rate becomes known", settle(), daemon.log())
        check("it ends in order", daemon.end() == 0, daemon.log())
    saved = stage.read(PATH) if os.path.exists(PATH) else ""
    check("it was saved, as chrony does: ppm and skew", len(saved.split()) == 2
          and abs(float(saved.split()[0])) < 1, saved)
    check("nothing else was left", left() == ["drift"], left())
    st = os.stat(PATH)
    check("it is the user's, and anybody may read it", (st.st_uid, st.st_mode & 0o777)
          == (stage.UID, 0o644), st)

    stage.write(PATH, "  -12.345678   0.250000\n")
    with play.Daemon() as daemon:
        check("it is loaded", f"drift file {PATH}: frequency -12.346 ppm" in daemon.log(),
              daemon.log())


def test_not_with_x():
    for what, text in (("none", None), ("one", "1.5 0.1\n")):
        clear()
        if text:
            stage.write(PATH, text)
        with stage.Daemon() as daemon:
            daemon.end()
        with stage.Daemon(f"driftfile {PATH}", "hostclock on") as daemon:
            daemon.end()
        check(f"-x writes no drift file: {what}", left() == (["drift"] if text else [])
              and (not text or stage.read(PATH) == text), left())


def is_followed(readings):
    status = json.loads(stage.vmtime("--json").stdout)
    return status["state"] == "ok" and status["sources"][0]["readings"] >= readings


def test_not_with_x_and_a_source():
    """A rate is known here, and still it is not -x's to keep."""
    play.show(0)
    for what, text in (("none", None), ("one", "1.5 0.1\n")):
        clear()
        os.chown(FOLDER, stage.UID, stage.GID)
        if text:
            stage.write(PATH, text)
        with play.Daemon("-x", f"driftfile {PATH} interval 1", "hostclock on",
                         fast_ppm=7) as daemon:
            check("-x: the rate becomes known", settle(), daemon.log())
            stage.until(1.2, lambda: False)
            check("-x: it ends in order", daemon.end() == 0, daemon.log())
        check(f"-x with a source writes no drift file: {what}", left()
              == (["drift"] if text else []) and (not text or stage.read(PATH) == text), left())


def test_not_yet_known():
    """A few readings of a coarse clock tell next to nothing of the rate: that is not kept."""
    play.show(0)
    clear()
    os.chown(FOLDER, stage.UID, stage.GID)
    with play.Daemon(f"driftfile {PATH} interval 1",
                     "refclock PHC /dev/ptp0 precision 1e-2") as daemon:
        check("it is followed", stage.until(4, lambda: is_followed(4)), daemon.log())
        stage.until(1.2, lambda: False)
        skew = json.loads(stage.vmtime("--json").stdout)["tracking"]["skew_ppm"]
        check("its rate is hardly known", skew > 10, skew)
        check("it ends in order", daemon.end() == 0, daemon.log())
    check("a rate that is hardly known is not saved", left() == [],
          os.path.exists(PATH) and stage.read(PATH))


def put_nothing():
    stage.write(PATH, "")


def put_folder():
    os.mkdir(PATH)


def put_unreadable():
    stage.write(PATH, "1.5 0.1\n")
    os.chmod(PATH, 0)


def put_link_to_nowhere():
    os.symlink("/nowhere/at/all", PATH)


def test_bad_files():
    for what, put, warns in (
            ("empty", put_nothing, True),
            ("a folder", put_folder, True),
            ("a FIFO", lambda: os.mkfifo(PATH), True),
            ("a device", lambda: os.mknod(PATH, 0o020666, os.makedev(1, 5)), True),
            ("a link to nowhere", put_link_to_nowhere, False),  # as if it were not there yet
            ("a circle of links", lambda: os.symlink("drift", PATH), True),
            ("noise", lambda: stage.write(PATH, os.urandom(64)), True),
            ("words", lambda: stage.write(PATH, "fast slow\n"), True),
            ("half a file", lambda: stage.write(PATH, "1.5"), True),
            ("not a number", lambda: stage.write(PATH, "nan nan\n"), True),
            ("infinite", lambda: stage.write(PATH, "inf 1\n"), True),
            ("beyond what a clock can be", lambda: stage.write(PATH, "1e6 1\n"), True),
            ("huge", lambda: stage.write(PATH, "1.5 0.1\n" * (1 << 20)), True),
            ("unreadable for its user", put_unreadable, None)):
        clear()
        put()
        play.show(0)
        with play.Daemon() as daemon:
            warnings = daemon.lines("warning: ")
            if warns is not None:  # root, who reads it at the start, may read anything
                check(f"{what}: {'a warning' if warns else 'nothing'} is said", len(warnings)
                      == warns and (not warns or PATH in warnings[0]), daemon.log())
            check(f"{what}: it goes on, and the clock is right", daemon.is_right(1e-6) is not None
                  and stage.vmtime().returncode == 0, daemon.log())
            check(f"{what}: it ends in order", daemon.end() == 0, daemon.log())


def test_full_disk():
    """What cannot be saved leaves the old file whole."""
    clear()
    stage.mount_small(FOLDER)
    os.chown(FOLDER, stage.UID, stage.GID)
    old = "3.500000 0.100000\n"
    stage.write(PATH, old)
    try:
        with open(FOLDER + "/filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
    except OSError:
        pass
    play.show(0)
    with play.Daemon() as daemon:
        settle()
        check("it ends in order", daemon.end() == 0, daemon.log())
        told = [line for line in daemon.lines("No space left") if PATH in line]
        check("it is told, and that the old one stays", len(told) == 1
              and "the old one stays" in daemon.log(), daemon.log())
    check("the old one is whole, and no piece of a new one beside it", stage.read(PATH) == old
          and sorted(os.listdir(FOLDER)) == ["drift", "filler"], os.listdir(FOLDER))
    stage.unmount(FOLDER)


def test_folder_of_another():
    """A stock file's driftfile lies in chrony's folder: told once, not each hour."""
    os.makedirs("/var/lib/chrony", exist_ok=True)
    with play.Daemon("driftfile /var/lib/chrony/drift interval 1", "hostclock on") as daemon:
        settle()
        stage.until(2.5, lambda: False)
        check("told once", len(daemon.lines("/var/lib/chrony/drift")) == 1, daemon.log())
        check("it ends in order", daemon.end() == 0, daemon.log())


stage.finish(test_saved_and_loaded, test_not_with_x, test_not_with_x_and_a_source,
             test_not_yet_known, test_bad_files, test_full_disk,
             test_folder_of_another)
