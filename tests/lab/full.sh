#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# full.sh [BOOT...] - all that can happen to a guest, with its figures
#
# Runs the long boots of the lab, full-kvmclock and full-tsc, half an hour together: pauses of up to
# 300 s, fifty pauses for the percentiles, fifty of which the host tells, pauses in a row, restore,
# migration under load, a snapshot loaded twice, leap seconds, steps of the host's clock and of the
# guest's own, suspend to RAM. Each is judged as in `make test`; at the end a table. Logs and samples:
# build/lab-full.
#
# Environment: BUILD (default build), where vmtimed and vmtime were built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/${BUILD:-build}
[[ ${BUILD:-} != /* ]] || build=$BUILD
out=$build/lab-full
export VMTIMED=$build/src/guestd/vmtimed VMTIME=$build/src/cli/vmtime VMTIME_HOSTD=$build/src/hostd/vmtime-hostd-small

[[ $# -gt 0 ]] || set -- full-kvmclock full-tsc
load() { cut -d ' ' -f 1-3 /proc/loadavg; }

status=0
before=$(load)
for boot in "$@"; do
	"$here/boot.sh" "$boot" "$out/$boot" 1500 || { r=$?; [[ $status == 1 ]] || status=$r; }
done

# A jump is a line "  = NAME: lost S s; told after S s; ..." in the report, under the guest it happened to.
table() {
	awk -F '[;:] ' '
	function figure(text) { return match(text, /-?[0-9.]+|never/) ? substr(text, RSTART, RLENGTH) : "-" }
	function round(s) { return s ~ /^-?[0-9.]+$/ ? sprintf("%.2f s", s) : s }
	/^GUEST / { guest = substr($0, 7) }
	/^  = / {
		by = $NF
		sub(/.* by /, "", by)
		printf "%-10s %-18s %12s %11s %9s %9s %14s %12s\n", guest, substr($1, 5), round(figure($2)),
			round(figure($3)), round(figure(substr($4, 7))), round(figure(substr($5, 7))), round(figure($6)), by
	}' "$1"
}

echo
echo "vmtimed in the lab, $(date -u +%F): load of this machine before $before, after $(load)"
echo
printf '%-10s %-18s %12s %11s %9s %9s %14s %12s\n' guest event lost "told after" "< 1 ms" "< 1 us" "ok and wrong" by
for boot in "$@"; do
	[[ ! -e $out/$boot/report.log ]] || table "$out/$boot/report.log"
done
for boot in "$@"; do
	grep -h -A 4 '^  seed ' "$out/$boot/report.log" 2>/dev/null || true
	grep -hE '^  with(out)? a nudge' "$out/$boot/report.log" 2>/dev/null || true
done
echo
for boot in "$@"; do
	echo "$boot: $(grep -c '^PASS' "$out/$boot/report.log") checks passed, $(grep -c '^FAIL' "$out/$boot/report.log" || true) failed"
	grep -h '^FAIL' "$out/$boot/report.log" || true
done
exit $status
