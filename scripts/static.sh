#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# static.sh [DIR] - build vmtimed without shared libraries, small and stripped
#
# Prints the path of the result on standard output and nothing else there.
# Exits 77, with the reason, where the system has no static libraries.
# DIR (default build-static) is the directory to build in.
set -eu
cd "$(dirname "$0")/.."

dir=${1:-build-static}
probe=$(mktemp)
trap 'rm -f "$probe"' EXIT

for lib in c m ev jansson; do
	if ! echo 'int main(void) { return 0; }' |
		${CC:-cc} -static -x c - -o "$probe" -l$lib -lm 2>/dev/null; then
		echo "skip: no static library lib$lib.a on this system" >&2
		exit 77
	fi
done

# Only the daemon: the tests need not link without shared libraries.
TARGETS=build.ninja scripts/build.sh "$dir" -Dstatic=true --buildtype=minsize \
	-Db_lto=true -Db_pie=false -Db_staticpic=false >&2
meson compile -C "$dir" vmtimed >&2
binary=$(find "$dir" -type f -name vmtimed)
[ -n "$binary" ] || { echo "static: no vmtimed in $dir" >&2; exit 1; }
strip -o "$dir/vmtimed.stripped" "$binary"
if readelf -d "$dir/vmtimed.stripped" | grep -q NEEDED; then
	echo "static: $binary still needs shared libraries" >&2
	exit 1
fi
echo "$dir/vmtimed.stripped"
