# SPDX-License-Identifier: Apache-2.0
#
# restore [SECONDS] - the guest's state is saved to a file, and 20 s later another QEMU goes on from it.
length=${1:-20}
name="restore $length s"
daemon_ensure
watch_start_told restore 10
sleep 1
from=$(raw_now)
host restore "$length"
sleep 3
watch_stop
judge_jump "$from" "cont"
check_above "seconds lost between save and restore" "$lost_s" s "$length"
# What proves a restore is the marker that changed, not the readings alone: the daemon goes on in the middle
# of what it did and remembers the one before. The VM's generation id changes as well, but Linux tells
# programs of that in an event of its own (NEW_VMGENID) in some distributions' kernels only.
if [ -e /dev/vmclock0 ] && [ "$LAB_daemon" = vmtimed ]; then
	vmtime events -v -n 1 >"$results/restore.events"
	check_text "the event names the marker" "$results/restore.events" 'Evidence.*marker'
	check_text "and so its cause" "$results/restore.events" 'restored or migrated'
	grep -q 'Evidence.*generation' "$results/restore.events" ||
		say "  this kernel sent no event about the VM's generation"
fi
