#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-syntax.py COMMANDS - check each source of a compile_commands.json with clang

Prints what clang says and exits 1 if it says anything.
"""

import concurrent.futures
import json
import shlex
import subprocess
import sys

# Options that belong to writing an object file, and how many words follow each.
DROPPED = {"-c": 0, "-o": 1, "-MD": 0, "-MMD": 0, "-MQ": 1, "-MF": 1, "-MT": 1}
ADDED = ["-fsyntax-only", "-Werror", "-Wno-unknown-warning-option", "-Qunused-arguments"]


def clang_command(entry):
    words = entry.get("arguments") or shlex.split(entry["command"])
    while words and words[0].split("/")[-1] in ("ccache", "sccache"):
        words = words[1:]
    kept = []
    rest = iter(words[1:])
    for word in rest:
        if word in DROPPED:
            for _ in range(DROPPED[word]):
                next(rest)
        else:
            kept.append(word)
    return ["clang"] + kept + ADDED


def check(entry):
    run = subprocess.run(clang_command(entry), cwd=entry["directory"], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return run.returncode != 0 or bool(run.stdout.strip()), run.stdout


def main():
    with open(sys.argv[1], encoding="utf-8") as commands:
        entries = {e["file"]: e for e in json.load(commands) if e["file"].endswith(".c")}
    if not entries:
        sys.exit("clang-syntax: no C sources")
    bad = False
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for found, output in pool.map(check, entries.values()):
            bad = bad or found
            sys.stdout.write(output)
    print(f"{len(entries)} sources")
    sys.exit(1 if bad else 0)


main()
