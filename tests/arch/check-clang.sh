#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-clang.sh BUILD - does clang have anything to say that gcc has not?
#
# Gives each source of BUILD/compile_commands.json to clang, with the project's
# own flags and every warning an error.  Skips where there is no clang.
set -eu

build=${1:?usage: check-clang.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
[ -s "$build/compile_commands.json" ] ||
	{ echo "check-clang: no compile_commands.json in $build" >&2; exit 1; }
if ! command -v clang >/dev/null; then
	echo "skip: clang is not installed"
	exit 77
fi

exec python3 "$here/clang-syntax.py" "$build/compile_commands.json"
