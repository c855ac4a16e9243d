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
expect "no jump" repair_s=never jump "$work/steady" 20 1e6
head -n 100 "$work/jump" >"$work/unrepaired"
expect "not repaired" repair_s=never jump "$work/unrepaired" 30.1 1e6

exit $bad
