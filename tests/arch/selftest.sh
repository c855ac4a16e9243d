#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# selftest.sh - can the checks of this folder fail?
#
# Builds a small tree that is right, on which each check must pass, and breaks it
# in one way after the other: each time the check must fail and say why.
set -u

here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree
failures=0
cases=0

spdx='/* SPDX-License-Identifier: Apache-2.0 */'

# put FILE LINE... - writes a file of the tree, with its SPDX line
put() {
	mkdir -p "$(dirname "$tree/$1")"
	{ echo "$spdx" && shift && printf '%s\n' "$@"; } >"$tree/$1"
}

fresh_tree() {
	rm -rf "$tree"
	put src/base/units.h '#ifndef UNITS_H' '#define UNITS_H' 'int half(int n);' '#endif'
	put src/base/units.c '#include "base/units.h"' \
		'int half(int n)' '{' '	return n / 2;' '}'
	put src/core/bound.h '#include <math.h>' '#include "base/units.h"' 'double root(int n);'
	put src/core/bound.c '#include "core/bound.h"' \
		'static const char *const names[] = { "a", "b" };' \
		'double root(int n)' '{' '	return sqrt(half(n)) + names[n & 1][0];' '}'
	put src/os/clock.c '#include <unistd.h>' '#include "core/clock_port.h"' \
		'#ifdef __linux__' 'int os_clock;' '#endif'
	put src/proto/control.c '#include <jansson.h>'
	put src/loop/loop.c '#include <ev.h>' '#include "base/log.h"'
	put src/guestd/main.c '#include "loop/loop.h"' '#include "os/clock.h"' '#include "proto/control.h"'
	put sim/clock.c '#include "core/bound.h"'
	put include/vmtime/clock.h '#ifndef CLOCK_H' '#define CLOCK_H' \
		'#ifdef __cplusplus' 'extern "C" {' '#endif' 'int read_clock(void);' \
		'#ifdef __cplusplus' '}' '#endif' '#endif'
	printf 'a tree TO''DO(#12)\n' >"$tree/README.md"
}

# archive NAME FILE... - compiles sources of the tree into an archive
archive() {
	name=$1
	shift
	for source in "$@"; do
		gcc -std=c17 -O1 -fPIC -I"$tree/src" -c "$tree/$source" \
			-o "$dir/$(basename "$source" .c).o" || exit 1
		ar rc "$dir/$name" "$dir/$(basename "$source" .c).o"
	done
}

commands() {
	echo "[{\"directory\": \"$tree\", \"file\": \"src/core/bound.c\", \"command\":
		\"cc -std=c17 -Wall -D_GNU_SOURCE -Isrc -MD -MQ x -MF y -o x -c src/core/bound.c\"}]" \
		>"$dir/compile_commands.json"
}

run_check() {
	case $1 in
	layers | words) "$here/check-$1.sh" "$tree" ;;
	docs) "$here/check-docs.sh" "$tree" "$dir/vmtimed" ;;
	headers) commands && "$here/check-headers.sh" "$tree" "$dir" ;;
	clang) commands && "$here/check-clang.sh" "$dir" ;;
	purity)
		rm -f "$dir"/*.a
		archive base.a src/base/units.c
		archive core.a src/core/bound.c
		"$here/check-purity.sh" "$here/pure-symbols.txt" "$dir/base.a" "$dir/core.a"
		;;
	esac
}

# good CHECK - the check passes
good() {
	cases=$((cases + 1))
	run_check "$1" >"$dir/out" 2>&1 && return
	echo "$1: fails on a good tree:"
	cat "$dir/out"
	failures=$((failures + 1))
}

# bad CHECK EXPECTED - the check fails, says EXPECTED, and the tree is made good again
bad() {
	cases=$((cases + 1))
	if run_check "$1" >"$dir/out" 2>&1; then
		echo "$1: passes, expected: $2"
		failures=$((failures + 1))
	elif ! grep -qF "$2" "$dir/out"; then
		echo "$1: expected: $2, said:"
		cat "$dir/out"
		failures=$((failures + 1))
	fi
	fresh_tree
}

# body N - a function of N lines between its braces
body() {
	put src/core/long.c 'int f(void)' '{' "$(yes ';' | head -n $(($1 - 1)))" '	return 0;' '}'
}

test_layers() {
	good layers
	put src/core/bound.c '#include "os/clock.h"'
	bad layers 'src/core/bound.c:2: core must not include "os/clock.h"'
	put src/guestd/main.c '#include "cli/table.h"'
	bad layers 'guestd must not include "cli/table.h"'
	put src/hostd/main.c '#include "core/servo.h"'
	bad layers 'hostd must not include "core/servo.h"'
	put src/hostd/main.c '#include "core/bound.h"'
	good layers
	put src/os/clock.c '#include "core/bound.h"'
	bad layers 'os must not include "core/bound.h"'
	put src/core/bound.c '#include "bound.h"'
	bad layers 'includes are written from src/'
	put src/core/bound.c '#include "nowhere/x.h"'
	bad layers 'no layer of that name'
	put src/misc/x.c 'int x;'
	bad layers '"misc" is not in the table'
	put src/stray.c 'int x;'
	bad layers 'is not in the table'
	put include/vmtime/clock.h '#include "base/units.h"'
	bad layers 'vmtime must not include "base/units.h"'
	put src/core/bound.c '#include <vmtime/clock.h>'
	bad layers 'core must not include "vmtime/clock.h"'
	put src/cli/main.c '#include <jansson.h>'
	bad layers 'cli must not include <jansson.h>'
	put src/guestd/turn.c '#include <ev.h>'
	bad layers 'guestd must not include <ev.h>'
	put src/os/loop.c '#  include <libev/ev.h>'
	bad layers 'os must not include <libev/ev.h>'
	put src/wire/file.c '#include <fcntl.h>'
	bad layers 'wire must not include <fcntl.h>'
	put src/core/bound.c '#ifdef __linux__' '#endif'
	bad layers 'src/core/bound.c:2: conditional compilation'
	put src/core/bound.c '#if LINUX_VERSION > 5' '#endif'
	bad layers 'conditional compilation'
	put src/core/late.h 'int x;' '#ifndef A' 'int y;' '#endif'
	bad layers 'conditional compilation'
	body 60
	good layers
	body 61
	bad layers 'function of 61 lines'
	put src/core/long.h "$(yes '/* */' | head -n 600)"
	bad layers 'longer than 600 lines'
	rm -rf "$tree/src"
	bad layers 'no src'
}

test_purity() {
	good purity
	put src/core/bound.c '#include <time.h>' 'long now(void)' '{' '	return time(0);' '}'
	bad purity 'bound.o: must not use time'
	put src/core/bound.c '#include <stdlib.h>' 'void *get(void)' '{' '	return malloc(9);' '}'
	bad purity 'must not use malloc'
	put src/base/units.c '#include <stdio.h>' 'int half(int n)' '{' '	return puts("x") + n;' '}'
	bad purity 'base units.o: must not use puts'
	put src/core/bound.c 'int count(void)' '{' '	static int n;' '	return n++;' '}'
	bad purity 'keeps state in .bss'
	put src/core/bound.c 'int last = 7;' 'int count(void)' '{' '	return last++;' '}'
	bad purity 'keeps state in .data'

	cases=$((cases + 1))
	if "$here/check-purity.sh" "$here/pure-symbols.txt" "$dir/base.a" "$dir/gone.a" 2>/dev/null; then
		echo "purity: passes without the archive"
		failures=$((failures + 1))
	fi
}

test_headers() {
	good headers
	put src/core/bound.h 'size_t f(void);'
	bad headers 'src/core/bound.h does not compile alone: gcc'
	put src/core/bound.h 'static int f(void) { return 0; }'
	bad headers 'does not compile alone'
	put src/core/bound.h 'struct twice { int x; };'
	bad headers 'redefinition'
	rm -rf "$tree"/src/*/*.h "$tree/include"
	bad headers 'no headers'
	if command -v clang >/dev/null; then
		put include/vmtime/clock.h '#ifndef X' '#define X' 'int new(int class);' '#endif'
		bad headers 'clang -x c++'
	fi
}

test_clang() {
	if ! command -v clang >/dev/null; then
		echo "clang: not installed, its check is not tested"
		return
	fi
	good clang
	put src/core/bound.c 'int f(int x)' '{' '	return (x = x), x;' '}'
	bad clang 'explicitly assigning value'
	put src/core/bound.c 'not C'
	bad clang 'error'
}

test_words() {
	good words
	echo "see deb.""debian.org" >"$tree/README.md"
	bad words 'archive or registry by name: README.md:1'
	echo "see https://py""pi.org/x" >"$tree/README.md"
	bad words 'archive or registry by name'
	echo "in ..""/shared/x" >"$tree/README.md"
	bad words 'path of a workplace'
	echo "in /""work/x" >"$tree/README.md"
	bad words 'path of a workplace'
	put src/core/bound.c '/* TO''DO: later */'
	bad words 'note without an issue number: src/core/bound.c:2'
	echo 'int x;' >"$tree/src/core/bound.c"
	bad words 'no SPDX line: src/core/bound.c'
	printf '#!/bin/sh\ntrue\n' >"$tree/tool"
	bad words 'no SPDX line: tool'
}

# document LINE... - the only document of the tree
document() {
	mkdir -p "$tree/docs"
	printf '%s\n' "$@" >"$tree/docs/tour.md"
	printf 'test:\n\ttrue\n' >"$tree/Makefile"
}

# A daemon that understands only a configuration that says so, and has two options.
make_vmtimed() {
	printf '#!/bin/sh\n%s\n' '[ "$1" = --help ] || exec grep -qx understood "$3"' \
		'printf "  -d     stay\n  --go-on  go\n"' >"$dir/vmtimed"
	chmod +x "$dir/vmtimed"
}

test_docs() {
	make_vmtimed
	document 'See `src/base/units.c`, `base/units.h`, `units.c` and `/proc/nothing/here`.' \
		'`half()` is one, `make test` another; [this](../README.md) and [that](#here) too.' \
		'| `src/base/units.c` | `half()` | `build/x` |' '```conf' 'understood' '```' \
		'```' '`gone.c` in a block' '```'
	good docs
	mkdir "$tree/man"
	printf '%s\n' '.It Fl d' '.It Fl x , \-go\-on Ar far' >"$tree/man/vmtimed.8"
	good docs
	printf '%s\n' '.It Fl d' '.It Fl \-go\-off' >"$tree/man/vmtimed.8"
	bad docs 'the option -\-go\-on is not there'
	document 'See `src/base/gone.c`.'
	bad docs 'docs/tour.md:1: there is no src/base/gone.c'
	document '' 'See `gone.c`.'
	bad docs 'docs/tour.md:2: there is no gone.c'
	document 'Calls `twice()`.'
	bad docs 'there is no function twice in src'
	document '| `src/core/bound.c` | `half()` |'
	bad docs 'there is no function half in src/core/bound.c'
	document 'See [this](gone.md).'
	bad docs 'a link to nothing: gone.md'
	document 'Try `make coffee`.'
	bad docs 'no target coffee'
	document '```conf' 'nonsense' '```'
	bad docs 'does not understand this'
	document '```layers' 'core os' '```' '`half()`'
	bad docs 'not the table of check-layers.sh'
	document 'A `src/base/units.c and on.'
	bad docs 'a backtick that is not closed'
	document 'Nothing at all.'
	bad docs 'the documents name nothing'
}

fresh_tree
test_layers
test_purity
test_headers
test_clang
test_words
test_docs
echo "$cases cases, $failures failures"
[ $failures -eq 0 ]
