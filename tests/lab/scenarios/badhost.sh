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
evaluated lock "$samples" "$back" 1000
check "the host's return to tsc to |error| < 1 us" "$lock_s" s 5
vmtime status --json >"$results/badhost-back.json" 2>&1
check_text "status is ok again" "$results/badhost-back.json" '"state": *"ok"'
