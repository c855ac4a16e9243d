#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""service.py VMTIMED VMTIME PLAY.SO - the daemon with just the rights that its unit leaves it"""

import os
import re
import shutil
import signal

import stage
from stage import check

stage.enter(seconds=60)
import play  # pylint: disable=wrong-import-position

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../packaging/vmtimed.service.in")
STATE = "/var/lib/vmtime"


def rights():
    named = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", stage.read(UNIT)).group(1).split()
    return "-all," + ",".join("+" + name.removeprefix("CAP_").lower() for name in named)


def make_folders():
    """As systemd does before each start: its owner is root, and what is in it, too."""
    for folder in (stage.RUN, STATE):
        os.makedirs(folder, exist_ok=True)
        for path, _, names in os.walk(folder):
            for name in [path, *(os.path.join(path, name) for name in names)]:
                os.chown(name, 0, 0)


def start(made):
    make_folders()
    return play.Daemon(play=made, prefix=["setpriv", "--bounding-set", rights(),
                                          "--no-new-privs"])


def test_service():
    made = play.Play(host_ahead=0.4)
    for turn in ("first", "second"):
        with start(made) as daemon:
            check(f"{turn} start: the clock is right", daemon.is_right(1e-6, 2) is not None,
                  daemon.log())
            check(f"{turn} start: no warning, no error", not daemon.lines("warning: ")
                  and not daemon.lines("error: "), daemon.log())
            check(f"{turn} start: another user", stage.status_of(daemon.pid)["Uid"].split()[0]
                  == str(stage.UID))
            check(f"{turn} start: it answers", stage.vmtime().returncode == 0)
            daemon.process.send_signal(signal.SIGHUP)
            check(f"{turn} start: it reloads", daemon.says("reloaded"), daemon.log())
            play.hide(0)
            made["answer"] = 19
            stage.until(3, lambda: '"holdover"' in stage.vmtime("--json", text=True).stdout)
            made["answer"] = 0
            play.show(0)
            check(f"{turn} start: the opener still opens", stage.until(
                4, lambda: '"state": "ok"' in stage.vmtime("--json", text=True).stdout),
                daemon.log())
            check(f"{turn} start: it ends in order", daemon.end() == 0 and not stage.exists(
                stage.SOCKET, stage.PIDFILE), daemon.log())
            check(f"{turn} start: the stamp stays", os.path.exists(stage.RUN + "/steered"))
            check(f"{turn} start: it kept its folder", os.stat(STATE).st_uid == stage.UID)


def test_stop_post():
    made = play.Play()
    made["tick"] = 10200
    daemon = play.Daemon(play=made)
    result = stage.run("setpriv", "--bounding-set", rights(), stage.VMTIMED, "--restore-clock",
                       text=True, env=daemon.environment, preexec_fn=stage.kill_at_clock_call)
    check("ExecStopPost has the right that it needs", result.returncode == 0
          and made["tick"] == 10000, repr(result))


if not shutil.which("setpriv"):
    stage.skip("there is no setpriv (util-linux)")
play.show(0)
stage.finish(test_service, test_stop_post)
