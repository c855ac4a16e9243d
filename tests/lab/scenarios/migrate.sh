# SPDX-License-Identifier: Apache-2.0
#
# migrate [DOWNTIME_LIMIT_MS] - the running guest moves to another QEMU on the same host (pre-copy) while
# a program in it writes to its memory without a pause. Its clocks stand still for the downtime, which
# QEMU tells, so that is what must be lost, and what must be found again.
name=migrate
daemon_ensure
(while :; do dd if=/dev/urandom of=/tmp/load bs=64k count=64 2>/dev/null; done) &
load=$!
watch_start_told migrate 10
sleep 2
from=$(raw_now)
host migrate "${1:-300}"
downtime_ms=${reply#*downtime_ms=}
sleep 3
watch_stop
kill $load
say "  QEMU's downtime $downtime_ms ms"
judge_jump "$from" "the migration"
