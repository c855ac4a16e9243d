#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh DIR [OPTION...] - configure DIR if needed, and compile it
#
# OPTIONs are meson's.  A directory that is already configured is configured
# again only when options are given, because packages may have been installed
# since; meson then keeps what is compiled.  An attempt that failed half-way
# is started afresh.
set -eu
cd "$(dirname "$0")/.."

dir=$1
shift

if [ ! -e "$dir/build.ninja" ]; then
	rm -rf "$dir"
	echo "build: meson setup $dir $*"
	meson setup "$dir" "$@"
elif [ $# -gt 0 ]; then
	echo "build: meson setup --reconfigure $dir $*"
	meson setup --reconfigure "$dir" "$@"
fi
echo "build: ninja -C $dir"
ninja -C "$dir" ${TARGETS-}
