#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-headers.sh ROOT BUILD - does every header compile alone?
#
# Each header below src/, include/ and sim/ of ROOT is included twice by an otherwise
# empty file, which must compile as C17 without a warning: with gcc, and with
# clang where there is one.  The public ones must also do as C++, by clang.  The
# feature macros (-D_..._SOURCE) are those that BUILD compiles the sources with.
set -eu

[ $# -eq 2 ] || { echo "usage: check-headers.sh ROOT BUILD" >&2; exit 1; }
cd "$1"
commands=$2/compile_commands.json
[ -s "$commands" ] || { echo "check-headers: no $commands" >&2; exit 1; }
macros=$(grep -o -e '-D_[A-Z]*_SOURCE[=0-9]*' "$commands" | grep -v FORTIFY | sort -u)

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
bad=0
seen=0

# compile HEADER COMPILER... - one compilation, with all that stays the same
compile() {
	header=$1
	shift
	name=${header#src/}
	name=${name#include/}
	if ! printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
		"$@" $macros -Wall -Wextra -Werror -Isrc -Iinclude -I. -fsyntax-only - \
			>"$errors" 2>&1; then
		echo "$header does not compile alone: $*"
		cat "$errors"
		bad=1
	fi
}

clang=$(command -v clang || true)
folders=src
for extra in include sim; do
	[ ! -d $extra ] || folders="$folders $extra"
done
for header in $(find $folders -name '*.h' | LC_ALL=C sort); do
	seen=$((seen + 1))
	compile "$header" gcc -std=c17 -x c
	[ -z "$clang" ] || compile "$header" clang -std=c17 -x c
	case $clang$header in
	?*include/*) compile "$header" clang -x c++ ;;
	esac
done

[ $seen -gt 0 ] || { echo "check-headers: no headers in $1" >&2; exit 1; }
echo "$seen headers"
exit $bad
