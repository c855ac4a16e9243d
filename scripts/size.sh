#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# size.sh [DIR] - is the static daemon small enough for an initrd?
#
# Builds it (see static.sh), prints its size against the limit, and fails
# above it.  Exits 77 where it cannot be built static.
set -eu
cd "$(dirname "$0")/.."

limit=1200000

binary=$(scripts/static.sh "$@")
size=$(stat -c %s "$binary")
echo "static vmtimed, stripped: $size bytes of $limit allowed"
[ "$size" -le "$limit" ]
