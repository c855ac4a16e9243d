#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh [GUEST...] - the lab's figures of vmtimed beside those of chronyd and phc2sys
#
# Each daemon gets a guest of its own on the same host, one after another, and the same work. About
# four minutes a guest. GUESTs are among: vmtimed-line vmtimed-default chronyd phc2sys.
#
# Environment: BUILD (default build), where vmtimed and vmtime were built.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

top=$(cd "$lab_dir/../.." && pwd)
build=$top/${BUILD:-build}
[[ ${BUILD:-} != /* ]] || build=$BUILD
vmtimed=$build/src/guestd/vmtimed vmtime=$build/src/cli/vmtime vmtimed_static=''
out=$build/lab-bench
peers=yes

[[ $# -gt 0 ]] || set -- vmtimed-line vmtimed-default chronyd phc2sys
mkdir -p "$out"
lab_ready tools kernel qemu peers

for guest in "$@"; do
	config=line
	[[ $guest != vmtimed-default ]] || config=none
	echo "$guest lab.daemon=${guest%-*} lab.config=$config lab.root=disk lab.scenarios=bench"
done >"$out/plan"

status=0
lab_say "load of this machine before: $(cut -d ' ' -f 1-3 /proc/loadavg) (figures want a quiet one)"
lab_boot "$out/plan" $((300 * $#)) | grep --line-buffered -Ev '^(FIGURE|END) |checks passed' || status=$?
lab_say "load of this machine after: $(cut -d ' ' -f 1-3 /proc/loadavg)"

# rows: key, title, factor, unit; columns: guests
awk -v guests="$*" '
	$1 == "FIGURE" { value[$2, $3] = $4 }
	function row(key, title, factor, unit, limit,    i, shown) {
		printf "%-42s", title
		for (i = 1; i <= n; i++) {
			shown = value[guest[i], key]
			if (shown ~ /^-?[0-9.]+$/)
				shown = sprintf("%.*f %s", factor * shown >= 100 || unit == "kB" ? 0 : 2, factor * shown, unit)
			printf "%18s", shown == "" ? "-" : shown
		}
		printf "   %s\n", limit
	}
	END {
		n = split(guests, guest, " ")
		printf "%-42s", ""
		for (i = 1; i <= n; i++) printf "%18s", guest[i]
		printf "   %s\n", "vmtimed must reach"
		row("before_ns", "error after boot", 1e-6, "ms", "")
		row("first_lock_s", "first start in this boot to < 1 us", 1, "s", "")
		row("lock_s", "second start, 1 s off, to < 1 us", 1, "s", "<= 0.1 s")
		row("lock_1ms_s", "the same to < 1 ms", 1, "s", "")
		row("rms_ns", "RMS, host wandering (slew 8 100)", 1, "ns", "<= 40 ns")
		row("max_ns", "largest error", 1, "ns", "")
		row("lost_s", "lost in the 10 s pause", 1, "s", "")
		row("repair_s", "cont to < 1 ms (in 25 s)", 1, "s", "<= 1.3 s")
		row("end_ns", "error 25 s after the pause", 1e-6, "ms", "")
		row("private_dirty_kb", "Private_Dirty, 60 s after the start", 1, "kB", "<= 400 kB")
		row("private_kb", "private memory in all", 1, "kB", "<= 900 kB")
		row("rss_kb", "resident memory", 1, "kB", "")
	}' "$out/report.log"
[[ $status == 0 || $status == 77 ]]
