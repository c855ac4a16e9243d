# SPDX-License-Identifier: Apache-2.0
#
# badhost - the host leaves its TSC clocksource, as a host to which a guest was migrated may never have
# had one: the pairing hypercall is refused (EOPNOTSUPP) although the device stays.
name=badhost
daemon_ensure
watch_start badhost 50
host clocksource acpi_pm || { watch_stop; exit 0; }
from=$(raw_now)
sleep 12
evaluated failures "$samples" "$from" 0
check_above "samples that the host refused, seen by the observer" "$failed" '' 1
vmtime status >"$results/badhost.txt" 2>&1
vmtime status --json >"$results/badhost.json" 2>&1
check_text "status is holdover" "$results/badhost.json" '"state": *"holdover"'
check_text "status names the host" "$results/badhost.txt" "host's own clocksource|host refuses"
host clocksource tsc
back=$(raw_now)
sleep 8
watch_stop
# The host's own clock moves by some 10 us at the change, and again by as much some four seconds later;
# the guest follows that within a second. So it is judged by 100 us at once, by 1 us at some time after.
evaluated lock "$samples" "$back" 100000
check "the host's return to tsc to |error| < 100 us" "$lock_s" s 3
best_ns=$(awk -v back="$back" '$1 > back && $2 ~ /^-?[0-9]+$/ { e = $2 < 0 ? -$2 : $2; if (best == "" || e < best) best = e }
	END { print best }' "$samples")
check "the smallest error after the host's return" "$best_ns" ns 1000
vmtime status --json >"$results/badhost-back.json" 2>&1
check_text "status is ok again" "$results/badhost-back.json" '"state": *"ok"'
