#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix_odd.py VMTIME - files that are not as a distribution leaves them, and who may not

For each: what fix makes of it (the effective command line as a real shell reads it, where there is
one to be read), that a second run changes nothing, and that undo brings every byte back.
"""

import os
import subprocess
import sys
import tempfile

import fixing
from fixing import check, run

ARGUMENT = "processor.max_cstate=1"
GRUB = "/etc/default/grub"
OURS = "/etc/default/grub.d/zz-vmtime.cfg"


def effective(machine, has_drop_ins=True):
    """The command line as grub-mkconfig's shell gets it, by a real shell."""
    script = f'. "{machine.root}{GRUB}" 2>/dev/null\n' if os.path.isfile(machine.path(GRUB)) else ""
    if has_drop_ins:
        script += f'for f in "{machine.root}"/etc/default/grub.d/*.cfg; do [ ! -e "$f" ] || . "$f"; done\n'
    script += 'printf "%s %s" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT"'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False,
                          timeout=20).stdout


def story(vmtime, name, what, change, judge, *arguments):
    """One odd machine: fixed, fixed again, taken back."""
    with fixing.Machine(name, change) as machine:
        before = machine.picture()
        done = run(vmtime, "fix", machine, "--yes", *arguments)
        judge(what, machine, done)
        check(f"{what}: nothing beside a file", not [p for p in machine.picture()
                                                       if p.endswith(".vmtime-tmp")])
        once = machine.picture()
        if os.path.exists(machine.path(fixing.JOURNAL)):
            run(vmtime, "fix", machine, "--yes", *arguments)
            check(f"{what}: twice", machine.picture() == once,
                  fixing.differences(once, machine.picture()))
            back = run(vmtime, "undo", machine)
            check(f"{what}: undo", back.returncode == 0, back.stdout + back.stderr)
        check(f"{what}: as it was", machine.picture() == before,
              fixing.differences(before, machine.picture()))


def has_argument(what, machine, done):
    words = effective(machine).split()
    check(f"{what}: fixed", done.returncode == 0, done.stderr)
    check(f"{what}: a shell reads it", words.count(ARGUMENT) == 1
          and [w for w in words if w.startswith("processor.max_cstate=")][-1] == ARGUMENT, words)


def is_left_alone(*reasons):
    def judge(what, machine, done):
        check(f"{what}: left alone", ARGUMENT not in effective(machine), effective(machine))
        for reason in reasons:
            check(f"{what}: says {reason}", reason in done.stdout + done.stderr,
                  done.stdout + done.stderr)
    return judge


def grub(text):
    return lambda machine: machine.write(GRUB, text)


def replaced_by_folder(machine):
    os.remove(machine.path(GRUB))
    os.mkdir(machine.path(GRUB))


def gone(machine):
    os.remove(machine.path(GRUB))


def linked(machine, target="../grub-defaults"):
    os.rename(machine.path(GRUB), machine.path("/etc/grub-defaults"))
    os.symlink(target, machine.path(GRUB))


def conflicting(machine):
    machine.write("/etc/default/grub.d/10-a.cfg", 'GRUB_CMDLINE_LINUX="a processor.max_cstate=9"\n')
    machine.write("/etc/default/grub.d/20-b.cfg", 'GRUB_CMDLINE_LINUX="b"\n')


def contradicting(machine):
    machine.write(GRUB, 'GRUB_CMDLINE_LINUX_DEFAULT="quiet processor.max_cstate=5"\n'
                        "GRUB_CMDLINE_LINUX='x=\"a b\"'\n")


ASSIGN = "GRUB_CMDLINE_LINUX="
COMMAND_LINES = [
    ("read-only", lambda machine: os.chmod(machine.path(GRUB), 0o444), has_argument),
    ("a quote in the value that is not closed", grub(ASSIGN + "'a=\"b c'\n"), lambda *_: None),
    ("quotes within quotes", grub(ASSIGN + "'dyndbg=\"file a.c +p\" quiet'\n"), has_argument),
    ("escapes", grub(ASSIGN + '"a=\\"b c\\" d\\$e"\n'), has_argument),
    ("no quotes", grub(ASSIGN + "quiet\n"), has_argument),
    ("a line that goes on", grub(ASSIGN + '"quiet \\\nsplash"\nX=1\n'), has_argument),
    ("several assignments", grub(ASSIGN + '"a"\n' + ASSIGN + '"b"\n'), has_argument),
    ("one that adds", grub(ASSIGN + '"a"\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX b"\n'), has_argument),
    ("a comment at its end", grub(ASSIGN + '"quiet" # really\n'), has_argument),
    ("absent", grub("GRUB_DEFAULT=0\n"), has_argument),
    ("an empty file", grub(""), has_argument),
    ("computed", grub(ASSIGN + '"$(echo quiet)"\n'), has_argument),
    ("a condition", grub("if [ -e /nowhere ]; then\n  " + ASSIGN + '"a"\nfi\n'), has_argument),
    ("missing", gone, has_argument),
    ("a folder", replaced_by_folder, has_argument),
    ("5 MB", grub("# " + "x" * 78 + "\n" + ("#" * 79 + "\n") * 65536), has_argument),
    ("no last line end", grub(ASSIGN + '"quiet"'), has_argument),
    ("CR LF", grub("GRUB_DEFAULT=0\r\n" + ASSIGN + '"quiet"\r\n'), has_argument),
    ("an open quote", grub(ASSIGN + '"quiet\n'), lambda *_: None),
    ("a link", linked, has_argument),
    ("conflicting drop-ins", conflicting, has_argument),
    ("contradicted in the other variable", contradicting, has_argument),
    ("there already", grub(ASSIGN + f'"{ARGUMENT}"\n'), has_argument),
]
RED_HAT = [
    ("RHEL 7, CR LF", grub(ASSIGN + '"quiet"\r\n'), is_left_alone("CR LF")),
    ("RHEL 7, missing", gone, is_left_alone("by hand")),
    ("RHEL 7, a folder", replaced_by_folder, is_left_alone("left alone")),
    ("RHEL 7, no last line end", grub(ASSIGN + '"quiet"'), has_argument),
    ("RHEL 7, computed", grub(ASSIGN + '"$(echo quiet)"\n'), has_argument),
]


def test_command_lines(vmtime):
    for what, change, judge in COMMAND_LINES:
        story(vmtime, "debian-12-host", what, change, judge)
    for what, change, judge in RED_HAT:
        story(vmtime, "rhel-7-host", what, change, judge)


def test_link(vmtime):
    # From the root of that machine, not of this one.
    with fixing.Machine("rhel-7-host", lambda m: linked(m, "/etc/grub-defaults")) as machine:
        run(vmtime, "fix", machine, "--yes")
        check("a link stays one", os.path.islink(machine.path(GRUB)))
        check("what it leads to is edited", ARGUMENT in machine.read("/etc/grub-defaults"))


CHRONY = "/etc/chrony/chrony.conf"


def chrony(text, *others):
    def change(machine):
        machine.write(CHRONY, text)
        for path, content in others:
            machine.write(path, content)
    return change


def follows(*paths):
    """Each of the files has what it is to have, and it stands behind any other makestep."""
    def judge(what, machine, done):
        text = machine.read(CHRONY)
        check(f"{what}: fixed", done.returncode == 0, done.stderr)
        check(f"{what}: refclock", "refclock PHC /dev/ptp_kvm poll 0 dpoll -2\n" in text, text)
        for path in paths:
            steps = [line for line in machine.read(path).splitlines() if line.startswith("makestep")]
            check(f"{what}: makestep in {path}", steps and steps[-1].split() == ["makestep", "1", "-1"],
                  steps)
    return judge


def test_chrony(vmtime):
    rows = [
        ("opencommands, which the lens refuses",
         chrony("pool pool.example\nopencommands tracking\nmakestep 1 3\nrtcsync\n"), follows(CHRONY)),
        ("chrony, no last line end", chrony("rtcsync\nmakestep 1 3"), follows(CHRONY)),
        ("chrony, CR LF", chrony("rtcsync\r\nmakestep 1 3\r\n"), follows(CHRONY)),
        ("confdir and sourcedir", chrony("confdir /etc/chrony/conf.d\nsourcedir /run/x\nrtcsync\n",
                                         ("/etc/chrony/conf.d/a.conf", "makestep 0.5 10\n")),
         follows("/etc/chrony/conf.d/a.conf")),
        ("include", chrony("rtcsync\ninclude /etc/chrony/more.conf\n",
                           ("/etc/chrony/more.conf", "# more\nmakestep 1 3\n")),
         follows("/etc/chrony/more.conf")),
        ("nothing but comments", chrony("# nothing\n!nothing\n"), follows(CHRONY)),
    ]
    for what, change, judge in rows:
        story(vmtime, "debian-12-guest", what, change, judge)


def plan_has(*lines):
    def judge(what, machine, done):
        check(f"{what}: fixed", done.returncode == 0, done.stderr)
        plan = fixing.plan_of(machine)
        for line in lines:
            check(f"{what}: {line}", line + "\n" in plan, plan)
    return judge


def efi(machine):
    machine.write("/sys/firmware/efi/fw_platform_size", "64\n")
    machine.write("/boot/efi/EFI/redhat/grub.cfg", "# made by grub2-mkconfig\n", 0o700)


def cpupower_of_debian(machine):
    machine.write("/usr/lib/systemd/system/cpupower.service", "[Service]\n")
    machine.write("/etc/default/cpupower-service", "#GOVERNOR='ondemand'\n")


def cpupower_options(options):
    return lambda machine: machine.write("/etc/sysconfig/cpupower",
                                         f'CPUPOWER_START_OPTS="{options}"\n')


def has_options(options):
    def judge(what, machine, done):
        check(f"{what}: {options}", machine.read("/etc/sysconfig/cpupower")
              == f'CPUPOWER_START_OPTS="{options}"\n', done.stdout + done.stderr)
    return judge


def cpufrequtils(machine):
    machine.write("/etc/init.d/cpufrequtils", "#!/bin/sh\n", 0o755)


def test_services(vmtime):
    story(vmtime, "rhel-7-host", "RHEL 7 by EFI", efi,
          plan_has("do grub2-mkconfig -o /boot/efi/EFI/redhat/grub.cfg",
                   "boot 0700 some /boot/efi/EFI/redhat/grub.cfg"))
    story(vmtime, "rhel-9-host", "RHEL 9 by EFI", efi,
          plan_has("do grubby --update-kernel=ALL --args=processor.max_cstate=1"))
    story(vmtime, "debian-13-host", "cpupower's service in Debian", cpupower_of_debian,
          plan_has("file 0644 some some /etc/default/cpupower-service",
                   "do systemctl enable cpupower.service", "do systemctl restart cpupower.service"))
    story(vmtime, "ubuntu-20.04-host", "cpufrequtils", cpufrequtils,
          plan_has("file 0644 none some /etc/default/cpufrequtils",
                   "do systemctl restart cpufrequtils.service"))
    # cpupower's first argument is one of its commands, and only this one takes a governor.
    for before, after in (("", "frequency-set -g performance"),
                          ("frequency-set -g ondemand", "frequency-set -g performance"),
                          ("-c 0 frequency-set --governor=ondemand -u 2GHz",
                           "-c 0 frequency-set --governor=performance -u 2GHz"),
                          ("frequency-set -u 2GHz", "frequency-set -u 2GHz -g performance"),
                          ("set -b 0", "set -b 0"), ("-g performance", "-g performance")):
        story(vmtime, "rhel-9-host", f"cpupower {before}", cpupower_options(before),
              has_options(after), "frequency")
    with fixing.Machine("debian-13-host", cpupower_of_debian) as machine:
        run(vmtime, "fix", machine, "frequency", "--yes")
        check("its file", machine.read("/etc/default/cpupower-service")
              == "#GOVERNOR='ondemand'\nGOVERNOR=performance\n")


def is_told_to_be_left(path, *reasons):
    """Nothing of the boot is touched, and the reason is a person's."""
    def judge(what, machine, done):
        check(f"{what}: status", done.returncode == 0, done.stdout + done.stderr)
        check(f"{what}: no step", not os.path.exists(machine.path(fixing.JOURNAL)), done.stdout)
        for reason in (path, *reasons):
            check(f"{what}: says {reason}", reason in done.stdout, done.stdout + done.stderr)
    return judge


def test_too_large_to_keep(vmtime):
    """What grubby or a generator may write must be kept first, and where it cannot be it is told."""
    large = GRUB + "\n" + "#" * 5000000
    for name, path in (("rhel-9-host", GRUB), ("rhel-8-host", "/boot/grub2/grubenv"),
                       ("rhel-7-host", "/boot/grub2/grub.cfg"),
                       ("debian-12-host", "/boot/grub/grub.cfg")):
        story(vmtime, name, f"{name}: {path} of 5 MB", lambda machine, p=path: machine.write(p, large),
              is_told_to_be_left(path, "cannot be kept for undo", "File too large"), "cstates")


def of_arch(machine):
    machine.write("/usr/lib/os-release", "ID=arch\nPRETTY_NAME='Arch Linux'\n")


def of_arch_with_file(machine):
    of_arch(machine)
    machine.write("/etc/conf.d/libvirt-guests", "ON_SHUTDOWN=suspend\n")


def test_unknown_host(vmtime):
    """No file is made that nobody reads; the one that is there is edited."""
    story(vmtime, "rhel-9-host", "libvirt-guests of an unknown system",
          lambda machine: (of_arch(machine), os.remove(machine.path("/etc/sysconfig/libvirt-guests"))),
          is_told_to_be_left("SYNC_TIME=1"), "sync-time")
    with fixing.Machine("rhel-9-host", of_arch_with_file) as machine:
        run(vmtime, "fix", machine, "sync-time", "--yes")
        check("libvirt-guests of Arch", machine.read("/etc/conf.d/libvirt-guests")
              == "ON_SHUTDOWN=suspend\nSYNC_TIME=1\n")


def test_told(vmtime):
    """A chrony.conf that is not understood is no reason to say that all is well; undo names files."""
    with fixing.Machine("debian-12-guest", chrony("pool x\nmakestep 1\n")) as machine:
        shown = run(vmtime, "fix", machine, "--dry-run", "makestep")
        check("what is not understood", "Not understood: /etc/chrony/chrony.conf:2" in shown.stdout,
              shown.stdout)
    with fixing.Machine("debian-12-guest") as machine:
        run(vmtime, "fix", machine, "ptp-kvm", "--yes")
        os.remove(machine.path("/etc/modules-load.d/ptp_kvm.conf"))
        os.mkdir(machine.path("/etc/modules-load.d/ptp_kvm.conf"))
        back = run(vmtime, "undo", machine)
        check("undo names the file", back.returncode == 1
              and "/etc/modules-load.d/ptp_kvm.conf: Is a directory" in back.stdout, back)


def test_edited_since(vmtime):
    with fixing.Machine("rhel-7-host") as machine:
        run(vmtime, "fix", machine, "--yes")
        with open(machine.path(GRUB), "a", encoding="utf-8") as file:
            file.write("GRUB_TIMEOUT=1\x1b[31m\n")
        there = machine.picture()
        back = run(vmtime, "undo", machine)
        check("undo refuses what was edited since", back.returncode == 1
              and machine.picture() == there, back.stderr)
        check("and shows it, harmless", "+GRUB_TIMEOUT=1\\x1b[31m" in back.stdout
              and "\x1b" not in back.stdout, back.stdout)


def test_answers(vmtime):
    for answer, is_done in (("", False), ("n\n", False), ("yikes\n", False), ("y\n", True),
                            ("yes\n", True)):
        with fixing.Machine("debian-12-host") as machine:
            before = machine.picture()
            done = run(vmtime, "fix", machine, answer=answer)
            check(f"answer {answer!r}", (machine.picture() != before) == is_done
                  and done.returncode == (0 if is_done else 1), done.stdout)


def has_both(machine):
    machine_unit = "/usr/lib/systemd/system/vmtimed.service"
    machine.write(machine_unit, "[Service]\n")


def test_prefer(vmtime):
    def judge_vmtimed(what, machine, done):
        plan = fixing.plan_of(machine)
        check(f"{what}: the plan", "do systemctl disable --now chrony.service\n" in plan
              and "do systemctl enable --now vmtimed.service\n" in plan and CHRONY not in plan, plan)

    story(vmtime, "debian-12-guest", "--prefer vmtimed", has_both, judge_vmtimed,
          "--prefer", "vmtimed")
    story(vmtime, "debian-12-guest", "--prefer chrony", has_both, follows(CHRONY),
          "--prefer", "chrony")
    with fixing.Machine("debian-12-guest", has_both) as machine:
        done = run(vmtime, "fix", machine, answer="vmtimed\ny\n")
        check("asks which", "chrony or vmtimed" in done.stdout, done.stdout)
        judge_vmtimed("asked", machine, done)
    with fixing.Machine("debian-12-guest", has_both) as machine:
        done = run(vmtime, "fix", machine, answer="\ny\n")
        follows(CHRONY)("asked, and chrony", machine, done)


def test_usage(vmtime):
    with fixing.Machine("debian-12-guest") as machine:
        for words in (["fix", "no-such-finding"], ["fix", "--prefer", "ntpd"], ["undo", "0"],
                      ["undo", "x"], ["undo", "1", "2"], ["undo", "--yes"], ["fix", "--list"]):
            before = machine.picture()
            run(vmtime, "fix", machine, "ptp-kvm", "--yes")
            done = run(vmtime, words[0], machine, *words[1:])
            check(" ".join(words), done.returncode == 2 and done.stderr, done)
            run(vmtime, "undo", machine)
            check(" ".join(words) + ": as it was", machine.picture() == before)
        done = run(vmtime, "undo", machine)
        check("nothing to undo", done.returncode == 0 and "nothing" in done.stdout, done)
        check("no such run", run(vmtime, "undo", machine, "7").returncode == 1)




def test_nobody(vmtime):
    """Without root: everything is shown, and what it would take is said."""
    if os.geteuid() != 0:
        print("not root: who is nobody is not tried")
        return
    done = subprocess.run([vmtime, "fix", "--yes"], capture_output=True, text=True, check=False,
                          timeout=60, user=65534, group=65534, extra_groups=[],
                          env={"PATH": os.environ["PATH"]})
    check("nobody changes nothing", "wrote" not in done.stdout
          and (done.returncode == 1 and ("needs root" in done.stderr or "container" in done.stderr)
               or "nothing for fix" in done.stdout), done)


def test_full_disk(vmtime):
    """A small file system that is full at every stage: nothing is half done."""
    with tempfile.TemporaryDirectory() as folder:
        inner = subprocess.run(
            ["unshare", "-m", "sh", "-c",
             f'mount -t tmpfs -o size=1536k,mode=755 none "{folder}" && exec "$@"', "sh",
             sys.executable, __file__, vmtime, "--full", folder],
            capture_output=True, text=True, check=False, timeout=300)
    if "unshare" in inner.stderr or "mount" in inner.stderr:
        print("no mount namespace here, a full disk is not tried:", inner.stderr.strip())
        return
    check("a full disk", inner.returncode == 0, inner.stdout + inner.stderr)


def test_read_only(vmtime):
    """A file system that takes nothing: said, and everything else taken back."""
    with fixing.Machine("debian-12-host") as machine:
        before = machine.picture()
        etc = machine.path("/etc/default")
        script = (f'mount --bind "{etc}" "{etc}" && mount -o remount,bind,ro "{etc}" && exec "$@"')
        done = run(vmtime, "fix", machine, "--yes", before=["unshare", "-m", "sh", "-c", script, "sh"])
        if "unshare" in done.stderr or "mount:" in done.stderr:
            print("no mount namespace here, a read-only file system is not tried:", done.stderr)
            return
        check("a read-only file system", done.returncode == 1 and "Read-only" in done.stderr
              and machine.picture() == before, done.stderr)


def fill(path, free_kb):
    """Leaves about that much room."""
    st = os.statvfs(os.path.dirname(path))
    with open(path, "wb") as file:
        try:
            file.write(b"x" * max(0, st.f_bavail * st.f_frsize - free_kb * 1024))
        except OSError:
            pass


def full(vmtime, folder):
    machine = fixing.Machine("debian-12-host", folder=folder + "/tree")
    before = machine.picture()
    n_failed = 0
    for free_kb in range(0, 160, 4):
        fill(folder + "/filler", free_kb)
        done = run(vmtime, "fix", machine, "--yes")
        os.remove(folder + "/filler")
        n_failed += done.returncode != 0
        if done.returncode:
            check(f"{free_kb} KB: said", "No space left" in done.stderr, done.stderr)
        else:
            run(vmtime, "undo", machine)
        # What could not even be taken back for lack of room is finished now.
        run(vmtime, "undo", machine)
        check(f"{free_kb} KB: as it was", machine.picture(("/var",)) == before,
              fixing.differences(before, machine.picture()))
    check("it was full, and it was not", 3 < n_failed < 40, n_failed)
    fixing.finish("a full disk")


def main():
    vmtime = os.path.abspath(sys.argv[1])
    if "--full" in sys.argv:
        full(vmtime, sys.argv[3])
    for test in (test_command_lines, test_link, test_chrony, test_services, test_too_large_to_keep,
                 test_unknown_host, test_told, test_edited_since, test_answers,
                 test_prefer, test_usage, test_nobody, test_read_only,
                 test_full_disk):
        print(test.__name__)
        test(vmtime)
    fixing.finish("odd machines")


if __name__ == "__main__":
    main()
