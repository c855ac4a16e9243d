# SPDX-License-Identifier: Apache-2.0
#
# pause [SECONDS] - QMP stop, 10 s, cont. In the guest's time nothing passed; its clock is 10 s late.
# With clocksource tsc all of its clocks have gone on, and it is only woken late.
length=${1:-10}
name="pause $length s"
daemon_ensure
watch_start_told "pause-$length" 10
sleep 1
from=$(raw_now)
host pause "$length"
sleep 3
watch_stop
if [ "$(clocksource)" = tsc ]; then
	# The counter ran on in the pause and QEMU leaves it alone, so there is nothing to lose.
	evaluated jump "$samples" "$from" 1e6 "$told"
	lost=$lost_s
	check "seconds lost in the pause, on tsc" "$lost" s 0
	evaluated steady "$samples" "$from" 0
	say "  = $name: lost $lost s; told after - s; < 1 ms after 0 s; < 1 us after - s; status ok and wrong for 0 s by $(words "$max_ns")"
	check "the largest error after the pause" "$max_ns" ns 1e6
	check_above "MONOTONIC_RAW went on, by" "$(awk -v from="$from" 'END { print $1 - from }' "$samples")" s "$length"
else
	judge_jump "$from" cont
	check_above "seconds lost in the pause" "$lost_s" s "$length"
fi
