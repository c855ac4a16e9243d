#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hooks.py VMTIMED VMTIME PLAY.SO - `vmtime events --follow --exec DIR`

The daemon is the real one, its host's clock jumps as the tests want it; hooks are small scripts.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import stage
from stage import check

os.environ["EXAMPLES"] = os.path.abspath(os.path.join(os.path.dirname(__file__),
                                                       "../../examples/hooks"))
stage.enter(seconds=115)
import play  # pylint: disable=wrong-import-position

FOLDER = "/etc/vmtime"
OUT = "/run/out"
TELL = f'#!/bin/sh\necho "$VMTIME_EVENT ${{0##*/}} $VMTIME_NUMBER" >>{OUT}\n'


def hook(phase, name, text=TELL, mode=0o755):
    folder = f"{FOLDER}/on-{phase}.d"
    os.makedirs(folder, exist_ok=True)
    path = stage.write(f"{folder}/{name}", text)
    os.chmod(path, mode)
    return path


def told():
    return stage.read(OUT).splitlines() if os.path.exists(OUT) else []


def is_gone(command):
    def living():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if command in stage.read(f"/proc/{pid}/cmdline"):
                    return True
            except OSError:
                pass
        return False
    return stage.until(2, lambda: not living())


class Hooks:
    """`vmtime events --follow --exec DIR ARGUMENT...`."""

    def __init__(self, *arguments):
        self.out, self.log = [], []
        self.process = subprocess.Popen(
            [stage.VMTIME, "events", "--follow", "--exec", FOLDER, *arguments], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "VMTIME_SIZE_NS": "a lie", "SOMETHING": "else"})
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True) for pair in
                        ((self.process.stdout, self.out), (self.process.stderr, self.log))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, to):
        for line in stream:
            to.append(line.rstrip("\n"))

    def says(self, words, seconds=5):
        return stage.until(seconds, lambda: next((line for line in self.log if words in line), None))

    def times(self, words):
        return sum(words in line for line in self.log)

    def __enter__(self):
        stage.until(5, lambda: self.out)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for phase in ("disruption", "repair"):
            shutil.rmtree(f"{FOLDER}/on-{phase}.d", ignore_errors=True)
        if os.path.exists(OUT):
            os.unlink(OUT)


def daemon():
    return play.Daemon(host_ahead=0.4)


def settled(running):
    ok = running.is_right(1e-6) is not None
    time.sleep(1.2)
    return check("the daemon follows its host", ok, running.log())


def jump(running, seconds=10):
    running.play.jump(seconds)
    return check(f"a jump of {seconds} s is repaired", running.is_right(1e-3, 5) is not None,
                 running.log())


def latest():
    result = stage.vmtime("events", "--json", text=True)
    return json.loads(result.stdout)["events"][-1]


def test_order_and_facts():
    with daemon() as running:
        settled(running)
        hook("disruption", "20-second")
        hook("disruption", "10-first")
        hook("repair", "10-facts", f"#!/bin/sh\nenv >{OUT}.env\nls -l /proc/self/fd >{OUT}.fd\n"
             f"cat >{OUT}.in\necho said; echo and complained >&2\n{TELL[10:]}")
        with Hooks() as hooks:
            check("what is there is said", hooks.says("2 in on-disruption.d, 1 in on-repair.d"),
                  hooks.log)
            check("what was before is no reason to run anything", not told(), told())
            jump(running)
            stage.until(5, lambda: len(told()) >= 3)
            event = latest()
            number = event["number"]
            check("by name, one after another, and the repair last", told() ==
                  [f"disruption 10-first {number}", f"disruption 20-second {number}",
                   f"repair 10-facts {number}"], f"{told()} {hooks.log}")
            facts = dict(line.partition("=")[::2] for line in stage.read(OUT + ".env").splitlines())
            wanted = {
                "VMTIME_EVENT": "repair", "VMTIME_NUMBER": number, "VMTIME_CAUSE": event["cause"],
                "VMTIME_EVIDENCE": ",".join(event["evidence"]), "VMTIME_END": event["end"],
                "VMTIME_SOURCE": event["source"], "VMTIME_BOOT": event["boot"],
                "VMTIME_SIZE_NS": event["size_ns"],
                "VMTIME_NOTICED_UNIX_NS": event["noticed_unix_ns"],
                "VMTIME_REPAIRED_UNIX_NS": event["at_unix_ns"],
                "VMTIME_NOTICED_AFTER_NS": event["noticed_after_ns"],
                "VMTIME_REPAIRED_AFTER_NS": event["repaired_after_ns"],
                "VMTIME_WRONG_FOR_NS": event["wrong_for_ns"], "SOMETHING": "else"}
            for name, value in wanted.items():
                check(f"{name} is told", facts.get(name) == str(value), f"{facts} {value!r}")
            check("and nothing else of ours",
                  {name for name in facts if name.startswith("VMTIME_")} < set(wanted), facts)
            check("it was a jump of 10 s", 9.9e9 < int(facts["VMTIME_SIZE_NS"]) < 10.1e9)
            check("nothing to read", stage.read(OUT + ".in") == "")
            fds = re.findall(r" (\d+) -> ", stage.read(OUT + ".fd"))
            check("no files but its three, and ls's own", len(fds) <= 4, stage.read(OUT + ".fd"))
            for words in ("said", "and complained"):
                check(f"{words!r} is logged", hooks.says(f"hook on-repair.d/10-facts: {words}"),
                      hooks.log)
            check("and so is the end", hooks.says("hook on-repair.d/10-facts: done in"), hooks.log)
            check("events are printed all the same", any(" closed " in line for line in hooks.out),
                  hooks.out)
            time.sleep(0.5)
            check("each once", len(told()) == 3, told())


def test_hooks_that_misbehave():
    with daemon() as running:
        settled(running)
        hook("disruption", "10-hangs", "#!/bin/sh\ntrap '' TERM\nsleep 1000 & wait; sleep 1000\n")
        hook("disruption", "20-fails", "#!/bin/sh\nexit 3\n")
        hook("disruption", "30-dies", "#!/bin/sh\nkill -9 $$\n")
        hook("disruption", "40-noisy", "#!/bin/sh\nyes | head -c 3000000\n")
        hook("disruption", "45-long", "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\n"
             "printf '\\nnext\\033[2J'")
        hook("disruption", "50-daemon", "#!/bin/sh\nsetsid sh -c 'while sleep 0.01; do echo on; "
             "done' &\necho started\n")
        hook("disruption", "60-no-program", "echo no shell would be asked\n")
        hook("disruption", "65-no-interpreter", "#!/nonexistent\n")
        hook("disruption", "70-last")
        with Hooks("--exec-timeout", "0.5") as hooks:
            began = time.monotonic()
            jump(running)
            print(f"the jump was repaired after {time.monotonic() - began:.1f} s")
            check("events are told of while a hook hangs", stage.until(
                2, lambda: any(" closed " in line for line in hooks.out)), hooks.out)
            check("the next one has its turn", stage.until(15, told), hooks.log)
            print(f"the last hook had its turn after {time.monotonic() - began:.1f} s")
            check("after its time, and the time to end", 3 < time.monotonic() - began < 8,
                  hooks.log)
            for words in ("10-hangs: ended by us after", "20-fails: failed with status 3",
                          "30-dies: killed by signal 9", "40-noisy: done in",
                          "40-noisy: the rest of what it says is not shown",
                          "45-long: next\\x1b[2J", "50-daemon: started", "50-daemon: done in",
                          "60-no-program cannot be run: Exec format error",
                          "65-no-interpreter cannot be run: No such file"):
                check(f"it is said: {words}", hooks.says(words, 1), hooks.log[-40:])
            check("no more lines than that", hooks.times("40-noisy: y") == 200,
                  hooks.times("40-noisy: y"))
            check("no longer lines than that", max(map(len, hooks.log)) < 700,
                  max(map(len, hooks.log)))
            check("nothing is left of the one that hung", is_gone("sleep\0001000"))


def test_what_is_not_run():
    with daemon() as running:
        settled(running)
        hook("repair", "10-good")
        hook("repair", "20-not-executable", mode=0o644)
        hook("repair", "30-writable", mode=0o775)
        os.chown(hook("repair", "40-strangers"), stage.UID, 0)
        hook("repair", "50.dpkg-old")
        hook("repair", ".hidden")
        os.symlink(f"{FOLDER}/on-repair.d/10-good", f"{FOLDER}/on-repair.d/60-link")
        os.mkdir(f"{FOLDER}/on-repair.d/70-folder")
        with Hooks() as hooks:
            jump(running)
            jump(running, -3)
            stage.until(5, lambda: len(told()) >= 2)
            time.sleep(0.3)
            check("only the good one is run", [line.split()[1] for line in told()]
                  == ["10-good", "10-good"], told())
            for name, why in (("20-not-executable", "is not executable"),
                              ("30-writable", "can be written to by others than root"),
                              ("40-strangers", "is not root's"), ("50.dpkg-old", "has other char"),
                              ("60-link", "is not a regular file"),
                              ("70-folder", "is not a regular file")):
                check(f"{name}: said, once", hooks.times(
                    f"hook on-repair.d/{name} is not run: it {why}") == 1, hooks.log)
            check("hidden files are not mentioned", not hooks.times(".hidden"))
            for path, words in ((f"{FOLDER}/on-repair.d", "no hook in on-repair.d/ is run"),
                                (FOLDER, "no hooks are run: the folder /etc/vmtime")):
                os.chmod(path, 0o777)
                before = len(told())
                jump(running, 5)
                check(f"{path} is everybody's: nothing is run", hooks.says(words)
                      and len(told()) == before, f"{told()} {hooks.log}")
                os.chmod(path, 0o755)


def test_restarts():
    """Neither twice for one event, nor never for one that ended while nobody listened."""
    hook("disruption", "10-tell")
    hook("repair", "10-tell")
    clocks = play.Play(host_ahead=0.4)
    with play.Daemon(play=clocks) as running:
        settled(running)
        with Hooks() as hooks:
            jump(running)
            stage.until(5, lambda: len(told()) >= 2)
            number = latest()["number"]
            # The source is never the same twice: the event stays open until the daemon dies.
            end = time.monotonic() + 5
            while len(told()) < 3 and time.monotonic() < end:
                clocks.jump(7)
                time.sleep(0.01)
            check("an event that begins is told at once", told()[2:]
                  == [f"disruption 10-tell {number + 1}"], told())
            running.process.kill()
            running.process.wait()
            check("the daemon died: that is said", hooks.says("trying again"), hooks.log)
            time.sleep(1.5)
            check("once", hooks.times("trying again") == 1, hooks.log)
            check("and no hook is run for it", len(told()) == 3, told())
            with play.Daemon(play=clocks) as again:
                again.is_right(1e-3)
                check("it is back: that is said", hooks.says("vmtimed is back"), hooks.log)
                stage.until(3, lambda: f"repair 10-tell {number + 1}" in told())
                time.sleep(0.5)
                check("what was left open has ended, and its hooks are run",
                      told().count(f"repair 10-tell {number + 1}") == 1, told())
                check("each hook once for each event", len(told()) == len(set(told())), told())
                before = len(told())
                jump(again, 20)
                stage.until(5, lambda: len(told()) >= before + 2)
                check("the next jump as ever", [line.split()[0] for line in told()[before:]]
                      == ["disruption", "repair"], told())


def test_end():
    with daemon() as running:
        settled(running)
        hook("disruption", "10-slow", f"#!/bin/sh\nsleep 1.5\n{TELL[10:]}")
        hook("disruption", "20-never")
        hook("repair", "10-undo", TELL.replace("VMTIME_NUMBER", "VMTIME_END"))
        with Hooks() as hooks:
            running.play.jump(10)
            time.sleep(0.2)
            stage.until(2, lambda: any(" opened " in line for line in hooks.out))
            hooks.process.terminate()
            check("told to end: the hook that runs may finish, the event's end is run, too",
                  hooks.process.wait(5) == 0 and [line.split()[1] for line in told()]
                  == ["10-slow", "10-undo"], f"{told()} {hooks.log}")
            check("with how it ended", told()[-1].split()[2] in ("stepped", "unfinished"), told())
        hook("disruption", "10-hangs", "#!/bin/sh\nexec sleep 500\n")
        with Hooks() as hooks:
            running.is_right(1e-3, 5)
            running.play.jump(10)
            stage.until(2, lambda: any(" opened " in line for line in hooks.out))
            time.sleep(0.2)
            hooks.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            hooks.process.send_signal(signal.SIGINT)
            check("told twice: at once", hooks.process.wait(1) == 0, hooks.log)
            check("and what ran is killed", is_gone("sleep\000500"))


def test_usage():
    for arguments, words in ((["events", "--exec", "/x"], "--follow"),
                             (["events", "-f", "--exec-timeout", "3"], "--exec"),
                             (["events", "-f", "--exec", "/x", "--exec-timeout", "0"], "0"),
                             (["events", "-f", "--exec", "/x", "--exec-timeout", "soon"], "soon"),
                             (["status", "--exec", "/x"], "--exec")):
        result = stage.vmtime(*arguments, text=True)
        check(f"{arguments} is refused", result.returncode == 2 and words in result.stderr
              and len(result.stderr.splitlines()) == 1, repr(result))


def test_the_example():
    """50-freeze and 50-thaw with a systemd that only writes down what it is told."""
    tools = "/run/tools"
    os.mkdir(tools)
    for name in ("systemctl", "systemd-run"):
        stage.write(f"{tools}/{name}", f"""#!/bin/sh
echo "${{0##*/}} $*" >>{OUT}
case "$1 $FAIL" in
freeze\\ freeze) exit 1 ;;
freeze\\ hang) exec sleep 1000 ;;
show\\ *) echo "$FROZEN" ;;
--quiet\\ timer) exit 1 ;;
esac
""")
        os.chmod(f"{tools}/{name}", 0o755)

    def run(phase, limit=10, **environment):
        if os.path.exists(OUT):
            os.unlink(OUT)
        process = subprocess.Popen(
            [os.path.join(os.environ["EXAMPLES"], f"on-{phase}.d",
                          "50-freeze" if phase == "disruption" else "50-thaw")],
            env={"PATH": f"{tools}:{os.environ['PATH']}", "VMTIME_CAUSE": "pause",
                 "VMTIME_SIZE_NS": "5", "VMTIME_END": "stepped", **environment},
            start_new_session=True)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(5)
        return process.returncode

    timer = "systemd-run --quiet --collect --unit=vmtime-thaw --on-active=60s systemctl thaw a.slice"
    stop, freeze, thaw = ("systemctl " + words for words in
                          ("stop vmtime-thaw.timer", "freeze a.slice", "thaw a.slice"))
    unit = {"FREEZE_UNIT": "a.slice"}
    check("no unit: nothing is done", run("disruption") == 0 and run("repair") == 0 and not told())
    check("the timer is set before anything is frozen", run("disruption", **unit) == 0
          and told() == [stop, timer, freeze], told())
    check("no timer: nothing is frozen", run("disruption", FAIL="timer", **unit) != 0
          and freeze not in told(), told())
    check("what could not be frozen is thawed", run("disruption", FAIL="freeze", **unit) == 1
          and told() == [stop, timer, freeze, thaw, stop], told())
    check("what takes too long is thawed", run("disruption", limit=0.5, FAIL="hang", **unit) == 1
          and told() == [stop, timer, freeze, thaw, stop], told())
    check("the repair thaws, then stops the timer", run("repair", FROZEN="frozen", **unit) == 0
          and told()[1:] == [thaw, stop], told())
    check("where nothing is frozen there is nothing to thaw",
          run("repair", FROZEN="running", **unit) == 0 and told()[1:] == [stop], told())
    os.unlink(OUT)


play.show(0)
stage.finish(test_usage, test_the_example, test_order_and_facts, test_hooks_that_misbehave, test_what_is_not_run,
             test_restarts, test_end)
