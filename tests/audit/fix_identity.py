#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix_identity.py VMTIME - fix, then undo, leaves a tree as it was, for every subset of findings

And in two steps: one subset, then the rest, taken back in the other order; the first cannot be taken
back before the second where both changed a file.
"""

import itertools
import os
import sys

import fixing
from fixing import check, run

# One for each way of doing things.
TREES = ["debian-12-guest", "debian-13-host", "ubuntu-24.04-host", "rhel-7-host", "rhel-8-host",
         "rhel-9-guest", "fedora-host", "unknown", "vmtime-guest"]


def subsets(items):
    for n in range(1, len(items) + 1):
        yield from itertools.combinations(items, n)


def one(vmtime, name, ids, before):
    what = f"{name} {' '.join(ids)}"
    with fixing.Machine(name) as machine:
        done = run(vmtime, "fix", machine, *ids, "--yes")
        check(f"{what}: fix", done.returncode == 0, done.stderr)
        back = run(vmtime, "undo", machine)
        check(f"{what}: undo", back.returncode == 0, back.stdout + back.stderr)
        check(f"{what}: as it was", machine.picture() == before,
              fixing.differences(before, machine.picture()))


def two(vmtime, name, first, rest, before):
    what = f"{name} {' '.join(first)} then {' '.join(rest)}"
    with fixing.Machine(name) as machine:
        run(vmtime, "fix", machine, *first, "--yes")
        middle = machine.picture((fixing.JOURNAL,))
        run(vmtime, "fix", machine, *rest, "--yes")
        after = machine.picture()
        if not os.path.exists(machine.path(fixing.JOURNAL + "/0002")):
            return
        early = run(vmtime, "undo", machine, "1")
        if early.returncode:
            check(f"{what}: refused as a whole", "run 2" in early.stderr
                  and machine.picture() == after, early.stderr)
            check(f"{what}: 2", run(vmtime, "undo", machine, "2").returncode == 0)
            check(f"{what}: the middle", machine.picture((fixing.JOURNAL,)) == middle)
            check(f"{what}: 1", run(vmtime, "undo", machine, "1").returncode == 0)
        else:
            check(f"{what}: the other", run(vmtime, "undo", machine).returncode == 0)
        check(f"{what}: as it was", machine.picture() == before,
              fixing.differences(before, machine.picture()))


def main():
    vmtime = os.path.abspath(sys.argv[1])
    n = 0
    for name in TREES:
        with fixing.Machine(name) as machine:
            before = machine.picture()
            ids = fixing.mended(run(vmtime, "fix", machine, "--dry-run").stdout)
        check(f"{name}: there is something to mend", ids)
        for chosen in subsets(ids):
            one(vmtime, name, chosen, before)
            n += 1
        if len(ids) > 1:
            two(vmtime, name, ids[:1], ids[1:], before)
            two(vmtime, name, ids[1:], ids[:1], before)
    fixing.finish(f"{n} subsets of {len(TREES)} trees")


if __name__ == "__main__":
    main()
