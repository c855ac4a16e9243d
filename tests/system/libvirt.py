#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvirt.py LIBVIRT_DRIVE VMTIME - the libvirt back end, a real libvirtd, a real qemu-ga

Everything that libvirt does to a guest, as the back end tells it: pause, save, managed save, end,
a libvirtd that is killed, one that hangs; and what can be asked of an agent in each of these states.
"""

import os
import sys
import time

import libvirt_stand
import stage
from libvirt_drive import Drive
from libvirt_stand import virsh
from stage import check

def result(outcome):
    return outcome["line"].split()[4] if outcome else None


def number_of(sign):
    return int(sign["line"].split()[3])


def test_appears():
    global one
    sign = drive.wait("sign", "appeared", "name=one")
    if not check("a domain that runs appears", sign and sign["is_running"] == "1"
                 and sign["has_agent"] == "1" and sign["cid"] == "0", drive.all):
        sys.exit(1)
    one = number_of(sign)
    uuid = virsh("domuuid", "one").stdout.strip()
    check("with its UUID", sign["uuid"] == uuid, (sign, uuid))
    check("and its agent comes up", drive.wait("sign", "agent-up", str(one), seconds=60), drive.all)


def test_messages():
    """Before anybody has asked who the agent is: it is asked, and sent nothing that taints the domain."""
    for kind in ("nudge", "status", "quality"):
        outcome = drive.ask(kind, one)
        check(f"qemu-ga gets no {kind}", result(outcome) == "unsupported", outcome)
    check("and the domain is not tainted by one",
          "ga-command" not in virsh("dominfo", "one").stdout
          and "ga-command" not in stage.read("/var/log/libvirt/qemu/one.log"), "")


def test_measures():
    outcome = drive.ask("get", one)
    offset, uncertainty = guest.clock()
    told = (int(outcome["sent"]) + int(outcome["took_ns"]) // 2 - int(outcome["guest_time"])) / 1e9
    radius = int(outcome["took_ns"]) / 2e9
    check("the guest's clock is measured within what the exchange allows",
          result(outcome) == "done" and abs(told - offset) <= radius + uncertainty + 1e-6,
          (outcome, offset, uncertainty))
    outcome = drive.ask("info", one)
    check("qemu-ga is known without a raw command",
          result(outcome) == "done" and outcome["agent"] == "qemu-ga", outcome)
    status = stage.read("/run/libvirt/qemu/one.xml")
    check("libvirt's patience with the agent is its default again", "<agentTimeout>-2<" in status,
          [line for line in status.splitlines() if "imeout" in line])
    check("the RTC is no work", result(drive.ask("reset", one)) == "done", "")
    outcome = drive.ask("nudge", one)
    check("a nudge does not go to it", result(outcome) == "unsupported"
          and outcome["was_sent"] == "0", outcome)


def test_pause():
    before = guest.clock()[0]  # it began with an RTC that shows whole seconds
    mark = drive.mark()
    virsh("suspend", "one")
    check("a pause is a stop", drive.wait("sign", "stopped", str(one), since=mark), drive.all[mark:])
    outcome = drive.ask("set", one)
    check("while it lasts nothing is sent", result(outcome) == "stopped"
          and outcome["was_sent"] == "0", outcome)
    time.sleep(1.5)
    mark = drive.mark()
    virsh("resume", "one")
    check("its end is told with its reason",
          drive.wait("sign", "running", str(one), "reason=pause", since=mark), drive.all[mark:])
    behind = guest.clock()[0] - before
    check("the guest is behind", behind > 1.4, behind)
    began = time.time()
    outcome = drive.ask("set", one)
    offset, uncertainty = guest.clock()
    check("it is set", result(outcome) == "done" and abs(offset) < 0.1, (outcome, offset))
    print(f"     set took {time.time() - began:.2f} s; now off by {offset * 1e3:.2f} ms "
          f"+/- {uncertainty * 1e3:.2f}")


def test_save():
    for words, back in ((("save", "one", "/run/one.saved"), ("restore", "/run/one.saved")),
                        (("managedsave", "one"), ("start", "one"))):
        mark = drive.mark()
        guest.hang_up()
        virsh(*words)
        check(f"{words[0]}: the guest stays, stopped",
              drive.wait("sign", "stopped", str(one), since=mark), drive.all[mark:])
        mark = drive.mark()
        virsh(*back)
        check(f"{back[0]}: it was restored",
              drive.wait("sign", "running", str(one), "reason=restore", since=mark),
              drive.all[mark:])
        check("and its agent is back", drive.wait("sign", "agent-up", str(one), since=mark),
              drive.all[mark:])
        outcome = drive.ask("get", one)
        check("and answers", result(outcome) == "done", outcome)
        check("it never was gone", not drive.wait("sign", "gone", since=mark, seconds=0), "")


def test_busy_agent():
    """hwclock keeps an agent for a second; guest two pauses in the middle of it."""
    virsh("suspend", "one")
    time.sleep(0.3)
    virsh("resume", "one")
    number = drive.say(f"set {one} 3000")
    time.sleep(0.15)
    virsh("suspend", "one")
    outcome = drive.wait("outcome", "set", f"number={number}")
    check("a pause in the middle of a call ends in its timeout",
          result(outcome) in ("timed-out", "done"), outcome)
    virsh("resume", "one")
    outcome = drive.ask("get", one, 8000)
    check("then the agent answers again", result(outcome) == "done", outcome)


def test_freeze_and_snapshot():
    """On another guest: a disk to keep the snapshot, a hwclock that fails, an agent that froze."""
    sign = drive.wait("sign", "appeared", "name=two")
    if not check("a second guest appears", sign, drive.all):
        return
    two = number_of(sign)
    if not check("and its agent", drive.wait("sign", "agent-up", str(two), seconds=60), drive.all):
        return
    outcome = drive.ask("get", two)
    check("an agent that believes the filesystems frozen says so", result(outcome) == "frozen", outcome)
    virsh("domfsthaw", "two")
    check("until they are thawed", result(drive.ask("get", two)) == "done", drive.all[-3:])

    before = other.clock()[0]
    virsh("snapshot-create-as", "two", "before")
    time.sleep(1)
    mark = drive.mark()
    other.hang_up()
    virsh("snapshot-revert", "two", "before")
    check("a snapshot that was reverted to is a restore",
          drive.wait("sign", "running", str(two), "reason=restore", since=mark), drive.all[mark:])
    check("the agent is there", stage.until(10, lambda: result(drive.ask("get", two)) == "done"),
          drive.all[mark:])
    behind = other.clock()[0] - before
    check("the guest is behind", behind > 0.9, behind)
    outcome = drive.ask("set", two)
    offset = other.clock()[0]
    check("an agent that complains of hwclock has set the clock",
          result(outcome) == "refused" and abs(offset) < 0.1, (outcome, offset))
    mark = drive.mark()
    other.destroy()
    check("destroyed, it stays while it is defined",
          stage.until(5, lambda: drive.wait("sign", "stopped", str(two), since=mark, seconds=0)),
          drive.all[mark:])
    virsh("undefine", "two", "--snapshots-metadata")
    check("and is gone with its description", drive.wait("sign", "gone", str(two), since=mark),
          drive.all[mark:])


def test_libvirtd_killed():
    number = drive.say(f"set {one} 4000")
    time.sleep(0.1)
    mark = drive.mark()
    libvirtd.kill()
    outcome = drive.wait("outcome", "set", f"number={number}")
    check("work in the middle of which libvirtd is killed is lost",
          result(outcome) in ("lost", "timed-out"), outcome)
    check("and it is told", drive.wait("trouble", since=mark), drive.all[mark:])
    virsh_gone = drive.ask("get", one, 1000)
    check("work without libvirtd is lost", result(virsh_gone) in ("lost", "timed-out"), virsh_gone)
    mark = drive.mark()
    libvirtd.start()
    again = drive.wait("sign", "appeared", "name=one", since=mark, seconds=20)
    check("with the next one the guest appears under its old number",
          again and number_of(again) == one and again["is_running"] == "1", drive.all[mark:])
    drive.wait("sign", "agent-up", str(one), since=mark)
    outcome = drive.ask("get", one)
    check("and answers", result(outcome) == "done", outcome)
    check("the trouble is over", drive.all and [l for l in drive.all if " trouble" in l][-1]
          .endswith("trouble"), drive.all[mark:])


def test_libvirtd_hangs():
    libvirtd.hold()
    began = time.monotonic()
    outcome = drive.ask("get", one, 1000)
    took = time.monotonic() - began
    check("a libvirtd that hangs costs the work's timeout",
          result(outcome) == "timed-out" and took < 1.5, (outcome, took))
    libvirtd.let_go()
    check("then it goes on", result(drive.ask("get", one)) == "done", drive.all[-5:])


def test_end():
    mark = drive.mark()
    guest.hang_up()
    number = drive.say(f"set {one} 3000")
    time.sleep(0.1)
    virsh("destroy", "one")
    outcome = drive.wait("outcome", "set", f"number={number}")
    check("a guest destroyed in the middle", result(outcome) in ("lost", "stopped"), outcome)
    check("is stopped as long as it is defined", drive.wait("sign", "stopped", str(one), since=mark),
          drive.all[mark:])
    virsh("undefine", "one")
    check("and then gone", drive.wait("sign", "gone", str(one), since=mark), drive.all[mark:])
    outcome = drive.ask("get", one)
    check("who still asks for it is told so", result(outcome) == "lost", outcome)


def test_ends_with_hung_libvirtd():
    check("no turn of the loop took more than 50 ms", not drive.gaps(), drive.gaps())
    libvirtd.hold()
    for number in (1, 2, 3):
        drive.say(f"get {number} 500")
    began = time.monotonic()
    status = drive.end()
    check("with a libvirtd that hangs it ends as well",
          status == 0 and time.monotonic() - began < 3, (status, time.monotonic() - began))
    libvirtd.let_go()


if os.environ.get("VMTIME_STAGE") != "built":
    libvirt_stand.check_needs()
stage.enter(seconds=110)
libvirtd = libvirt_stand.Libvirtd()
drive = Drive(sys.argv[1])
guest = libvirt_stand.Guest("one", libvirt_stand.plain_image(has_hwclock=True))
guest.start()
disk = libvirt_stand.FOLDER + "/two.qcow2"
stage.run(libvirt_stand.need("qemu-img", "qemu-utils"), "create", "-f", "qcow2", disk, "1M")
other = libvirt_stand.Guest("two", libvirt_stand.image(
    "failing", [libvirt_stand.need("qemu-ga", "qemu-guest-agent")],
    files={"/sbin/hwclock": "#!/bin/sh\nexit 1\n"},
    # As after the agent was killed between freeze and thaw.
    start="touch /run/qga.state.isfrozen\n" + libvirt_stand.QEMU_GA), devices=libvirt_stand.disk(disk))
other.start()
one = 0
stage.finish(test_appears, test_messages, test_measures, test_pause, test_save, test_busy_agent,
             test_freeze_and_snapshot,
             test_libvirtd_killed, test_libvirtd_hangs, test_end, test_ends_with_hung_libvirtd)
