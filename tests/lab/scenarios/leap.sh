# SPDX-License-Identifier: Apache-2.0
#
# leap [announced] - the host's kernel inserts a leap second at the end of the UTC day. Its clock is true
# time, as UTC wants it, so the guest is judged against it through the leap. Nothing announces the
# leap to a guest; with "announced" somebody told the guest's kernel too, and both clocks make the same
# leap.
name="leap${1:+ $1}"
daemon_ensure
watch_start_told "leap$1" 10
sleep 1
host leap 12 # the host's clock is set to 12 s before midnight, and the guest follows
sleep 5
steps=$(grep -c 'clock stepped' "$results/daemon.log")
[ -z "$1" ] || labclock leap insert
from=$(raw_now)
offset_before=$(labclock offset)
sleep 11
offset_after=$(labclock offset)
watch_stop
labclock leap none
check "the guest's clock over the leap, besides a second back" "$(awk -v a="$offset_before" -v b="$offset_after" \
	'BEGIN { d = b - a + 1; printf "%.6f", d < 0 ? -d : d }')" s 0.01
if [ -z "$1" ]; then
	judge_jump "$from" "the leap second"
else
	# The two kernels leap at their next timer tick, some milliseconds from each other.
	wrong_s=$(awk -v from="$from" '$1 > from && ($2 > 1e6 || $2 < -1e6) { if (!first) first = $1; last = $1 }
		END { print first ? last - first + 0.01 : 0 }' "$samples")
	say "  = $name: lost 0 s; told after - s; < 1 ms after $wrong_s s; < 1 us after - s; status ok and wrong for $wrong_s s by -"
	check "the time that one clock had leapt and the other not" "$wrong_s" s 0.1
	check "steps of the daemon's" "$(($(grep -c 'clock stepped' "$results/daemon.log") - steps))" '' 0
	end_limit=1000
	[ "$(clocksource)" = kvm-clock ] || end_limit=20000 # brackets
	check "the error at the end" "$(tail -n 2 "$samples" | awk 'NR == 1 { print $2 < 0 ? -$2 : $2 }')" ns $end_limit
fi
