#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""played_fleet.py VMTIME-HOSTD VMTIME FLEET_PLAY - guests by their QEMUs' sockets, good and bad ones

The guests are played (fleet_play.c), the daemon and the command are real.
"""

import os
import random
import socket
import time

import stage
from played_fleet_stand import FOLDER, HOUR, Fleet, Hostd, wait_for_all
from stage import check, until

stage.enter(seconds=170)

TEN = 10 * 10**6  # seconds, in microseconds


def is_right(row, limit=20000):
    return abs(row["error_us"]) < limit


def test_a_thousand_are_right_within_a_second():
    with Fleet(1000) as fleet, Hostd("parallel 64") as hostd:
        check("all are found and measured", wait_for_all(fleet, hostd, 20), hostd.log()[-2000:])
        fleet.do("stop all")
        time.sleep(0.5)
        fleet.do("forget all")
        before = hostd.cpu()
        fleet.do(f"resume all {HOUR}")
        until(10, lambda: all(row["sets"] for row in fleet.report().values()))
        time.sleep(1)
        rows = fleet.report().values()
        worst = max(row["set_after_us"] for row in rows) / 1e3
        spent = hostd.cpu() - before
        check(f"all were set, the last after {worst:.0f} ms (1000)",
              all(row["sets"] for row in rows) and worst <= 1000)
        check("each only once, and all are right",
              all(row["sets"] == 1 and is_right(row, 100000) for row in rows),
              [row for row in rows if row["sets"] != 1 or not is_right(row, 100000)][:5])
        check(f"it took {spent:.2f} s of processor time (1.0)", spent <= 1.0)
        check(f"and {hostd.memory():.1f} MB (40)", hostd.memory() <= 40)
        check("nothing was asked of a guest that stood still",
              not any(row["asked_stopped"] for row in rows))
        states = [row["state"] for row in hostd.guests().values()]
        check("all are said to be verified", states.count("verified") == 1000, set(states))


BAD = ["hang", "garbage", "half", "flood", "deep", "liar", "dull", "stale"]
ODD = ["well", "hwclock", "stumble", "lossy"]  # these can be put right


def test_bad_agents_harm_nobody_else():
    modes = BAD + ODD + ["frozen", "late"]
    names = {mode: f"vm-{index:04}" for index, mode in enumerate(modes)}
    late = modes.index("late")
    with Fleet(len(names)) as fleet, Hostd() as hostd:
        wait_for_all(fleet, hostd)
        for index, mode in enumerate(modes):
            if index != late:
                fleet.do(f"mode {index} {mode}")
        fleet.do(f"delay {late} 6000000")  # longer than anybody waits for it
        fleet.do("stop all")
        time.sleep(0.3)
        fleet.do("forget all")
        fleet.do(f"resume all {TEN}")
        until(10, lambda: all(is_right(fleet.report()[names[mode]]) for mode in ODD))
        rows, guests = fleet.report(), hostd.guests()
        for mode in ODD:
            check(f"{mode}: the clock is right, and was set once",
                  is_right(rows[names[mode]]) and rows[names[mode]]["sets"] == 1, rows[names[mode]])
        until(3, lambda: hostd.guests()[names["well"]]["state"] == "verified")
        check("frozen: said so", hostd.guests()[names["frozen"]]["state"] == "frozen",
              guests[names["frozen"]])
        time.sleep(6)  # until what hangs has been given up
        guests, rows = hostd.guests(), fleet.report()
        for mode in BAD + ["late"]:
            check(f"{mode}: nobody says that the clock is right",
                  guests[names[mode]]["state"] not in ("verified", "watching"), guests[names[mode]])
        check("nothing was asked of a guest that stood still",
              not any(row["asked_stopped"] for row in rows.values()), rows)
        check("no guest was sent a wrong time",
              all(abs(row["worst_sent_us"]) < 50000 for row in rows.values()), rows)
        check(f"it needs {hostd.memory():.1f} MB", hostd.memory() < 20)
        spent = hostd.cpu()
        time.sleep(2)
        check("and is at rest", hostd.cpu() - spent < 0.2, hostd.cpu() - spent)
        check("the log is no flood", len(hostd.log()) < 20000, hostd.log()[-3000:])

        fleet.do("mode all well")
        fleet.do(f"delay {late} 1000")
        hostd.ask("sync", "--all", "--timeout", "20")
        until(10, lambda: all(map(is_right, fleet.report().values())))
        rows, guests = fleet.report(), hostd.guests()
        check("as soon as they behave they are put right", all(map(is_right, rows.values())), rows)
        check("and verified", all(row["state"] in ("verified", "watching") for row in guests.values()),
              {row["name"]: row["state"] for row in guests.values()})


def test_monitors_that_do_not_greet():
    with Fleet(4) as fleet:
        for index, how in enumerate(["well", "cut", "mute", "gone"]):
            fleet.do(f"monitor {index} {how}")
        with Hostd() as hostd:
            until(8, lambda: "does not greet" in hostd.log())
            check("only who greets is a guest", list(hostd.guests()) == ["vm-0000"], hostd.guests())
            check("the log says why", "does not greet" in hostd.log() or "hung up" in hostd.log(),
                  hostd.log())
            fleet.do("monitor 3 well")
            check("a socket that comes is seen within a second",
                  until(1, lambda: "vm-0003" in hostd.guests()), hostd.log())
            fleet.do("monitor 1 well")
            fleet.do("monitor 2 well")
            check("and those that greet at last",
                  until(30, lambda: len(hostd.guests()) == 4), hostd.guests())
            fleet.do("monitor 3 gone")
            check("one that goes is gone", until(2, lambda: "vm-0003" not in hostd.guests()))

            # Something happens while nobody listens to its monitor.
            fleet.do("forget all")
            fleet.do(f"clock 0 -{TEN}")
            fleet.do("monitor 0 well")
            check("a monitor that was away: its guest is looked at",
                  until(5, lambda: is_right(fleet.report()["vm-0000"])), fleet.report())


def listen(path, uid=0):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    os.chown(path, uid, uid)
    server.settimeout(1)
    return server


def was_asked(server):
    try:
        server.accept()[0].close()
        return True
    except OSError:
        return False


def test_sockets_that_are_not_to_be_trusted():
    with Fleet(1) as fleet, Hostd() as hostd:
        wait_for_all(fleet, hostd)
        with listen(f"{FOLDER}/vm-evil.qmp", uid=4711) as evil:
            check("a socket of another user is not connected to", not was_asked(evil))
            check("and the log says why",
                  until(3, lambda: "user 4711" in hostd.log()), hostd.log())
        os.unlink(f"{FOLDER}/vm-evil.qmp")
        stage.write(f"{FOLDER}/vm-file.qmp", "no socket")
        check("nor is a file", until(15, lambda: "no socket" in hostd.log()), hostd.log())
        os.symlink(f"{FOLDER}/vm-0000.qmp", f"{FOLDER}/vm-link.qmp")
        time.sleep(0.3)
        check("the guest is as it was", list(hostd.guests()) == ["vm-0000"], hostd.guests())

        # The agent's socket is replaced while the guest stands still.
        fleet.do("stop 0")
        os.unlink(f"{FOLDER}/vm-0000.qga")
        with listen(f"{FOLDER}/vm-0000.qga", uid=4711) as evil:
            fleet.do("resume 0 0")
            hostd.ask("sync", "--all", "--timeout", "2")
            check("nor does an agent's socket of another user get a word", not was_asked(evil))


def test_clocks_far_away():
    with Fleet(3) as fleet, Hostd() as hostd:
        wait_for_all(fleet, hostd)
        to_2106 = (4294967295 - int(time.time())) * 10**6
        for index, error in enumerate([to_2106, -1600000000 * 10**6, 9200000000 * 10**6]):
            fleet.do(f"clock {index} {error}")
        fleet.do("stop all")
        fleet.do("resume all 0")
        check("a clock in 2106, one in 1976 and one that ends are set right",
              until(10, lambda: all(map(is_right, fleet.report().values()))),
              (fleet.report(), hostd.guests()))


def test_a_measured_offset_is_within_its_own_interval():
    with Fleet(40) as fleet:
        for index in range(40):
            fleet.do(f"clock {index} {random.Random(index).randrange(-9 * 10**6, 9 * 10**6)}")
            fleet.do(f"delay {index} {index * 2500}")
        with Hostd("threshold 10s", "unsynchronized-threshold 10s", "interval 1s") as hostd:
            wait_for_all(fleet, hostd)
            wrong, looks = [], 0
            for _ in range(5):
                time.sleep(1)
                truth = fleet.report()
                for name, row in hostd.guests().items():
                    looks += 1
                    # A guest that is ahead must go back: the offset's sign is the correction's.
                    # An agent tells whole microseconds.
                    off = row["offset_ns"] + truth[name]["error_us"] * 1000
                    if abs(off) > row["uncertainty_ns"] + 1000:
                        wrong.append((row, truth[name]))
        check(f"{looks} offsets are what they are within what they claim",
              looks == 200 and not wrong, wrong[:3])
        check("none was set below the threshold",
              not any(row["sets"] for row in fleet.report().values()))


def test_killed_at_any_moment():
    chance = random.Random(5)
    with Fleet(60) as fleet:
        hostd = Hostd("parallel 4")
        for _ in range(6):
            hostd.start()
            wait_for_all(fleet, hostd)
            fleet.do("delay all 20000")
            fleet.do("stop all")
            fleet.do("forget all")
            fleet.do(f"resume all {TEN}")
            time.sleep(chance.uniform(0.02, 0.5))
            hostd.kill()
            set_before = sum(row["sets"] > 0 for row in fleet.report().values())
            hostd.start()
            until(10, lambda: all(map(is_right, fleet.report().values())))
            wait_for_all(fleet, hostd)
            rows = fleet.report().values()
            check(f"killed when {set_before} of 60 were set: all are right, none was set twice",
                  all(is_right(row) and row["sets"] == 1 and not row["needless"] for row in rows),
                  [row for row in rows if row["sets"] != 1 or not is_right(row)][:3])
            hostd.kill()


def test_turns():
    """Forty guests, four at once, 20 ms a request: who was measured is set before others are."""
    with Fleet(40) as fleet, Hostd("parallel 4") as hostd:
        wait_for_all(fleet, hostd)
        fleet.do("delay all 20000")
        fleet.do("stop all")
        time.sleep(0.2)
        fleet.do("forget all")
        fleet.do(f"resume all {TEN}")
        until(5, lambda: all(row["sets"] for row in fleet.report().values()))
        after = sorted(row["set_after_us"] / 1e3 for row in fleet.report().values())
        check(f"the first is set after {after[0]:.0f} ms, half of them after {after[20]:.0f} ms, all "
              f"after {after[-1]:.0f} ms", 40 <= after[0] < 150 and after[20] < 0.75 * after[-1], after)
        check("no more than four are asked at once", after[-1] >= 9 * 40, after)


def test_idle():
    """A measurement of one guest among a thousand: 1 % of a core if each is measured once a minute."""
    with Fleet(1000) as fleet, Hostd("interval 5s") as hostd:
        wait_for_all(fleet, hostd, 20)
        time.sleep(1)
        fleet.do("forget all")
        before = hostd.cpu()
        time.sleep(10)
        spent = hostd.cpu() - before
        gets = sum(row["gets"] for row in fleet.report().values())
        share = spent / gets * 1000 / 60
        check(f"{gets} measurements in 10 s took {spent:.2f} s: at one a minute {share:.2%} of a core (1 %)",
              1900 <= gets <= 2200 and share <= 0.01)


def test_reply_to_resume():
    """One guest whose agent answers within a millisecond."""
    with Fleet(1) as fleet, Hostd() as hostd:
        wait_for_all(fleet, hostd)
        took = []
        for _ in range(100):
            fleet.do("stop 0")
            time.sleep(0.01)
            fleet.do(f"resume 0 {TEN}")
            if until(2, lambda: fleet.report()["vm-0000"]["set_after_us"] >= 0):
                took.append(fleet.report()["vm-0000"]["set_after_us"] / 1e3)
            until(2, lambda: hostd.guests()["vm-0000"]["state"] == "verified")
        took.sort()
        check(f"RESUME to set-time: median {took[len(took) // 2]:.1f} ms, p99 {took[-2]:.1f} ms (20)",
              len(took) == 100 and took[-2] <= 20, took[-5:])


if __name__ == "__main__":
    stage.finish(test_a_thousand_are_right_within_a_second, test_reply_to_resume, test_turns, test_idle,
                 test_bad_agents_harm_nobody_else, test_monitors_that_do_not_greet,
                 test_sockets_that_are_not_to_be_trusted, test_clocks_far_away,
                 test_a_measured_offset_is_within_its_own_interval, test_killed_at_any_moment)
