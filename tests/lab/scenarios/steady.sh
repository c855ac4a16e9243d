# SPDX-License-Identifier: Apache-2.0
#
# steady - a minute under a host whose clock wanders as under NTP: a new frequency every 8 s.
name=steady
daemon_ensure
host slew 8 100 42
sleep 10
watch_start steady 50
from=$(raw_now)
sleep 60
watch_stop
host slew off
evaluated steady "$samples" "$from" 0
say "  mean $mean_ns ns, largest $max_ns ns, $used samples"
check "RMS error over 60 s" "$rms_ns" ns 150
