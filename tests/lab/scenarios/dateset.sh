# SPDX-License-Identifier: Apache-2.0
#
# dateset [SECONDS...] - somebody sets the guest's clock by hand. The daemon repairs that, but only once a
# minute: who does it again must have a reason, and until then the daemon leaves the clock alone and says
# how wrong it is. The kernel tells the daemon at once, so it may be over before a sample has seen it.
name=dateset
daemon_ensure
[ $# -gt 0 ] || set -- -5
for size in "$@"; do
	name="date -s, $size s"
	watch_start_told "dateset$size" 2
	sleep 1
	from=$(raw_now)
	date -s "@$(($(date +%s) + size))" >/dev/null || say "FAIL $name: date could not set it"
	sleep 3
	watch_stop
	judge_jump "$from" "date -s"
done
