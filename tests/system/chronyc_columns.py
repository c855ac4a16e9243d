#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""chronyc_columns.py VMTIME - the same report, printed by chronyc and by vmtime, to the byte

A thread plays chronyd and another one vmtimed, each with the same random report.  What
chronyc and vmtime make of it must be equal.  Needs chronyc; VMTIME_SEED=N repeats a run.
"""

import json
import math
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SELECTIONS = ["selected", "unusable", "falseticker", "jittery", "combined", "not-combined"]
LEAPS = ["normal", "insert-second", "delete-second", "not-synchronised"]
SECOND = 10**9
NEVER = 0xFFFFFFFF
REPORTS = 25


# --- Values ---

def wire_float(value):
    """chrony's 32-bit float: 7 bits of exponent, 25 bits of coefficient, both signed."""
    if value == 0:
        return struct.pack(">I", 0)
    exponent = math.frexp(value)[1] + 1
    coefficient = round(abs(value) * 2.0 ** (25 - exponent))
    if coefficient >= 2**24:
        exponent += 1
        coefficient //= 2
    coefficient = -coefficient if value < 0 else coefficient
    return struct.pack(">I", (exponent & 0x7F) << 25 | coefficient & 0x1FFFFFF)


def rounded(value):
    """@value as it is after a trip through wire_float."""
    bits, = struct.unpack(">I", wire_float(value))
    exponent = (bits >> 25) - (128 if bits >> 31 else 0)
    coefficient = (bits & 0x1FFFFFF) - (1 << 25 if bits & 0x1000000 else 0)
    return coefficient * 2.0 ** (exponent - 25)


def random_offset():
    """Of any size, near the limits of the units, never where rounding could go either way."""
    limits = [9999, 10000, 9999000, 10**7, 9999 * 10**6, 10**10, 9994 * 10**8, 9996 * 10**8]
    limits += [n * unit * SECOND for unit in (1, 60, 3600) for n in (99999, 100000)]
    if random.random() < 0.02:
        return 0
    value = random.choice(limits) if random.random() < 0.3 else int(10 ** random.uniform(0, 18))
    if value >= 10**4:
        # Five digits, of which the last is 1: no unit shows so many that this is a tie.
        unit = 10 ** (len(str(value)) - 5)
        value = value // unit // 10 * 10 * unit + unit
    return value * random.choice([1, -1])


def random_age():
    limits = [0, 1, 1199, 1200, 35999, 36000, 345599, 345600, 86400 * 1000 - 1, 86400 * 1000]
    seconds = random.choice(limits) if random.random() < 0.5 else int(10 ** random.uniform(0, 9.5))
    return seconds * SECOND + random.randrange(SECOND)


def random_ppm(signs):
    return rounded(10 ** random.uniform(-3, 7)) * random.choice(signs)


def random_name():
    return "".join(random.choice("ABCPHS0123") for _ in range(random.randint(1, 4)))


def refid_of(name):
    return int.from_bytes(name.encode().ljust(4, b"\0"), "big")


def random_source():
    name = random_name()
    source = {
        "name": name, "refid": refid_of(name), "device": "", "clock_name": "", "method": "",
        "trouble": "", "is_host": False, "selection": random.choice(SELECTIONS),
        "stratum": random.randrange(17), "poll_log2_s": random.randint(-7, 24),
        "reach": random.randrange(256), "reading_interval_ns": 1, "readings": 0, "failures": 0,
        "outliers": 0, "samples": random.choice([0, 5, 64, 999, 1000]),
        "runs": random.randrange(70), "span_ns": random_age(), "frequency_ppm": random_ppm([1, -1]),
        "frequency_skew_ppm": random_ppm([1]), "estimated_offset_ns": random_offset(),
        "standard_deviation_ns": abs(random_offset()),
    }
    if random.random() < 0.9:
        source["last_sample"] = {
            "since_sample_ns": random_age(), "adjusted_offset_ns": random_offset(),
            "measured_offset_ns": random_offset(), "error_ns": abs(random_offset()),
            "bracket_ns": 1,
        }
    return source


def random_tracking():
    def exact():
        """Nine decimals of seconds that survive 24 bits."""
        return random.randrange(-2**23, 2**23)

    name = random.choice([random_name(), ""])
    return {
        "refid": refid_of(name), "name": name, "stratum": random.randrange(17),
        "ref_time_unix_ns": random.randrange(4 * 10**18), "system_offset_ns": exact(),
        "last_offset_ns": exact(), "rms_offset_ns": abs(exact()),
        "frequency_ppm": random_ppm([1, -1, 0]), "residual_ppm": random_ppm([1, -1, 0]),
        "skew_ppm": random_ppm([1]), "root_delay_ns": abs(exact()),
        "root_dispersion_ns": abs(exact()),
        "update_interval_ns": random.choice([0, SECOND, 62500000, 16 * SECOND, 123456 * SECOND]),
        "leap": random.choice(LEAPS),
    }


# --- chronyd's side, as much of its command protocol as chronyc asks for here ---

def seconds_float(ns):
    return wire_float(ns / 1e9)


def source_data(source):
    sample = source.get("last_sample")
    since = sample["since_sample_ns"] // SECOND if sample else NEVER
    # chrony's offsets are positive where our clock is ahead, vmtime's where it is behind.
    keys = (("measured_offset_ns", -1), ("adjusted_offset_ns", -1), ("error_ns", 1))
    return struct.pack(">I12xHHhHHHHHI", source["refid"], 1, 0, source["poll_log2_s"],
                       source["stratum"], SELECTIONS.index(source["selection"]), 2, 0,
                       source["reach"], since) + \
        b"".join(seconds_float(sign * sample[key] if sample else 0) for key, sign in keys)


def sourcestats_data(source):
    return struct.pack(">I20xIII", source["refid"], source["samples"], source["runs"],
                       source["span_ns"] // SECOND) + \
        seconds_float(source["standard_deviation_ns"]) + wire_float(source["frequency_ppm"]) + \
        wire_float(source["frequency_skew_ppm"]) + \
        seconds_float(-source["estimated_offset_ns"]) + wire_float(0)


def tracking_data(tracking):
    seconds, ns = divmod(tracking["ref_time_unix_ns"], SECOND)
    data = struct.pack(">I20xHHIII", tracking["refid"], tracking["stratum"],
                       LEAPS.index(tracking["leap"]), seconds >> 32, seconds & NEVER, ns)
    for key, sign in (("system_offset_ns", 1), ("last_offset_ns", -1), ("rms_offset_ns", 1)):
        data += seconds_float(sign * tracking[key])
    for key in ("frequency_ppm", "residual_ppm", "skew_ppm"):
        data += wire_float(tracking[key])
    for key in ("root_delay_ns", "root_dispersion_ns", "update_interval_ns"):
        data += seconds_float(tracking[key])
    return data


def answer_chronyc(request, report):
    command, sequence = struct.unpack_from(">H2xI", request, 4)
    index, = struct.unpack_from(">I", request, 20)
    code, data = {
        14: lambda: (2, struct.pack(">I", len(report["sources"]))),
        15: lambda: (3, source_data(report["sources"][index])),
        34: lambda: (6, sourcestats_data(report["sources"][index])),
        33: lambda: (5, tracking_data(report["tracking"])),
    }[command]()
    return struct.pack(">BBxxHHH6xI8x", 6, 2, command, code, 0, sequence) + data


def play_chronyd(server, report):
    while True:
        request, sender = server.recvfrom(2048)
        server.sendto(answer_chronyc(request, report), sender)


def play_vmtimed(server, report):
    while True:
        connection, _ = server.accept()
        with connection:
            command = json.loads(connection.makefile("rb").readline())["cmd"]
            data = report["tracking" if command == "tracking" else "sources"]
            connection.sendall(json.dumps({"v": 1, "ok": True, command: data}).encode() + b"\n")


# --- The comparison ---

def compare(vmtime, directory, command):
    """How many lines differ."""
    expected = subprocess.run(["chronyc", "-n", "-h", directory + "/chronyd.sock", command],
                              capture_output=True, text=True, timeout=60, check=False)
    printed = subprocess.run([vmtime, "-s", directory + "/vmtimed.sock", command],
                             capture_output=True, text=True, timeout=60, check=False)
    ours, theirs = printed.stdout.split("\n"), expected.stdout.split("\n")
    different = [pair for pair in zip(theirs, ours) if pair[0] != pair[1]]
    for pair in different:
        print(f"chronyc {pair[0]}\nvmtime  {pair[1]}")
    if expected.returncode or printed.returncode or len(ours) != len(theirs):
        print(f"{command}: {expected} {printed}")
        return 1
    return len(different)


def main():
    if not shutil.which("chronyc"):
        print("skip: there is no chronyc to compare with")
        return 77
    seed = int(os.environ.get("VMTIME_SEED", int(time.time())))
    print(f"VMTIME_SEED={seed}")
    random.seed(seed)
    report = {}
    different = 0
    with tempfile.TemporaryDirectory(prefix="vmtime-columns-") as directory:
        chronyd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        chronyd.bind(directory + "/chronyd.sock")
        vmtimed = socket.socket(socket.AF_UNIX)
        vmtimed.bind(directory + "/vmtimed.sock")
        vmtimed.listen(8)
        for play, server in ((play_chronyd, chronyd), (play_vmtimed, vmtimed)):
            threading.Thread(target=play, args=(server, report), daemon=True).start()
        for _ in range(REPORTS):
            report.update(sources=[random_source() for _ in range(16)],
                          tracking=random_tracking())
            for command in ("sources", "sourcestats", "tracking"):
                different += compare(sys.argv[1], directory, command)
    print(f"{REPORTS} reports, {different} lines differ")
    return 1 if different else 0


sys.exit(main())
