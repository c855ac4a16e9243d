#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py VMTIME [--write] - what `vmtime check` says about each fixture, against golden/

For each tree of tree.py the text and the JSON are compared with golden/TREE.txt and TREE.json, whose
last line is the exit status.  --write makes them anew: read the difference before you commit it.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tree  # noqa: E402

GOLDEN = os.path.join(tree.HERE, "golden")


def run(vmtime, *arguments):
    done = subprocess.run([vmtime, "check", *arguments], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"]}, timeout=20, check=False)
    if done.stderr:
        print("standard error:", done.stderr)
    return done.stdout + f"exit status {done.returncode}\n", done


def compare(name, text, is_writing):
    """False, after saying where, if @text is not what golden/@name holds."""
    path = os.path.join(GOLDEN, name)
    if is_writing:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return True
    with open(path, encoding="utf-8") as file:
        wanted = file.read()
    if text == wanted:
        return True
    for here, there in zip(text.splitlines() + [""], wanted.splitlines() + [""]):
        if here != there:
            print(f"{name}:\n  wanted: {there}\n  got:    {here}")
            return False
    print(f"{name}: one is longer than the other")
    return False


def main():
    vmtime = os.path.abspath(sys.argv[1])
    is_writing = "--write" in sys.argv
    bad = 0
    for name in tree.TREES:
        with tempfile.TemporaryDirectory() as folder:
            tree.lay_out(name, folder)
            site = tree.SITES.get(name, [])
            text, _ = run(vmtime, "--root", folder, *site)
            data, done = run(vmtime, "--root", folder, "--json", *site)
            assert folder not in text + data, "the folder's own name is in the answer"
        report = json.loads(done.stdout)
        assert {"version", "machine", "worst", "findings", "not_looked_at"} == set(report), name
        bad += not compare(name + ".txt", text, is_writing)
        bad += not compare(name + ".json", data, is_writing)
    print(f"{len(tree.TREES)} trees, {bad} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
