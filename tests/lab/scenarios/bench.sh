# SPDX-License-Identifier: Apache-2.0
#
# bench - the figures that are compared with other daemons; FIGURE lines are read by bench.sh
name=bench
figure() { say "FIGURE $LAB_label $1 $2"; }

# What any other process of an ordinary guest would have mapped.
mapped /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libm.so.6 &

# Twice, as in boot-lock: the emulated machine's cost of a first start, then the daemon's own. Both get
# 30 s; what did not happen by then is "never".
watch_start bench-first 10
sleep 0.5
daemon_start
sleep 30
watch_stop
evaluated lock "$samples" "$started" 1000
figure before_ns "$before_ns"
figure first_lock_s "$lock_s"
daemon_stop

date -s "@$(($(date +%s) - 1))" >/dev/null
watch_start bench-lock 10
sleep 0.5
daemon_start
sleep 30
watch_stop
evaluated lock "$samples" "$started" 1000
figure lock_s "$lock_s"
evaluated lock "$samples" "$started" 1e6
figure lock_1ms_s "$lock_s"

# The memory a minute after the start, while nothing else happened.
sleep 30
figure private_dirty_kb "$(awk '/^Private_Dirty/ { print $2 }' "/proc/$(daemon_pid)/smaps_rollup")"
figure private_kb "$(awk '/^Private_(Dirty|Clean)/ { n += $2 } END { print n }' "/proc/$(daemon_pid)/smaps_rollup")"
figure rss_kb "$(awk '/^Rss/ { print $2 }' "/proc/$(daemon_pid)/smaps_rollup")"

host slew 8 100 42
sleep 20
watch_start bench-steady 50
from=$(raw_now)
sleep 60
watch_stop
host slew off
evaluated steady "$samples" "$from" 0
figure rms_ns "$rms_ns"
figure max_ns "$max_ns"

watch_start bench-pause 10
sleep 1
from=$(raw_now)
host pause 10
sleep 25
watch_stop
evaluated jump "$samples" "$from" 1e6
figure lost_s "$lost_s"
figure repair_s "$repair_s"
figure end_ns "$end_ns"
