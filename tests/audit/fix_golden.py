#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix_golden.py VMTIME [--write] - what fix and undo do to each fixture, against golden/

golden/TREE.fix holds what `fix --dry-run` shows, the journal's plan (with the commands that each
distribution wants, which cannot be run here: grubby and grub2-mkconfig are not in Debian), what fix
and undo print.  --write makes them anew: read the difference before you commit it.
"""

import os
import sys

import fixing
import tree
from fixing import check, run

GOLDEN = os.path.join(tree.HERE, "golden")


def story(vmtime, name):
    """Everything about one tree as text; checks on the way what holds for all of them."""
    with fixing.Machine(name) as machine:
        before = machine.picture()
        site = tree.SITES.get(name, [])
        shown = run(vmtime, "fix", machine, "--dry-run", *site)
        check(f"{name}: --dry-run changes nothing", machine.picture() == before)
        text = f"$ vmtime fix --dry-run\n{shown.stdout}{shown.stderr}status {shown.returncode}\n"
        done = run(vmtime, "fix", machine, "--yes", *site)
        check(f"{name}: fix shows the same", done.stdout.startswith(shown.stdout)
              or done.returncode == 1, done.stdout)
        rest = done.stdout[len(shown.stdout):]
        text += f"\n$ vmtime fix --yes\n{rest}{done.stderr}status {done.returncode}\n"
        if os.path.exists(machine.path(fixing.JOURNAL)):
            text += "\n$ cat plan\n" + fixing.plan_of(machine)
            text += twice(vmtime, name, machine)
            back = run(vmtime, "undo", machine)
            text += f"\n$ vmtime undo\n{back.stdout}{back.stderr}status {back.returncode}\n"
        check(f"{name}: undo brings all of it back", machine.picture() == before,
              fixing.differences(before, machine.picture()))
    return text


def twice(vmtime, name, machine):
    """The second run changes nothing; what it says is part of the story."""
    once = machine.picture()
    again = run(vmtime, "fix", machine, "--yes", *tree.SITES.get(name, []))
    check(f"{name}: the second run changes nothing", machine.picture() == once,
          fixing.differences(once, machine.picture()))
    return f"\n$ vmtime fix --yes\n{again.stdout}{again.stderr}status {again.returncode}\n"


def compare(name, text):
    with open(os.path.join(GOLDEN, name + ".fix"), encoding="utf-8") as file:
        wanted = file.read()
    for here, there in zip(text.splitlines() + [""], wanted.splitlines() + [""]):
        if not check(f"{name} is as it was", here == there, f"wanted: {there}\ngot:    {here}"):
            return
    check(f"{name} is as long", text == wanted)


def main():
    vmtime = os.path.abspath(sys.argv[1])
    fixing.need_augeas(vmtime)
    for name in tree.TREES:
        text = story(vmtime, name)
        if "--write" in sys.argv:
            with open(os.path.join(GOLDEN, name + ".fix"), "w", encoding="utf-8") as file:
                file.write(text)
        else:
            compare(name, text)
    fixing.finish(f"{len(tree.TREES)} trees")


if __name__ == "__main__":
    main()
