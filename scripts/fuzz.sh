#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh [NAME...] - fuzz the parsers for longer than a test may take
#
# Builds the fuzzers with clang in build-fuzz and runs each (or the named
# ones) for FUZZ_SECONDS, default 60, starting from its corpus in tests/fuzz.
# New inputs that reach new code stay in build-fuzz/found/NAME; an input that
# breaks a parser is left there too, and its path is printed.
set -eu
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
dir=build-fuzz

fixed=
if setarch -R true 2>/dev/null; then
	fixed='setarch -R'
fi

CC=clang scripts/build.sh $dir -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

fuzzers=
for fuzzer in $dir/tests/fuzz/fuzz_*; do
	if [ -f "$fuzzer" ] && [ -x "$fuzzer" ]; then
		fuzzers="$fuzzers ${fuzzer##*/fuzz_}"
	fi
done
[ -n "$fuzzers" ] || { echo "fuzz: no fuzzers were built" >&2; exit 1; }

broken=
for name in ${*:-$fuzzers}; do
	echo "== fuzz $name for $seconds s"
	mkdir -p "$dir/found/$name"
	words=
	if [ -f "tests/fuzz/$name.dict" ]; then
		words=-dict=tests/fuzz/$name.dict
	fi
	$fixed "$dir/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$dir/found/$name-" -print_final_stats=1 $words \
		"$dir/found/$name" "tests/fuzz/corpus/$name" || broken="$broken $name"
done
if [ -n "$broken" ]; then
	echo "fuzz: broken:$broken"
	exit 1
fi
echo "fuzz: nothing broke:$fuzzers"
