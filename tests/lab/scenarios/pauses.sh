# SPDX-License-Identifier: Apache-2.0
#
# pauses COUNT SEED SHORTEST LONGEST GAP_SHORTEST GAP_LONGEST - pauses of random length with random gaps
# between them, drawn from SEED; all in seconds. A gap below the time that a repair may take makes pauses
# in a row, of which only the last can be repaired.
count=${1:-10} seed=${2:-1} shortest=${3:-0.5} longest=${4:-1.5} gap_shortest=${5:-2} gap_longest=${6:-3.5}
name="$count pauses"
daemon_ensure
say "  seed $seed: pauses of $shortest to $longest s, $gap_shortest to $gap_longest s apart"
awk -v n="$count" -v seed="$seed" -v a="$shortest" -v b="$longest" -v c="$gap_shortest" -v d="$gap_longest" 'BEGIN {
	srand(seed)
	for (i = 0; i < n; i++) printf "%.3f %.3f\n", a + (b - a) * rand(), c + (d - c) * rand()
}' >/tmp/pauses
watch_start_told "pauses-$seed" 10
sleep 1
from=$(raw_now)
while read -r length gap <&9; do
	host pause "$length"
	sleep "$gap"
done 9</tmp/pauses
sleep 2
watch_stop
evaluated jumps "$samples" "$from" 1e6 "$told"
say "  $jumps jumps, $repaired repaired, $overtaken overtaken by the next, $lost_s s lost in all"
say "  to < 1 ms: median $repair_p50_s s, 95 % $repair_p95_s s, all $repair_p100_s s"
say "  to a status that tells: median $noticed_p50_s s, 95 % $noticed_p95_s s, all $noticed_p100_s s"
say "  worst error while the status said ok, blind windows included: $(words "$worst_ok_ns")"
evaluate table "$samples" "$from" 1e6 "$told" >"$results/pauses-$seed.txt"
check_above "pauses that were seen" "$jumps" '' "$count"
check "jumps that were not repaired" "$unrepaired" '' 0
check "cont to |error| < 1 ms, all of them" "$repair_p100_s" s 1.3
check "replies that promised too much" "$lies" '' 0
[ "$count" -lt 50 ] || check "cont to |error| < 1 ms, median" "$repair_p50_s" s 0.75
