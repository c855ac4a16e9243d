# SPDX-License-Identifier: Apache-2.0
#
# pausestep [SECONDS...] - the guest stands still for 2 s, and in the middle of that the host's own clock
# is stepped: what the guest meets when it goes on is the sum; on tsc, which goes on meanwhile, the step.
name=pausestep
daemon_ensure
pause=2
[ "$(clocksource)" != tsc ] || pause=0
[ $# -gt 0 ] || set -- 1 -1 3600 -3600
for size in "$@"; do
	name="pausestep $size s"
	watch_start_told "pausestep$size" 10
	sleep 1
	from=$(raw_now)
	host pausestep 1 "$size"
	sleep 3
	watch_stop
	judge_jump "$from" "cont"
	check "what was lost besides the step and the pause" "$(awk -v lost="$lost_s" -v size="$size" -v pause=$pause \
		'BEGIN { d = lost - size - pause; printf "%.6f", d < 0 ? -d : d }')" s 1.5
done
