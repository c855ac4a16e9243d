# SPDX-License-Identifier: Apache-2.0
#
# senses [SECONDS] - a restore is told by more than the readings: vmclock's marker and, where the kernel sends
# its event, the VM generation. The daemon has both from before it, because it goes on in the middle of it.
length=${1:-3}
name=senses
daemon_ensure
vmtime status --json >"$results/senses.json"
if [ -e /dev/vmclock0 ]; then
	check_text "the page is watched" "$results/senses.json" '"vmclock": *"marker'
else
	say "note senses: this guest has no vmclock"
fi
check_text "the kernel's event is waited for" "$results/senses.json" '"hears_generation": *true'
from=$(raw_now)
watch_start_told senses 10
sleep 1
host restore "$length"
sleep 3
watch_stop
judge_jump "$from" "restore"
vmtime events -v -n 1 >"$results/senses.events"
show "$results/senses.events"
vmtime events -n 1 --json >"$results/senses.last"
[ ! -e /dev/vmclock0 ] || check_text "the event names the marker" "$results/senses.last" '"marker"'
check_text "the event names the generation" "$results/senses.last" '"generation"'
