#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh BOOT OUT - one boot of the lab: the guests of boots/BOOT.boot, judged; logs and samples to OUT
#
# A line of a boot file is a guest: a label, then words of its kernel's command line (guest/init).
# Environment: VMTIMED, VMTIME, VMTIMED_STATIC (programs to put into the guest), LAB_DAEMON (chronyd:
# the same scenarios with another daemon, for comparison), LAB_SECONDS (hard limit, default 420).
#
# Exit status: 0 all passed, 1 something failed, 77 skipped, with the reason printed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

boot=$1
out=$2
vmtimed=${VMTIMED:-} vmtime=${VMTIME:-} vmtimed_static=${VMTIMED_STATIC:-}
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [[ -n ${LAB_DAEMON:-} ]]; then
	peers=yes
	lab_ready tools kernel qemu peers
	sed "s/\$/ lab.daemon=$LAB_DAEMON/" "$lab_dir/boots/$boot.boot" >"$out/plan"
else
	lab_ready
	cp "$lab_dir/boots/$boot.boot" "$out/plan"
fi
sed -i '/^#/d; / lab.daemon$/d' "$out/plan"
lab_boot "$out/plan" "${LAB_SECONDS:-420}"
