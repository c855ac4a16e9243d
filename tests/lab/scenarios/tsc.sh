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

watch_start tsc-lock 5 -b
sleep 0.5
daemon_start
sleep 8
watch_stop
evaluated lock "$samples" "$started" 20000
say "  error before the start: $before_ns ns"
check "start to |error| < 20 us on tsc" "$lock_s" s 0.5

watch_start tsc-steady 50 -b
from=$(raw_now)
sleep 20
watch_stop
evaluated steady "$samples" "$from" 0
say "  mean $mean_ns ns, largest $max_ns ns, the observer's widest bracket +/- $width_ns ns"
check "RMS error over 20 s on tsc" "$rms_ns" ns 5000

# The way to kvm-clock and back, under the running daemon. What brackets have left of the error shows at
# once: it may be as large as the daemon itself said just before, which depends on how fast the machine
# is, and not larger.
vmtime status --json >"$results/before-kvm.json" 2>&1
said_ns=$(json bound_ns "$results/before-kvm.json")
set_clocksource kvm-clock
watch_start tsc-to-kvm 50
sleep 12
watch_stop
evaluated steady "$samples" 0 0
say "  right after the change to kvm-clock: RMS $rms_ns ns, largest $max_ns ns"
check "largest error in 12 s after the change to kvm-clock, beside what was said" "$max_ns" ns "$said_ns"
vmtime sources -v >"$results/sources-kvm.txt" 2>&1
evaluated steady "$samples" "$(awk 'NR == 120 { print $1 }' "$samples")" 0
check "RMS error 6 s to 12 s after the change to kvm-clock" "$rms_ns" ns 1000

set_clocksource tsc
watch_start tsc-again 50 -b
sleep 12
watch_stop
evaluated steady "$samples" 0 0
vmtime status --json >"$results/status.json" 2>&1
check "largest error in 12 s after the change back to tsc, beside what is said and the observer's bracket" \
	"$max_ns" ns $(($(json bound_ns "$results/status.json") + width_ns))
vmtime sources -v >"$results/sources-tsc.txt" 2>&1
check_text "sources -v names the bracket as its method" "$results/sources-tsc.txt" 'bracket|basic'
check "jumps declared" "$(json jumps "$results/status.json")" '' 0
