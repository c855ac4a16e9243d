# SPDX-License-Identifier: Apache-2.0
"""fixing.py - what the tests of fix and undo share: a tree, a picture of it, and the command"""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tree  # noqa: E402

JOURNAL = "/var/lib/vmtime/undo"
failures = []


def check(what, is_right, detail=""):
    """Says what is wrong; the test goes on."""
    if not is_right:
        failures.append(what)
        print(f"FAIL {what}")
        if detail:
            print("    " + str(detail).replace("\n", "\n    "))
    return is_right


def finish(what):
    print(f"{what}: {len(failures)} failures")
    sys.exit(1 if failures else 0)


class Machine:
    """The files of a machine in a folder of their own."""

    def __init__(self, name, change=None, folder=None):
        self.name = name
        self.root = folder or tempfile.mkdtemp(prefix="vmtime-fix-")
        tree.lay_out(name, self.root)
        if change:
            change(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return self.root + name

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read().decode()

    def write(self, name, text, mode=0o644):
        data = text if isinstance(text, bytes) else text.encode()
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.chmod(self.path(name), mode)

    def picture(self, leaves_out=()):
        """All of it: kinds, modes, owners, bytes, links.  Times are not in it."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                full = os.path.join(folder, name)
                path = full[len(self.root):]
                if any(path == out or path.startswith(out + "/") for out in leaves_out):
                    continue
                found[path] = look(full)
        return found


def look(full):
    st = os.lstat(full)
    facts = (stat.filemode(st.st_mode), st.st_uid, st.st_gid)
    if stat.S_ISLNK(st.st_mode):
        return facts + (os.readlink(full),)
    if stat.S_ISREG(st.st_mode):
        with open(full, "rb") as file:
            return facts + (file.read(), tuple(sorted(os.listxattr(full))))
    return facts


def differences(one, other):
    """The paths at which two pictures differ, with what each has there."""
    return {path: (one.get(path), other.get(path)) for path in sorted({*one, *other})
            if one.get(path) != other.get(path)}


def run(program, command, machine, *arguments, answer="", before=()):
    """vmtime COMMAND --root ...; what it wrote has the folder's name taken out."""
    done = subprocess.run([*before, program, command, *arguments, "--root", machine.root],
                          input=answer, capture_output=True, text=True, timeout=120, check=False,
                          env={"PATH": os.environ["PATH"]})
    done.stdout = done.stdout.replace(machine.root, "ROOT")
    done.stderr = done.stderr.replace(machine.root, "ROOT")
    return done


def need_augeas(vmtime):
    """The texts that are compared are those of a machine with Augeas; a skip says why."""
    with Machine("debian-12-host") as machine:
        shown = run(vmtime, "fix", machine, "--dry-run").stdout
    if "library of Augeas" in shown or "without Augeas" in shown:
        print("skip: there is no Augeas: fix would append lines and make files beside others")
        sys.exit(77)


def plan_of(machine, number=1):
    """The journal's own text of a run, without the time."""
    text = machine.read(f"{JOURNAL}/{number:04}/plan")
    return re.sub(r"^made .*$", "made WHEN", text, flags=re.MULTILINE)


def mended(text):
    """The findings that a run says it mends."""
    found = re.search(r"^mends: (.*)$", text, flags=re.MULTILINE)
    return found.group(1).split() if found else []
