# SPDX-License-Identifier: Apache-2.0
#
# steady [SECONDS] - a minute under a host whose clock wanders as under NTP: a new frequency every 8 s.
length=${1:-60}
name=steady
daemon_ensure
host slew 8 100 42
sleep 8
watch_start steady 50
from=$(raw_now)
sleep "$length"
watch_stop
host slew off
evaluated steady "$samples" "$from" 0
say "  mean $mean_ns ns, largest $max_ns ns, $used samples"
check "RMS error over $length s" "$rms_ns" ns 40
