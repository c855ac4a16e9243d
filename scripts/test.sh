#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test.sh - everything that `make test` does
#
# Installs what is missing, builds, runs every suite from fast to slow, builds
# again with the sanitizers and runs the pure suites there, and closes with one
# line: N passed, N failed, N skipped.  A step that fails (install, configure,
# compile) counts as a failure, and so does a suite that is gone.
#
# Environment: BUILD (default build) is the directory to build in.
set -u
cd "$(dirname "$0")/.." || exit 1

build=${BUILD:-build}
asan=$build-asan
suites='unit sim fuzz arch system lab'
asan_suites='unit sim fuzz'

runs=$(mktemp) || exit 1
trap 'rm -f "$runs"' EXIT
trap 'exit 130' INT TERM HUP

began=$(date +%s)

headline() {
	echo
	echo "== $* ($(($(date +%s) - began)) s since the start)"
}

# Closes the run.  tally.py reads $runs: lines "step NAME" for each failed step,
# "suite LABEL STATUS LOG" for each suite that ran.
finish() {
	echo
	if ! command -v python3 >/dev/null; then
		sed -n 's/^step /failed: /p' "$runs"
		echo "0 passed, $(grep -c '^step ' "$runs") failed, 0 skipped"
		exit 1
	fi
	python3 scripts/tally.py "$runs"
	exit
}

# step NAME COMMAND... - runs it; a failure is counted and returned.
step() {
	name=$1
	shift
	headline "$name"
	"$@" </dev/null && return 0
	echo "step $name" >>"$runs"
	return 1
}

# Address sanitizers of gcc 12 and clang 14 crash at random where the kernel
# places mappings with 32 random bits; without randomization they are sound.
fixed_addresses() {
	if setarch -R true 2>/dev/null; then
		setarch -R "$@"
	else
		"$@"
	fi
}

# suite DIR LABEL SUITE [RUNNER] - runs one suite of DIR, if the tree has it.
suite() {
	log=$1/meson-logs/run-$3.json
	rm -f "$log"
	if ! meson introspect --tests "$1" | grep -q ":$3\""; then
		echo "step $2: the suite has no tests" >>"$runs"
		return
	fi
	headline "$2"
	${4-} meson test -C "$1" --no-rebuild --suite "$3" --logbase "run-$3" </dev/null
	echo "suite $2 $? $log" >>"$runs"
}

step "install build test" scripts/need.sh build test || finish
step "install lab" scripts/need.sh lab

export TARGETS='all meson-test-prereq'
step "build" scripts/build.sh "$build" -Dwerror=true || finish
# Where it cannot be had the tests that need it are skipped, and say so.
headline "chrony, without its service"
if chronyc=$(scripts/chronyc.sh "$build/chronyc" </dev/null); then
	export PATH="$PATH:$chronyc"
fi
headline "prometheus, without its service"
if prometheus=$(scripts/prometheus.sh "$build/prometheus" </dev/null); then
	export PATH="$PATH:$prometheus"
fi
for s in $suites; do
	suite "$build" "$s" "$s"
done

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if step "build with sanitizers" scripts/build.sh "$asan" -Dwerror=true \
	-Db_sanitize=address,undefined; then
	for s in $asan_suites; do
		suite "$asan" "$s/sanitized" "$s" fixed_addresses
	done
fi
finish
