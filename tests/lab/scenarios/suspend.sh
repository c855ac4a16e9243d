# SPDX-License-Identifier: Apache-2.0
#
# suspend [SECONDS] - the guest suspends itself to RAM (ACPI S3), the host wakes it 5 s later.
#
# The kernel sets CLOCK_REALTIME forward by itself when it wakes, here by the clocksource, which ran on;
# MONOTONIC and MONOTONIC_RAW stood still. So a daemon sees its reference leap and its clock leap with it:
# there is little to repair, and nothing to be stepped by 5 s.
#
# The driver of the virtio port does not survive S3 in this machine (requests written after it never reach
# the host), so it is taken away before and brought back after.
length=${1:-5}
name="suspend $length s"
driver=/sys/bus/virtio/drivers/virtio_console
if ! grep -qw mem /sys/power/state || ! grep -qw deep /sys/power/mem_sleep; then
	say "SKIP suspend: this guest's kernel has no suspend to RAM: $(cat /sys/power/state), $(cat /sys/power/mem_sleep)"
	exit 0
fi
daemon_ensure
watch_start_told suspend 10
sleep 1
host suspend "$length"
boottime_before=$(cut -d ' ' -f 1 /proc/uptime)
exec 3>&-
device=$(basename "$driver"/virtio*)
echo "$device" >$driver/unbind
from=$(raw_now)
echo mem >/sys/power/state
slept=$?
woke=$(raw_now)
boottime_after=$(cut -d ' ' -f 1 /proc/uptime)
echo "$device" >$driver/bind
sleep 3
watch_stop
exec 3<>"$(port lab.ctl)"
: >/run/lab.line-is-new
[ $slept = 0 ] || { say "FAIL $name: the kernel refused to suspend"; exit 0; }
check_above "BOOTTIME went on meanwhile, by" "$(awk -v a="$boottime_before" -v b="$boottime_after" 'BEGIN { print b - a }')" s "$length"
check "MONOTONIC_RAW stood still, but for" "$(awk -v a="$from" -v b="$woke" 'BEGIN { print b - a }')" s 2
evaluated steady "$samples" "$from" 0
say "  the largest error from the suspension on: $max_ns ns"
evaluated lock "$samples" "$from" 1e6
check "the suspension, without the sleep, to |error| < 1 ms" "$lock_s" s 2
largest_ns=$max_ns
after_s=$lock_s
evaluated status "$samples" "$from" 0 "$told"
say "  $replies_n replies, $ok of them ok, worst error with one of these $(words "$worst_ok_ns")"
say "  = $name: lost $(awk -v ns="$largest_ns" 'BEGIN { print ns / 1e9 }') s; told after - s; < 1 ms after $after_s s; < 1 us after - s; status ok and wrong for - s by $(words "$worst_ok_ns")"
