#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# soak.sh [HOURS [SEED]] - the invariant over random worlds, for long
#
# Builds vmtime-sim and lets it live through random scenarios for HOURS
# simulated hours (default 100000, an hour or so of a processor), at the
# lowest priority.  Exits 1 where the invariant was violated; the seeds of these
# worlds are printed, and `vmtime-sim --soak 0.1 --seed N` lives through one again.
#
# Environment: BUILD (default build) is the directory to build in.
set -eu
cd "$(dirname "$0")/.."

build=${BUILD:-build}
TARGETS=sim/vmtime-sim scripts/build.sh "$build"
exec nice -n 19 "$build/sim/vmtime-sim" --soak "${1:-100000}" --seed "${2:-1}"
