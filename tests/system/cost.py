#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cost.py VMTIMED VMTIME PLAY.SO SLEEPER [SECONDS] - what a reading costs on a quiet clock

Not a test: `make bench` prints its figures. The real daemon reads a played clock for SECONDS
(default 60), without a client. Its time on the processor, as the scheduler has counted it
(/proc/PID/schedstat, nanoseconds, wake-up and return to sleep included), is divided by the readings
in between. Beside it runs a program that wakes up as often and does nothing: what is left of a
processor's caches after a second, and what a virtual machine adds to a wake-up, costs both alike.
A real PTP_SYS_OFFSET_PRECISE adds the hypercall.
"""

import os
import subprocess
import sys
import time

import stage

SLEEPER = os.path.abspath(sys.argv[4])
SECONDS = float(sys.argv[5]) if len(sys.argv) > 5 else 60
stage.enter(seconds=int(SECONDS) + 60)
import play  # pylint: disable=wrong-import-position


play.show(0)


def on_processor(pid):
    """Nanoseconds so far."""
    return int(stage.read(f"/proc/{pid}/schedstat").split()[0])


def wake_ups(pid):
    return int(stage.status_of(pid)["voluntary_ctxt_switches"])


def measure():
    with play.Daemon(host_ahead=0.1) as daemon, subprocess.Popen([SLEEPER]) as sleeper:
        if daemon.is_right(1e-6) is None:
            print(daemon.log())
            return
        time.sleep(10)  # the first readings come faster

        def now():
            return [on_processor(daemon.pid), wake_ups(daemon.pid), daemon.play["readings"],
                    on_processor(sleeper.pid), wake_ups(sleeper.pid)]

        before = now()
        time.sleep(SECONDS)
        spent, woken, readings, idle, idle_woken = (b - a for a, b in zip(before, now()))
        sleeper.kill()
        print(f"FIGURE cost cpu_per_reading_us {spent / readings / 1e3:.1f}")
        print(f"FIGURE cost wake_up_alone_us {idle / idle_woken / 1e3:.1f}")
        print(f"FIGURE cost wake_ups_per_s {woken / SECONDS:.2f}")
        print(f"FIGURE cost readings_per_s {readings / SECONDS:.2f}")


stage.finish(measure)
