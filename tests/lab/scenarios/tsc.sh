# SPDX-License-Identifier: Apache-2.0
#
# tsc - a guest on clocksource=tsc has no precise cross-timestamp: the daemon must make brackets of its
# own, lock by them, and survive a change of the clocksource while it runs, in both directions.
#
# What brackets can tell is limited by their width, and that by what an emulated machine needs for one
# hypercall. The observer has the same limit: its own half-width is allowed on top.
name=tsc
set_clocksource tsc
[ "$(clocksource)" = tsc ] || { say "FAIL tsc: the kernel refuses the clocksource tsc"; exit 0; }

watch_start tsc-lock 5
sleep 0.5
daemon_start
sleep 4
watch_stop
evaluated lock "$samples" "$started" 20000
say "  error before the start: $before_ns ns"
check "start to |error| < 20 us on tsc" "$lock_s" s 0.5

watch_start tsc-steady 50
from=$(raw_now)
sleep 12
watch_stop
evaluated steady "$samples" "$from" 0
say "  mean $mean_ns ns, largest $max_ns ns, the observer's widest bracket +/- $width_ns ns"
check "RMS error over 12 s on tsc" "$rms_ns" ns 5000

# The way to kvm-clock and back, under the running daemon. The kernel reads the old counter and then the
# new one: what passes in between, 10 to 30 us in an emulated machine, its clock never sees.
changed=$(raw_now)
set_clocksource kvm-clock
watch_start tsc-to-kvm 50
sleep 12
watch_stop
evaluated steady "$samples" 0 0
check "largest error after the change to kvm-clock" "$max_ns" ns 100000
evaluated lock "$samples" "$changed" 1000
check "the change to kvm-clock to |error| < 1 us" "$lock_s" s 3
evaluated steady "$samples" "$(awk 'NR == 120 { print $1 }' "$samples")" 0
check "RMS error 6 s to 12 s after the change to kvm-clock" "$rms_ns" ns 1000

set_clocksource tsc
watch_start tsc-again 50
sleep 12
watch_stop
evaluated steady "$samples" 0 0
check "largest error in 12 s after the change back to tsc" "$max_ns" ns 100000
vmtime sources -v >"$results/sources-tsc.txt" 2>&1
check_text "sources -v names the bracket as its method" "$results/sources-tsc.txt" 'bracket|basic'
vmtime status --json >"$results/status.json" 2>&1
check "jumps declared" "$(json jumps "$results/status.json")" '' 0
