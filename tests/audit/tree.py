#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tree.py NAME DIR - lay out the files of a machine below DIR, as far as they concern its time

NAME is DISTRIBUTION-guest, DISTRIBUTION-host or one of the odd machines; `tree.py --list` prints
them.  The guests run on KVM with what the distribution installs, the hosts are older machines whose
TSC is not constant, with guests of libvirt.  Formats are those of the distributions, the texts are
our own.  Only chrony.conf comes from tests/distributions.
"""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = os.path.join(HERE, "..", "distributions")
MACHINE_ID = "0123456789abcdef0123456789abcdef"

DEBIAN = {
    "debian-11": ("Debian GNU/Linux 11 (bullseye)", "5.10.0-30-amd64"),
    "debian-12": ("Debian GNU/Linux 12 (bookworm)", "6.1.0-26-amd64"),
    "debian-13": ("Debian GNU/Linux 13 (trixie)", "6.12.41+deb13-amd64"),
    "ubuntu-20.04": ("Ubuntu 20.04.6 LTS", "5.4.0-200-generic"),
    "ubuntu-22.04": ("Ubuntu 22.04.5 LTS", "5.15.0-125-generic"),
    "ubuntu-24.04": ("Ubuntu 24.04.1 LTS", "6.8.0-49-generic"),
}
RED_HAT = {
    "rhel-7": ("Red Hat Enterprise Linux Server 7.9 (Maipo)", "7.9", "3.10.0-1160.el7.x86_64"),
    "rhel-8": ("Red Hat Enterprise Linux 8.10 (Ootpa)", "8.10", "4.18.0-553.el8_10.x86_64"),
    "rhel-9": ("Red Hat Enterprise Linux 9.4 (Plow)", "9.4", "5.14.0-427.el9.x86_64"),
    "rhel-10": ("Red Hat Enterprise Linux 10.0 (Coughlan)", "10.0", "6.12.0-55.el10.x86_64"),
    "fedora": ("Fedora Linux 41 (Server Edition)", "41", "6.11.10-300.fc41.x86_64"),
}
DISTRIBUTIONS = [*DEBIAN, *RED_HAT]

# What a guest sees of a processor, and an older host's own.
GUEST_FLAGS = "fpu tsc msr apic constant_tsc rep_good nopl nonstop_tsc hypervisor lahf_lm"
HOST_FLAGS = "fpu tsc msr apic rep_good nopl lahf_lm"


class Tree:
    """A machine's files below one folder."""

    def __init__(self, root):
        self.root = root

    def path(self, name):
        full = self.root + name
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def file(self, name, text="", mode=0o644):
        data = text if isinstance(text, bytes) else text.encode()
        full = self.path(name)
        with open(full, "wb") as file:
            file.write(data)
        os.chmod(full, mode)

    def folder(self, name):
        os.makedirs(self.root + name, exist_ok=True)

    def link(self, name, target):
        os.symlink(target, self.path(name))

    def append(self, name, text):
        with open(self.root + name, "a", encoding="utf-8") as file:
            file.write(text)

    def config(self, name):
        with open(os.path.join(CONFIGS, name + ".conf"), encoding="utf-8") as file:
            return file.read()

    def unit(self, name, target="multi-user", is_enabled=True):
        """A service as a package installs it."""
        path = f"/usr/lib/systemd/system/{name}.service"
        self.file(path, f"[Unit]\nDescription={name}\n[Service]\nExecStart=/usr/sbin/{name}\n"
                        f"[Install]\nWantedBy={target}.target\n")
        if is_enabled:
            self.link(f"/etc/systemd/system/{target}.target.wants/{name}.service", path)

    def process(self, pid, name, unit=None, capabilities="0000000000000000"):
        self.file(f"/proc/{pid}/comm", name + "\n")
        self.file(f"/proc/{pid}/cmdline", f"/usr/sbin/{name}\0")
        self.file(f"/proc/{pid}/cgroup",
                  f"0::/system.slice/{unit}.service\n" if unit else "0::/init.scope\n")
        self.file(f"/proc/{pid}/status",
                  f"Name:\t{name}\nState:\tS (sleeping)\nPPid:\t1\nCapEff:\t{capabilities}\n")

    def owner(self, pid, name, unit):
        """A process that may set the clock, CAP_SYS_TIME in its set."""
        self.process(pid, name, unit, "0000000002000400")

    def clocksource(self, current, available):
        folder = "/sys/devices/system/clocksource/clocksource0/"
        self.file(folder + "current_clocksource", current + "\n")
        self.file(folder + "available_clocksource", available + " \n")

    def ptp(self, number, name):
        self.file(f"/sys/class/ptp/ptp{number}/clock_name", name + "\n")


def common(tree, kernel):
    """What every machine with systemd and a merged /usr has."""
    for name in ("bin", "lib", "lib64", "sbin"):
        tree.folder("/usr/" + name)
        tree.link("/" + name, "usr/" + name)
    for name in ("/etc/systemd/system", "/run/systemd/system", "/sys/class/ptp",
                 "/etc/modules-load.d", "/usr/lib/modules-load.d", "/dev"):
        tree.folder(name)
    tree.process(1, "systemd")
    tree.file("/proc/sys/kernel/osrelease", kernel + "\n")
    tree.file("/proc/stat", "cpu  1000 0 500 90000 100 0 10 20 0 0\ncpu0 1000 0 500\n")
    tree.file("/etc/adjtime", "0.0 0 0.0\n0\nUTC\n")
    modules = f"/usr/lib/modules/{kernel}/"
    tree.file(modules + "modules.dep", "kernel/drivers/ptp/ptp_kvm.ko: kernel/drivers/ptp/ptp.ko\n")
    tree.file(modules + "modules.builtin", "kernel/drivers/rtc/rtc-cmos.ko\n")


def debian(tree, name):
    pretty, kernel = DEBIAN[name]
    identity, version = name.split("-")
    common(tree, kernel)
    tree.file("/usr/lib/os-release", f'PRETTY_NAME="{pretty}"\nID={identity}\n'
              f'VERSION_ID="{version}"\n' + ("ID_LIKE=debian\n" if identity == "ubuntu" else ""))
    tree.link("/etc/os-release", "../usr/lib/os-release")
    tree.file("/etc/default/grub", "# After a change run update-grub.\n"
              "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n"
              "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n"
              'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n'
              "\n#GRUB_TERMINAL=console\n")
    tree.file("/boot/grub/grub.cfg", f"linux /boot/vmlinuz-{kernel} root=/dev/vda1 ro quiet\n")
    tree.file("/proc/cmdline", f"BOOT_IMAGE=/boot/vmlinuz-{kernel} root=/dev/vda1 ro quiet\n")
    tree.file("/usr/sbin/update-grub", "#!/bin/sh\n", 0o755)


def chrony_of_debian(tree, name):
    tree.file("/etc/chrony/chrony.conf", tree.config(name))
    tree.folder("/etc/chrony/conf.d")
    tree.file("/usr/sbin/chronyd", "", 0o755)
    tree.unit("chrony")
    tree.link("/etc/systemd/system/chronyd.service", "/usr/lib/systemd/system/chrony.service")
    tree.owner(600, "chronyd", "chrony")


def timesyncd(tree):
    tree.unit("systemd-timesyncd", "sysinit")
    tree.owner(400, "systemd-timesyn", "systemd-timesyncd")


def red_hat(tree, name):
    pretty, version, kernel = RED_HAT[name]
    identity = name.split("-")[0]
    options = "root=/dev/mapper/root ro crashkernel=auto rhgb quiet"
    is_bls = name != "rhel-7"
    common(tree, kernel)
    tree.file("/usr/lib/os-release", f'NAME="{identity}"\nID="{identity}"\n'
              f'VERSION_ID="{version}"\nPRETTY_NAME="{pretty}"\n')
    tree.link("/etc/os-release", "../usr/lib/os-release")
    tree.file("/etc/redhat-release", pretty + "\n")
    tree.file("/etc/default/grub", "GRUB_TIMEOUT=5\n"
              "GRUB_DISTRIBUTOR=\"$(sed 's, release .*$,,g' /etc/system-release)\"\n"
              "GRUB_DEFAULT=saved\nGRUB_DISABLE_SUBMENU=true\n"
              'GRUB_CMDLINE_LINUX="crashkernel=auto rhgb quiet"\nGRUB_DISABLE_RECOVERY="true"\n'
              + ("GRUB_ENABLE_BLSCFG=true\n" if is_bls else ""))
    tree.file("/boot/grub2/grub.cfg", "# made by grub2-mkconfig\n"
              + ("" if is_bls else f"linux16 /vmlinuz-{kernel} {options}\n"))
    grubenv = "# GRUB Environment Block\n"
    if is_bls:
        entry = f"{MACHINE_ID}-{kernel}"
        grubenv += f"saved_entry={entry}\n"
        if name == "rhel-8":
            grubenv += f"kernelopts={options} \n"
            options = "$kernelopts $tuned_params"
        tree.file(f"/boot/loader/entries/{entry}.conf",
                  f"title {pretty}\nversion {kernel}\nlinux /vmlinuz-{kernel}\n"
                  f"initrd /initramfs-{kernel}.img\noptions {options}\ngrub_class {identity}\n")
        tree.file(f"/boot/loader/entries/{MACHINE_ID}-0-rescue.conf",
                  "title rescue\nlinux /vmlinuz-0-rescue\noptions root=/dev/mapper/root ro\n")
    tree.file("/boot/grub2/grubenv", grubenv.ljust(1024, "#"))
    tree.file("/proc/cmdline", f"BOOT_IMAGE=(hd0,msdos1)/vmlinuz-{kernel} root=/dev/mapper/root ro"
              " crashkernel=auto rhgb quiet\n")
    tree.file("/usr/sbin/grubby", "", 0o755)


def chrony_of_red_hat(tree, name):
    tree.file("/etc/chrony.conf", tree.config("rhel-9" if name == "rhel-10" else name))
    tree.file("/usr/sbin/chronyd", "", 0o755)
    tree.unit("chronyd")
    tree.owner(600, "chronyd", "chronyd")


def guest(tree):
    """A KVM guest of QEMU's, with the agent's channel."""
    tree.file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n"
              f"flags\t\t: {GUEST_FLAGS}\n\nprocessor\t: 1\n")
    tree.clocksource("kvm-clock", "kvm-clock tsc acpi_pm")
    tree.file("/sys/class/dmi/id/sys_vendor", "QEMU\n")
    tree.file("/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n")
    tree.file("/sys/class/virtio-ports/vport1p1/name", "org.qemu.guest_agent.0\n")
    tree.file("/usr/sbin/hwclock", "", 0o755)


DOMAIN = """<!--
This file belongs to libvirt: virsh edit %(name)s
-->
<domain type='kvm'>
  <name>%(name)s</name>
  <memory unit='KiB'>1048576</memory>
  <cpu mode='host-passthrough'>%(cpu)s</cpu>
  <clock offset='%(offset)s'>
    %(timers)s
  </clock>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    %(devices)s
  </devices>
</domain>
"""
GOOD_TIMERS = ("<timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/>"
               "<timer name='hpet' present='no'/>")
AGENT = ("<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>")


def domain(tree, name, cpu="", offset="utc", timers=GOOD_TIMERS, devices=AGENT):
    tree.file(f"/etc/libvirt/qemu/{name}.xml",
              DOMAIN % {"name": name, "cpu": cpu, "offset": offset, "timers": timers,
                        "devices": devices}, 0o600)


def host(tree, family):
    """A host without a constant TSC, with three guests."""
    tree.file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\n"
              f"flags\t\t: {HOST_FLAGS}\n\n")
    tree.clocksource("tsc", "tsc hpet acpi_pm")
    tree.file("/sys/class/dmi/id/sys_vendor", "Sun Microsystems\n")
    tree.file("/dev/kvm", "")
    tree.file("/sys/module/kvm_amd/refcnt", "3\n")
    idle = "/sys/devices/system/cpu/"
    tree.file(idle + "cpuidle/current_driver", "acpi_idle\n")
    for number, name in enumerate(("POLL", "C1", "C2", "C3")):
        tree.file(f"{idle}cpu0/cpuidle/state{number}/name", name + "\n")
        tree.file(f"{idle}cpu0/cpuidle/state{number}/disable", "0\n")
    for number in range(2):
        policy = f"{idle}cpufreq/policy{number}/"
        tree.file(policy + "scaling_governor", "ondemand\n")
        tree.file(policy + "scaling_available_governors",
                  "conservative ondemand userspace powersave performance \n")
        tree.file(policy + "scaling_driver", "acpi-cpufreq\n")
        tree.file(policy + "scaling_min_freq", "1000000\n")
        tree.file(policy + "scaling_max_freq", "2600000\n")
    domain(tree, "alpha")
    domain(tree, "beta", cpu="<feature policy='require' name='invtsc'/>",
           timers="<timer name='kvmclock' present='no'/>")
    domain(tree, "gamma", offset="localtime", devices="")
    tree.unit("libvirt-guests")
    if family == "debian":
        # Here the guests are shut down unless it says otherwise.
        tree.file("/etc/default/libvirt-guests",
                  "#ON_SHUTDOWN=shutdown\nON_SHUTDOWN=suspend\n#SYNC_TIME=1\n")
    else:
        tree.file("/etc/sysconfig/libvirt-guests", "#ON_SHUTDOWN=suspend\n#SYNC_TIME=1\n")
        tree.unit("cpupower", is_enabled=False)
        tree.file("/etc/sysconfig/cpupower", "# options of `cpupower frequency-set`\n"
                  'CPUPOWER_START_OPTS="frequency-set -g performance"\n'
                  'CPUPOWER_STOP_OPTS="frequency-set -g ondemand"\n')


def right_guest(tree):
    """A guest with nothing to find fault with: what fix makes of one."""
    debian(tree, "debian-12")
    chrony_of_debian(tree, "debian-12")
    guest(tree)
    tree.ptp(0, "KVM virtual PTP")
    tree.link("/dev/ptp_kvm", "ptp0")
    tree.file("/sys/module/ptp_kvm/initstate", "live\n")
    tree.file("/etc/modules-load.d/ptp_kvm.conf", "ptp_kvm\n")
    tree.file("/etc/chrony/conf.d/host.conf", "refclock PHC /dev/ptp_kvm poll 2\n")
    # The file's own makestep stands behind its confdir, and the last one counts.
    tree.append("/etc/chrony/chrony.conf", "makestep 1 -1\n")
    tree.unit("qemu-guest-agent")
    tree.file("/usr/sbin/qemu-ga", "", 0o755)
    tree.process(500, "qemu-ga", "qemu-guest-agent")


def right_host(tree):
    """A host of today: invariant TSC, deep idle states, a governor that follows the load."""
    red_hat(tree, "rhel-9")
    chrony_of_red_hat(tree, "rhel-9")
    host(tree, "red-hat")
    tree.file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n"
              f"flags\t\t: {HOST_FLAGS} constant_tsc nonstop_tsc\n")
    for name in ("beta", "gamma"):
        os.remove(tree.root + f"/etc/libvirt/qemu/{name}.xml")
    tree.file("/etc/sysconfig/libvirt-guests", "ON_SHUTDOWN=shutdown\n")


def contested_guest(tree):
    """Two daemons, a NIC's clock in the host's place, an RTC in local time, no hwclock."""
    debian(tree, "ubuntu-22.04")
    chrony_of_debian(tree, "ubuntu-22.04")
    timesyncd(tree)
    guest(tree)
    tree.clocksource("tsc", "tsc acpi_pm")
    tree.ptp(0, "mlx5_ptp")
    tree.ptp(1, "KVM virtual PTP")
    tree.file("/etc/chrony/conf.d/a.conf", "refclock PHC /dev/ptp0 poll 0\n")
    tree.file("/etc/chrony/conf.d/b.conf", "refclock PHC /dev/ptp7 poll 2\nmakestep 0.5 10\n")
    tree.file("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n")
    tree.file("/usr/sbin/qemu-ga", "", 0o755)
    os.remove(tree.root + "/usr/sbin/hwclock")
    tree.file("/proc/stat", "cpu  1000 0 500 5000 100 0 10 2000 0 0\n")
    tree.file("/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 no-kvmclock divider=10\n")


def reboot_host(tree):
    """What fix makes of an old host, before the reboot."""
    debian(tree, "debian-12")
    chrony_of_debian(tree, "debian-12")
    host(tree, "debian")
    tree.file("/etc/default/grub.d/cstate.cfg",
              'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX processor.max_cstate=1"\n')


def vmtime_guest(tree):
    """vmtimed at work, with a file of its own that lacks rtcsync."""
    red_hat(tree, "rhel-9")
    guest(tree)
    tree.ptp(0, "KVM virtual PTP")
    tree.file("/etc/modules-load.d/ptp_kvm.conf", "ptp-kvm\n")
    tree.unit("vmtimed")
    tree.owner(700, "vmtimed", "vmtimed")
    tree.file("/etc/vmtime/vmtime.conf", "refclock PHC /dev/ptp0 poll 2\nmakestep 1 3\n")


def old_guest(tree):
    """RHEL 5.5 without kvm-clock, on a host without a constant TSC."""
    tree.file("/etc/redhat-release", "Red Hat Enterprise Linux Server release 5.5 (Tikanga)\n")
    tree.folder("/lib64")
    tree.folder("/lib")
    tree.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc apic hypervisor\n")
    tree.file("/proc/cmdline", "ro root=/dev/vda1 rhgb quiet\n")
    tree.file("/proc/sys/kernel/osrelease", "2.6.18-194.el5\n")
    tree.clocksource("acpi_pm", "acpi_pm jiffies tsc pit")
    tree.file("/sys/class/dmi/id/sys_vendor", "Red Hat\n")
    tree.process(1, "init")
    tree.owner(300, "ntpd", "ntpd")


def container(tree):
    debian(tree, "debian-12")
    tree.file("/.dockerenv", "")


def unknown(tree):
    """A distribution that fix knows nothing about."""
    tree.file("/etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME='Alpine Linux v3.20'\n")
    guest(tree)
    tree.process(1, "init")
    tree.owner(300, "chronyd", None)
    tree.file("/etc/chrony/chrony.conf", "pool pool.example iburst\nrtcsync\n")
    tree.file("/proc/cmdline", "root=/dev/vda1\n")


def image(tree):
    """A guest's disk that is mounted somewhere: nothing runs, /proc and /sys are empty."""
    debian(tree, "debian-12")
    chrony_of_debian(tree, "debian-12")
    for name in ("/proc", "/sys", "/run"):
        shutil.rmtree(tree.root + name)
        tree.folder(name)


def nothing(tree):
    tree.folder("/")


ODD = {
    "right-guest": right_guest, "right-host": right_host, "contested-guest": contested_guest,
    "reboot-host": reboot_host, "vmtime-guest": vmtime_guest, "old-guest": old_guest,
    "container": container, "unknown": unknown, "image": image, "nothing": nothing,
}
# Nothing in an image says on what it will run.
SITES = {"image": ["--guest"]}
TREES = [f"{name}-{role}" for name in DISTRIBUTIONS for role in ("guest", "host")] + [*ODD]


def lay_out(name, root):
    """Lays out the tree @name below the folder @root."""
    tree = Tree(root)
    if name in ODD:
        ODD[name](tree)
        return
    distribution, role = name.rsplit("-", 1)
    is_debian = distribution in DEBIAN
    if is_debian:
        debian(tree, distribution)
        # What is installed by default: Ubuntu has timesyncd up to 24.04, Debian since 12.
        if role == "guest" and distribution in ("debian-13", "ubuntu-22.04"):
            timesyncd(tree)
        else:
            chrony_of_debian(tree, distribution)
    else:
        red_hat(tree, distribution)
        chrony_of_red_hat(tree, distribution)
    if role == "guest":
        guest(tree)
    else:
        host(tree, "debian" if is_debian else "red-hat")


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(TREES))
    elif len(sys.argv) == 3 and sys.argv[1] in TREES:
        lay_out(sys.argv[1], sys.argv[2])
    else:
        sys.exit("usage: tree.py --list | NAME DIR")


if __name__ == "__main__":
    main()
