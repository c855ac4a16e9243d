# SPDX-License-Identifier: Apache-2.0
"""hostd_stand.py - vmtime-hostd in the foreground, and what `vmtime guests` tells of its guests

    import hostd_stand
    hostd = hostd_stand.Hostd(program, "unsynchronized-threshold 100ms").start()
    hostd_stand.told("one")["state"]
"""

import json
import signal
import subprocess

import stage

LOG = "/run/hostd.log"
REST = ("verified", "watching")


class Hostd:
    def __init__(self, program, *directives):
        self.program, self.directives = program, directives
        self.process = None

    def start(self):
        with open(LOG, "ab") as log:
            self.process = subprocess.Popen([self.program, "-d", *self.directives],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(5)


def guests():
    done = stage.run(stage.VMTIME, "guests", "--json")
    try:
        return {guest["name"]: guest for guest in json.loads(done.stdout)["guests"]}
    except (ValueError, KeyError):
        return {}


def told(name="one"):
    return guests().get(name, {})


def is_at_rest(name="one"):
    return told(name).get("state") in REST
