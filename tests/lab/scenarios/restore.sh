# SPDX-License-Identifier: Apache-2.0
#
# restore - the guest's state is saved to a file, and 20 s later another QEMU goes on from it.
name=restore
daemon_ensure
watch_start restore 10
sleep 1
from=$(raw_now)
host restore 20
sleep 4
watch_stop
evaluated jump "$samples" "$from" 1e6
say "  lost in between: $lost_s s; below 1 us after $below_1us_s s; worst afterwards $worst_after_ns ns"
check_above "seconds lost between save and restore" "$lost_s" s 19.5
check "cont to |error| < 1 ms" "$repair_s" s 1.3
