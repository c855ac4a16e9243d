#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [--shell] - show in two minutes what vmtime does for a guest
#
# Boots a KVM host and a guest in it, starts vmtimed there with one line of configuration, lets it
# work under a host whose clock wanders, stops the guest for 10 s, and sums up what an independent
# observer saw. With --shell the guest stays, with its console on this terminal.
#
# Environment: BUILD (default build), where vmtimed and vmtime were built.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

top=$(cd "$lab_dir/../.." && pwd)
build=$top/${BUILD:-build}
[[ ${BUILD:-} != /* ]] || build=$BUILD
vmtimed=$build/src/guestd/vmtimed vmtime=$build/src/cli/vmtime vmtimed_static=''
out=$build/lab-run
seconds=170

for program in "$vmtimed" "$vmtime"; do
	[[ -x $program ]] || { echo "run: $program is missing: build first (make build)" >&2; exit 1; }
done
mkdir -p "$out"
lab_ready

case ${1:-} in
--shell)
	[[ -t 0 ]] || { echo "run: --shell needs a terminal" >&2; exit 1; }
	echo 'tour lab.config=line lab.scenarios=welcome lab.shell=yes' >"$out/plan"
	lab_say "a shell in the guest will be here in half a minute; \`exit\` or Ctrl-A X ends the lab"
	lab_shell "$out/plan"
	;;
'')
	echo 'tour lab.config=line lab.scenarios=tour' >"$out/plan"
	# That no clock went back is worth a word only if one did.
	lab_boot "$out/plan" "$seconds" | grep --line-buffered -Ev '^(END|GUEST) |^PASS .*: monotonic clocks'
	;;
*)
	echo "usage: run.sh [--shell]" >&2
	exit 2
	;;
esac
