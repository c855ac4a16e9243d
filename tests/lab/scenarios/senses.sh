# SPDX-License-Identifier: Apache-2.0
#
# senses [SECONDS] - a restore is told by more than the readings: vmclock's marker changed, and the daemon, which
# goes on in the middle of what it did, remembers the one before. The VM's generation id changes as well, but
# Linux tells programs of that in an event of its own (NEW_VMGENID) in some distributions' kernels only.
length=${1:-3}
name=senses
daemon_ensure
vmtime status --json >"$results/senses.json"
check_text "the kernel's events are heard" "$results/senses.json" '"hears_generation": *true'
check_text "setting the clock is seen" "$results/senses.json" '"sees_clock_set": *true'
check_text "sleep is seen" "$results/senses.json" '"sees_sleep": *true'
if [ -e /dev/vmclock0 ]; then
	check_text "the page is watched" "$results/senses.json" '"vmclock": *"marker'
	host restore "$length"
	sleep 3
	vmtime events -v -n 1 >"$results/senses.events"
	check_text "the event names the marker" "$results/senses.events" 'Evidence.*marker'
	check_text "and so its cause" "$results/senses.events" 'restored or migrated'
	grep -q 'Evidence.*generation' "$results/senses.events" ||
		say "  this kernel sent no event about the VM's generation"
else
	say "  this guest has no vmclock"
fi
