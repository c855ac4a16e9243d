# SPDX-License-Identifier: Apache-2.0
#
# senses - what could tell the daemon of a restore besides the readings, before restore.sh makes one.
name=senses
daemon_ensure
vmtime status --json >"$results/senses.json"
check_text "the kernel's events are heard" "$results/senses.json" '"hears_generation": *true'
check_text "setting the clock is seen" "$results/senses.json" '"sees_clock_set": *true'
check_text "sleep is seen" "$results/senses.json" '"sees_sleep": *true'
if [ -e /dev/vmclock0 ]; then
	check_text "the page is watched" "$results/senses.json" '"vmclock": *"marker'
else
	say "  this guest has no vmclock"
fi
