# SPDX-License-Identifier: Apache-2.0
#
# tour - what `make run` shows: the daemon's start, its own view, a minute of work, a pause, a summary.
name=tour
run_seconds=${LAB_seconds:-60}

say ""
say "The configuration, $(printf /etc/vmtime/vmtime.conf):"
show "/lab/configs/$LAB_config.conf"
say ""
say "Starting vmtimed; an independent observer reads the host's clock beside it."
watch_start tour-lock 10
sleep 0.5
daemon_start
sleep 3
watch_stop
evaluated lock "$samples" "$started" 1000
first_error=$before_ns first_lock=$lock_s
say "  the clock was $(words "$first_error") $([ "${first_error#-}" = "$first_error" ] && echo ahead || echo behind) after boot, and right to 1 us $(seconds "$first_lock") after the start"

say ""
say "The host's clock now wanders as under NTP: another frequency every 8 s, 100 ppb. For $run_seconds s:"
host slew 8 100 42
watch_start tour-run 50
from=$(raw_now)
passed=0
while [ $passed -lt "$run_seconds" ]; do
	sleep 10
	passed=$((passed + 10))
	say "  $passed s: the guest's clock is $(tail -n 2 "$samples" | sed -n '1s/^[^ ]* \([^ ]*\) .*/\1/p') ns off"
done
watch_stop
evaluated steady "$samples" "$from" 0
run_rms=$rms_ns run_max=$max_ns

say ""
say "\$ vmtime sources"
vmtime sources >/tmp/said 2>&1
show /tmp/said
say ""
say "\$ vmtime tracking"
vmtime tracking >/tmp/said 2>&1
show /tmp/said

say ""
say "Now the guest is stopped by QMP for 10 s and goes on without knowing it."
watch_start tour-pause 10
sleep 1
from=$(raw_now)
host pause 10
sleep 4
watch_stop
host slew off
evaluated jump "$samples" "$from" 1e6
vmtime status >/tmp/said 2>&1
say ""
say "\$ vmtime status"
show /tmp/said

# The demonstration is also a test: it fails where what it shows is wrong.
say ""
check "RMS error" "$run_rms" ns 40
check_above "seconds lost in the pause" "$lost_s" s 9.5
check "cont to |error| < 1 ms" "$repair_s" s 1.3

say ""
say "What the observer saw, in a guest on an $([ "$LAB_accelerator" = kvm ] && echo "accelerated" || echo "emulated") machine:"
say ""
row() { say "$(printf '    %-38s %s' "$1" "$2")"; }
row "error after boot" "$(words "$first_error")"
emulated=
[ "$LAB_accelerator" = kvm ] || emulated=" (its first start on an emulated processor)"
row "from vmtimed's start to below 1 us" "$(seconds "$first_lock")$emulated"
row "RMS error over $run_seconds s" "$(words "$run_rms") (largest $(words "$run_max"))"
row "lost in the pause" "$(seconds "$lost_s")"
row "from its end to below 1 ms" "$(seconds "$repair_s")"
row "from its end to below 1 us" "$(seconds "$below_1us_s")"
