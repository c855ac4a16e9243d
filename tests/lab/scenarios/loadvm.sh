# SPDX-License-Identifier: Apache-2.0
#
# loadvm - a snapshot of the running guest, loaded twice. Each time the guest goes on in the middle of its
# request for the snapshot, remembers nothing of what it did since, and is late by the time since then.
# The answer to the request tells which time it is.
name=loadvm
daemon_ensure
watch_start_told loadvm 10
sleep 1
from=$(raw_now)
host snapshot || { watch_stop; exit 0; }
case $reply in
*saved)
	sleep 4
	host load 1
	# Nobody comes here: the guest goes on above.
	say "FAIL loadvm: the snapshot was not loaded"
	watch_stop
	;;
*loaded*)
	time=${reply##* }
	sleep 3
	judge_jump "$from" "load no. $time"
	check_above "seconds lost since the snapshot" "$lost_s" s 4
	[ "$time" != 1 ] || { host load 3; say "FAIL loadvm: the snapshot was not loaded again"; }
	watch_stop
	;;
*)
	say "FAIL loadvm: the host answered \"$reply\""
	watch_stop
	;;
esac
