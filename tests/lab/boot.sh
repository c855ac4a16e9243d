#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh BOOT OUT [SECONDS] - one boot of the lab: the guests of boots/BOOT.boot, judged
#
# Logs and samples go to OUT. After SECONDS (default 420) the lab is ended, and the test has failed.
# A line of a boot file is a guest: a label, then words of its kernel's command line (guest/init).
# Environment: VMTIMED, VMTIME, VMTIMED_STATIC (programs to put into the guest), VMTIME_HOSTD (into the
# host, where a guest of the boot says lab.hostd=yes), LAB_DAEMON (chronyd:
# the same scenarios with another daemon, for comparison).
#
# Exit status: 0 all passed, 1 something failed, 77 skipped, with the reason printed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

boot=$1
out=$2
vmtimed=${VMTIMED:-} vmtime=${VMTIME:-} vmtimed_static= hostd=
! grep -q 'lab.hostd=yes' "$lab_dir/boots/$boot.boot" || hostd=${VMTIME_HOSTD:-}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# The static daemon goes alone: it is built when a guest of this boot asks for it, and nothing else is taken.
if grep -q 'lab.daemon=vmtimed-static' "$lab_dir/boots/$boot.boot"; then
	top=$(cd "$lab_dir/../.." && pwd)
	vmtimed_static=${VMTIMED_STATIC:-$top/$("$top/scripts/static.sh")} || exit
	vmtimed='' vmtime=''
fi
# A Debian guest's files, as they are installed and as `vmtime fix` leaves them.
if grep -q 'lab.scenarios=fixed' "$lab_dir/boots/$boot.boot"; then
	trees=$out/trees peers=yes
	rm -rf "$trees"
	mkdir -p "$trees"
	python3 "$lab_dir/../audit/tree.py" debian-12-guest "$trees/before"
	cp -a "$trees/before" "$trees/after"
	"$vmtime" fix --root "$trees/after" --yes --prefer chrony >"$out/fix.log" 2>&1 ||
		{ cat "$out/fix.log"; exit 1; }
fi
if [[ -n ${LAB_DAEMON:-}${trees:-} ]]; then
	peers=yes
	lab_ready tools kernel qemu peers
else
	lab_ready
fi
[[ -n $hostd ]] || without='s/ lab\.hostd=yes//'
sed "/^#/d; ${without:-}; s/\$/${LAB_DAEMON:+ lab.daemon=$LAB_DAEMON}/" "$lab_dir/boots/$boot.boot" >"$out/plan"
lab_boot "$out/plan" "${3:-420}"
