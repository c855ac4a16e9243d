#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix_real.py VMTIME - commands that really run: the machine is a folder that vmtime is shut into

update-grub, grubby and systemctl are scripts of a few lines there, which write down that they were
called.  The journal's entries are written by hand, as docs/fix.md describes them, and begun; so what
is done does not depend on what this machine is.  Needs root, for chroot.
"""

import os
import re
import shutil
import subprocess
import sys

import fixing
from fixing import check

GRUB = "/etc/default/grub"
CONFIG = "/boot/grub/grub.cfg"
ENTRIES = "/boot/loader/entries"
LOG = "/log"

# A generator: the menu is what the defaults say.  `fail` makes it stop half way.
UPDATE_GRUB = """#!/bin/sh
echo "update-grub $*" >>/log
if [ -e /fail ]; then
	echo half >/boot/grub/grub.cfg
	echo "update-grub: no such device: hd9" >&2
	exit 3
fi
. /etc/default/grub
echo "linux $GRUB_CMDLINE_LINUX" >/boot/grub/grub.cfg
[ ! -e /kernel ] || echo "linux-new $GRUB_CMDLINE_LINUX" >>/boot/grub/grub.cfg
"""
LOGGER = """#!/bin/sh
echo "${0##*/} $*" >>/log
[ ! -e "/fail-${0##*/}" ]
"""


def libraries(program):
    """What the loader needs to start @program, links followed."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+)", said)


def install(machine, program, to):
    for path in [program] + libraries(program):
        target = machine.path(to if path == program else path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            shutil.copy(os.path.realpath(path), target)


class Cell(fixing.Machine):
    """A machine that can be gone into."""

    def __init__(self, vmtime):
        super().__init__("debian-12-guest")
        install(self, vmtime, "/usr/bin/vmtime")
        install(self, "/bin/sh", "/usr/bin/sh")
        self.write("/usr/sbin/update-grub", UPDATE_GRUB, 0o755)
        for name in ("systemctl", "grubby", "modprobe"):
            self.write("/usr/sbin/" + name, LOGGER, 0o755)
        self.write(GRUB, 'GRUB_CMDLINE_LINUX="old"\n')
        self.write(CONFIG, "linux old, by an older generator\n")
        self.write("/dev/null", "")

    def vmtime(self, *words):
        def enter():
            os.chroot(self.root)
            os.chdir("/")
        return subprocess.run(["/usr/bin/vmtime", *words], capture_output=True, text=True,
                              check=False, timeout=60, preexec_fn=enter, env={})

    def begin(self, steps, images):
        """An entry of the journal: its steps, and what step N holds before and after."""
        entry = fixing.JOURNAL + "/0001/"
        self.write(entry + "plan", "vmtime-undo 1\nmade 2026-11-23T21:12:00Z\nrules cstates\n"
                   "reboot yes\n" + "".join(step + "\n" for step in steps) + "end\n", 0o600)
        self.write(entry + "state", "begun", 0o600)
        for (number, which), text in images.items():
            self.write(f"{entry}{number}.{which}", text, 0o600)
        os.chmod(self.path(fixing.JOURNAL), 0o700)

    def log(self):
        return self.read(LOG).splitlines() if os.path.exists(self.path(LOG)) else []

    def forget(self):
        if os.path.exists(self.path(LOG)):
            os.remove(self.path(LOG))


OLD = 'GRUB_CMDLINE_LINUX="old"\n'
NEW = 'GRUB_CMDLINE_LINUX="old new"\n'
STEPS = ["regenerate update-grub", "boot 0600 some " + CONFIG,
         "undo systemctl disable thing", f"file 0644 some some {GRUB}",
         "do update-grub", "try systemctl enable thing"]
# What the tests themselves leave.
OURS = ("/var", LOG, "/fail", "/kernel", "/fail-systemctl")


def begun(cell, steps=None):
    cell.begin(steps or STEPS, {(2, "before"): cell.read(CONFIG), (4, "before"): OLD,
                                (4, "after"): NEW})
    return cell.picture(OURS)


def test_there_and_back(cell):
    before = begun(cell)
    done = cell.vmtime("fix", "container", "--yes")
    check("a begun run is finished", cell.read(GRUB) == NEW
          and cell.read(CONFIG) == "linux old new\n", done)
    check("its commands were run in order", cell.log() == ["update-grub ", "systemctl enable thing"],
          cell.log())
    cell.forget()
    back = cell.vmtime("undo")
    check("all of it comes back", back.returncode == 0 and cell.picture(OURS) == before,
          fixing.differences(before, cell.picture(OURS)))
    check("without the generator", cell.log() == ["systemctl disable thing"], cell.log())
    check("there is no journal left", not os.path.exists(cell.path(fixing.JOURNAL + "/0001")))


def test_failing_generator(cell):
    before = begun(cell)
    cell.write("/fail", "")
    done = cell.vmtime("fix", "container", "--yes")
    check("a generator that fails: its output is shown", done.returncode == 1
          and "no such device: hd9" in done.stderr and "status was 3" in done.stderr, done)
    check("everything is taken back", cell.picture(OURS) == before,
          fixing.differences(before, cell.picture(OURS)))
    check("what was not run is not reversed twice",
          cell.log() == ["update-grub ", "systemctl disable thing"], cell.log())
    check("and nothing can be undone", "nothing" in cell.vmtime("undo").stdout)


def test_command_that_is_not_there(cell):
    before = begun(cell, [step.replace("do update-grub", "do no-such-generator") for step in STEPS])
    done = cell.vmtime("fix", "container", "--yes")
    check("a command that is not there", done.returncode == 1 and cell.picture(OURS) == before, done)


def test_try_may_fail(cell):
    begun(cell)
    cell.write("/fail-systemctl", "")
    done = cell.vmtime("fix", "container", "--yes")
    check("a command that may fail is told", "failed: systemctl enable thing" in done.stdout
          and cell.read(GRUB) == NEW, done)


def test_kernel_since(cell):
    begun(cell)
    cell.vmtime("fix", "container", "--yes")
    cell.write("/kernel", "")
    cell.write(CONFIG, "linux old new\nlinux-new old new\n")
    cell.forget()
    back = cell.vmtime("undo")
    check("a kernel was installed since: generated anew", back.returncode == 0
          and cell.read(CONFIG) == "linux old\nlinux-new old\n" and cell.read(GRUB) == OLD, back)
    check("behind everything else", cell.log()[-1] == "update-grub ", cell.log())


def test_undo_that_fails(cell):
    begun(cell)
    cell.vmtime("fix", "container", "--yes")
    cell.write(CONFIG, "written by others\n")
    cell.write("/fail", "")
    back = cell.vmtime("undo")
    check("undo says that its generator failed", back.returncode == 1
          and "hd9" in back.stdout + back.stderr, back)
    os.remove(cell.path("/fail"))
    again = cell.vmtime("undo")
    check("and can be tried again", again.returncode == 0
          and cell.read(CONFIG) == "linux old\n", again)


BLS_STEPS = ["regenerate grubby --update-kernel=ALL --remove-args=new",
             f"boot 0644 some {ENTRIES}/a.conf", "boot 0644 some /boot/grub2/grubenv",
             f"boot 0644 some {GRUB}", f"file 0644 some some {GRUB}",
             "do grubby --update-kernel=ALL --args=new"]
GRUBBY = """#!/bin/sh
echo "grubby $*" >>/log
echo "options old new" >/boot/loader/entries/a.conf
echo 'GRUB_CMDLINE_LINUX="old  new"' >/etc/default/grub
"""


def begun_with_bls(cell):
    cell.write("/usr/sbin/grubby", GRUBBY, 0o755)
    cell.write(ENTRIES + "/a.conf", "options old\n")
    cell.write("/boot/grub2/grubenv", "boot_success=0\n")
    cell.begin(BLS_STEPS, {(2, "before"): "options old\n", (3, "before"): "boot_success=0\n",
                           (4, "before"): OLD, (5, "before"): OLD, (5, "after"): NEW})
    before = cell.picture(OURS)
    cell.vmtime("fix", "container", "--yes")
    check("grubby has its way with the defaults", cell.read(GRUB)
          == 'GRUB_CMDLINE_LINUX="old  new"\n')
    cell.forget()
    return before


def test_bls(cell):
    before = begun_with_bls(cell)
    cell.write("/boot/grub2/grubenv", "boot_success=1\n")
    back = cell.vmtime("undo")
    cell.write("/boot/grub2/grubenv", "boot_success=0\n")
    check("entries come back, and each boot's grubenv is no obstacle", back.returncode == 0
          and cell.picture(OURS) == before and cell.log() == [], back)


def test_bls_with_new_entry(cell):
    begun_with_bls(cell)
    cell.write(ENTRIES + "/b.conf", "options old new\n")
    back = cell.vmtime("undo")
    check("a new entry has the argument, too: grubby's turn", back.returncode == 0
          and cell.log() == ["grubby --update-kernel=ALL --remove-args=new"], [back, cell.log()])


def test_edited_by_hand_since(cell):
    begun_with_bls(cell)
    cell.write(GRUB, 'GRUB_CMDLINE_LINUX="old  new mine"\n')
    there = cell.picture()
    back = cell.vmtime("undo")
    check("edited since", back.returncode == 1 and cell.picture() == there
          and '+GRUB_CMDLINE_LINUX="old  new mine"' in back.stdout, back)


def main():
    vmtime = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        print("skip: nobody but root may shut a program into a folder")
        sys.exit(77)
    for test in (test_there_and_back, test_failing_generator, test_command_that_is_not_there,
                 test_try_may_fail, test_kernel_since, test_undo_that_fails, test_bls,
                 test_bls_with_new_entry, test_edited_by_hand_since):
        print(test.__name__)
        with Cell(vmtime) as cell:
            test(cell)
    fixing.finish("commands that run")


if __name__ == "__main__":
    main()
