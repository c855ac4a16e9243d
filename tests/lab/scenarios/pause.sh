# SPDX-License-Identifier: Apache-2.0
#
# pause - QMP stop, 10 s, cont. In the guest's time nothing passed; its clock is 10 s late.
name=pause
daemon_ensure
watch_start pause 10
sleep 1
from=$(raw_now)
host pause 10
sleep 4
watch_stop
evaluated jump "$samples" "$from" 1e6
say "  lost in the pause: $lost_s s; below 1 us after $below_1us_s s; worst afterwards $worst_after_ns ns"
check_above "seconds lost in the pause" "$lost_s" s 9.5
check "cont to |error| < 1 ms" "$repair_s" s 1.3
