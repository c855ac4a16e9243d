# SPDX-License-Identifier: Apache-2.0
#
# hoststep [SECONDS...] - the host's own clock is stepped while the guest runs. The guest follows its host:
# what counts is the way to the stepped host.
name=hoststep
daemon_ensure
[ $# -gt 0 ] || set -- 1 -1 3600 -3600
for size in "$@"; do
	name="hoststep $size s"
	watch_start_told "hoststep$size" 10
	sleep 1
	from=$(raw_now)
	host step "$size"
	sleep 3
	watch_stop
	judge_jump "$from" "the host's step"
	check "what the guest found the step to be, besides" "$(awk -v lost="$lost_s" -v size="$size" \
		'BEGIN { d = lost - size; printf "%.6f", d < 0 ? -d : d }')" s 0.001
done
