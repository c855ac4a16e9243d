#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test-evaluate.sh - the judge of the lab, judged by samples whose answer is known
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -std=gnu17 -O2 -o "$work/evaluate" observer/evaluate.c -lm
bad=0

expect() { # expect NAME WORD ARGUMENT...: WORD must be among what evaluate prints
	local name=$1 word=$2 got
	shift 2
	got=$("$work/evaluate" "$@")
	case " $got " in
	*" $word "*) echo "ok: $name" ;;
	*) echo "FAIL: $name: wanted $word in: $got"; bad=1 ;;
	esac
}

# -300 ms until 10.05, then right, with one later excursion in the second file.
awk 'BEGIN { for (i = 0; i < 200; i++) printf "%.9f %d 0\n", 10 + i / 100, i < 5 ? -300000000 : i % 7 }' >"$work/lock"
sed 's/^11[.]000000000 .*/11.000000000 2000 0/' "$work/lock" >"$work/excursion"
sed 's/^11[.]000000000 .*/11.000000000 - No such device/' "$work/lock" >"$work/failed"
expect "the lock is where the error falls below the limit" lock_s=0.030000 lock "$work/lock" 10.02 1000
expect "the error before the start" before_ns=-300000000 lock "$work/lock" 10.02 1000
expect "an excursion later moves the lock behind it" lock_s=0.990000 lock "$work/excursion" 10.02 1000
expect "a limit that the excursion keeps" lock_s=0.030000 lock "$work/excursion" 10.02 3000
expect "a failed sample is no excursion" lock_s=0.030000 lock "$work/failed" 10.02 1000
expect "never below" lock_s=never lock "$work/lock" 10.02 1
expect "a failed sample is counted" failed=1 failures "$work/failed" 10 0
expect "and only within the time asked for" failed=0 failures "$work/failed" 11.5 0

# RMS of 3 and -4 in turn is sqrt(12.5).
awk 'BEGIN { for (i = 0; i < 100; i++) printf "%.9f %d 7\n", 20 + i / 10, i % 2 ? -4 : 3 }' >"$work/steady"
expect "RMS" rms_ns=3.5 steady "$work/steady" 0 0
expect "the largest, without its sign" max_ns=4 steady "$work/steady" 0 0
expect "the width" width_ns=7 steady "$work/steady" 0 0
expect "from and to" used=11 steady "$work/steady" 21 22.0001
expect "nothing there" rms_ns=never steady "$work/steady" 99 0

# Ten seconds lost at 30.50, put right at 31.20.
awk 'BEGIN { for (i = 0; i < 200; i++) { t = 30 + i / 100
	printf "%.9f %.0f 0\n", t, (t > 30.505 && t < 31.195 ? -10000000000 : 5) } }' >"$work/jump"
expect "what was lost" lost_s=10.000000 jump "$work/jump" 30.1 1e6
expect "the repair's time counts from the last sample before" repair_s=0.700000 jump "$work/jump" 30.1 1e6
expect "the last sample before may be older than FROM" repair_s=0.700000 jump "$work/jump" 30.505 1e6
awk '!($1 > 30.505 && $1 < 30.605)' "$work/jump" >"$work/hole"
expect "a hole in the samples is not counted" repair_s=0.610000 jump "$work/hole" 30.1 1e6
expect "but told" hole_s=0.110000 jump "$work/hole" 30.1 1e6
expect "no jump" repair_s=never jump "$work/steady" 20 1e6
head -n 100 "$work/jump" >"$work/unrepaired"
expect "not repaired" repair_s=never jump "$work/unrepaired" 30.1 1e6

# The same jump, with a daemon that is asked every 20 ms: it reads at 30.80 and says "disrupted" from
# then on until the repair at 31.20, by a step.
awk 'BEGIN { for (i = 0; i < 100; i++) { t = 30 + i / 50
	printf "%.9f %.9f %s 900 %d %d\n", t, t + 0.001, (t > 30.795 && t < 31.195 ? "disrupted" : "ok"),
		7 + (t > 30.795) + (t > 31.195), 1 + (t > 31.195) } }' >"$work/told"
expect "when it was noticed" noticed_s=0.301000 jump "$work/jump" 30.1 1e6 "$work/told"
expect "for how long it said ok" blind_s=0.281000 jump "$work/jump" 30.1 1e6 "$work/told"
expect "the worst meanwhile" worst_ok_ns=10000000000 jump "$work/jump" 30.1 1e6 "$work/told"
expect "which is no lie" lies=0 jump "$work/jump" 30.1 1e6 "$work/told"
sed 's/disrupted/ok/' "$work/told" >"$work/untold"
expect "a reading later it is one: 20 replies" lies=20 jump "$work/jump" 30.1 1e6 "$work/untold"
expect "then a step tells" noticed_s=0.701000 jump "$work/jump" 30.1 1e6 "$work/untold"
awk '{ print } $1 == "30.820000000" { print "30.830000000 30.830000000 ok 900 - -" }' "$work/untold" >"$work/unasked"
expect "and what comes unasked" noticed_s=0.330000 jump "$work/jump" 30.1 1e6 "$work/unasked"
sed 's/ok 900/ok -/' "$work/untold" >"$work/boundless"
expect "an ok without a bound is a promise too" lies=20 jump "$work/jump" 30.1 1e6 "$work/boundless"
sed 's/disrupted 900/disrupted -/' "$work/told" >"$work/honest"
expect "who says disrupted promises nothing" lies=0 jump "$work/jump" 30.1 1e6 "$work/honest"
expect "between jumps everything counts" lies=0 status "$work/jump" 31.3 0 "$work/told"
sed 's/ok 900/ok 4/' "$work/told" >"$work/boastful"
expect "a bound that is too small" "lies=34 worst_ok_ns=5" status "$work/jump" 31.31 0 "$work/boastful"
expect "how many were asked" replies_n=34 status "$work/jump" 31.31 0 "$work/told"

# Four jumps: repaired in 0.2, 0.4 and 0.6 s, and one that the next overtakes after 0.5 s. Another
# two: one at the end, unrepaired, and before it one that had two seconds and was not repaired either.
awk 'function wrong(from, to, size) { if (t > from - 0.001 && t < to - 0.001) e = size }
	BEGIN { for (i = 0; i < 1200; i++) { t = 40 + i / 100; e = 3
	wrong(41, 41.19, -2e9); wrong(43, 43.39, -50e6); wrong(45, 45.5, -1e9); wrong(45.5, 46.09, -3e9)
	wrong(48, 50, -1e9); wrong(50, 60, -4e9); printf "%.9f %.0f 0\n", t, e } }' >"$work/row"
expect "how many jumps" jumps=6 jumps "$work/row" 40 1e6
expect "how many were repaired" repaired=3 jumps "$work/row" 40 1e6
expect "how many could not be" overtaken=1 jumps "$work/row" 40 1e6
expect "how many were not" unrepaired=2 jumps "$work/row" 40 1e6
expect "the median" repair_p50_s=0.400000 jumps "$work/row" 40 1e6
expect "the 95th percentile" repair_p95_s=0.600000 jumps "$work/row" 40 1e6
expect "only those after FROM" jumps=4 jumps "$work/row" 44 1e6

exit $bad
