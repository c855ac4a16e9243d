#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix_kill.py VMTIME - fix and undo, killed at every system call that changes something

strace kills the program as it enters the Nth such call, for every N until it comes through.  Then
every file is the old one or the new one, whole; and what follows, undo or a second fix, completes.
"""

import os
import shutil
import sys

import fixing
from fixing import check, run

# strace counts each of them by itself.
CALLS = ["write", "rename", "unlink", "rmdir", "mkdir", "fchmod", "chmod", "fchown", "fsync",
         "fsetxattr", "openat"]
# A new folder and file, a changed file, and commands; two changed files and boot files.
TREES = ["unknown", "debian-12-host"]
# The journal and what stands in its way belong to nobody else.
OURS = ("/var",)


def tracer(call, n):
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:signal=SIGKILL:when={n}")


def first_of(call, vmtime, command, machine):
    """Of opening files only what makes one changes anything: the number of the first such call."""
    if call != "openat":
        return 1
    log = machine.root + ".log"
    run(vmtime, command, machine, *(["--yes"] if command == "fix" else []),
        before=("strace", "-f", "-qq", "-o", log, "-e", "trace=openat"))
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    os.remove(log)
    return next((n for n, line in enumerate(lines, 1) if "O_CREAT" in line), len(lines) + 1)


def can_trace():
    if not shutil.which("strace"):
        return "there is no strace"
    done = fixing.subprocess.run([*tracer("fsync", 1), "true"], check=False, capture_output=True)
    return "strace may not trace here: " + done.stderr.decode() if b"ptrace" in done.stderr else None


def is_old_or_new(what, machine, before, after):
    for path, here in machine.picture(OURS).items():
        if path.endswith(".vmtime-tmp"):
            continue
        check(f"{what}: {path} is old or new", here in (before.get(path), after.get(path)), here)
    for path in before:
        check(f"{what}: {path} is there", os.path.lexists(machine.path(path))
              or path not in after or path.startswith(OURS))


def killed_fix(vmtime, name, call, n, before, after):
    """Kills a run of fix at its Nth call; false where it came through."""
    what = f"{name}: fix killed at {call} {n}"
    with fixing.Machine(name) as machine:
        done = run(vmtime, "fix", machine, "--yes", before=tracer(call, n))
        if done.returncode == 0:
            return False
        is_old_or_new(what, machine, before, after)
        if n % 2:
            back = run(vmtime, "undo", machine)
            check(f"{what}: undo", back.returncode == 0, back.stdout + back.stderr)
            check(f"{what}: undone", machine.picture(OURS) == before,
                  fixing.differences(before, machine.picture(OURS)))
        else:
            again = run(vmtime, "fix", machine, "--yes")
            check(f"{what}: fix again", again.returncode == 0, again.stdout + again.stderr)
            check(f"{what}: fixed", machine.picture(OURS) == after,
                  fixing.differences(after, machine.picture(OURS)))
    return True


def killed_undo(vmtime, name, call, n, before, after):
    """Kills a run of undo at its Nth call; false where it came through."""
    what = f"{name}: undo killed at {call} {n}"
    with fixing.Machine(name) as machine:
        run(vmtime, "fix", machine, "--yes")
        done = run(vmtime, "undo", machine, before=tracer(call, n))
        if done.returncode == 0:
            return False
        is_old_or_new(what, machine, before, after)
        # Whoever comes next goes on in the same direction.
        run(vmtime, "undo" if n % 2 else "fix", machine, *([] if n % 2 else ["ptp-kvm", "--dry-run"]))
        back = run(vmtime, "undo", machine)
        check(f"{what}: undo again", back.returncode == 0, back.stdout + back.stderr)
        check(f"{what}: undone", machine.picture(OURS) == before,
              fixing.differences(before, machine.picture(OURS)))
    return True


def main():
    vmtime = os.path.abspath(sys.argv[1])
    reason = can_trace()
    if reason:
        print("skip: " + reason)
        sys.exit(77)
    total = 0
    for name in TREES:
        with fixing.Machine(name) as machine:
            before = machine.picture(OURS)
            check(f"{name}: fix", run(vmtime, "fix", machine, "--yes").returncode == 0)
            after = machine.picture(OURS)
        for killed, command in ((killed_fix, "fix"), (killed_undo, "undo")):
            sum_of_command = 0
            for call in CALLS:
                with fixing.Machine(name) as machine:
                    if command == "undo":
                        run(vmtime, "fix", machine, "--yes")
                    first = n = first_of(call, vmtime, command, machine)
                while killed(vmtime, name, call, n, before, after):
                    n += 1
                sum_of_command += n - first
            check(f"{name}: there was something to kill {command} at", sum_of_command > 30,
                  sum_of_command)
            total += sum_of_command
    fixing.finish(f"killed {total} times")


if __name__ == "__main__":
    main()
