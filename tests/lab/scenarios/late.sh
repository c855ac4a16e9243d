# SPDX-License-Identifier: Apache-2.0
#
# late - the host's clock is not there when the daemon starts, appears 10 s later, vanishes while it is
# followed, and comes back.
name=late
watched=/dev/ptp0 # the first that there will be
[ -z "$(kvm_ptp)" ] || { say "FAIL late: ptp_kvm is there already"; exit 0; }
daemon_start
sleep 3
vmtime status >"$results/late-without.txt" 2>&1
check_text "without a source, status says what is missing" "$results/late-without.txt" 'ptp_kvm|no PTP clock|not been compared'
sleep 7
watch_start late 10
appeared=$(raw_now)
insmod /lab/modules/ptp_kvm.ko
sleep 5
watch_stop
evaluated lock "$samples" "$appeared" 1000
check "the device's appearance to |error| < 1 us" "$lock_s" s 3

rmmod ptp_kvm
sleep 12
vmtime status >"$results/late-vanished.txt" 2>&1
check_text "the device gone: status is holdover" "$results/late-vanished.txt" 'no source answers|holdover'
check_text "the device gone: status says why" "$results/late-vanished.txt" 'ptp_kvm|no PTP clock|no such'
daemon_runs && say "PASS late: the daemon lives on without its device" ||
	say "FAIL late: the daemon ended: $(tail -n 1 "$results/daemon.log")"

watch_start late-back 10
appeared=$(raw_now)
insmod /lab/modules/ptp_kvm.ko
sleep 5
watch_stop
evaluated lock "$samples" "$appeared" 1000
check "the device's return to |error| < 1 us" "$lock_s" s 3
