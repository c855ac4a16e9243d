# SPDX-License-Identifier: Apache-2.0
#
# boot-lock - from the daemon's start, in a guest that booted with the RTC's whole seconds, to less than
# 1 us of error that stays there.
name=boot-lock
watch_start boot-lock 2
sleep 0.5
daemon_start
sleep 4
watch_stop
evaluated lock "$samples" "$started" 1000
say "  error before the start: $before_ns ns"
check "start to |error| < 1 us" "$lock_s" s 0.1
