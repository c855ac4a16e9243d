#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fresh.sh SUITE TARGET [--user] - try `make TARGET` on a fresh Debian
#
#     scripts/fresh.sh trixie test
#     scripts/fresh.sh bookworm run --user
#
# For maintainers, as root.  Makes a minimal root of SUITE by debootstrap from the
# mirror that this system's apt uses, installs only make, git and sudo there, clones
# the current HEAD into it and runs `make TARGET` inside: as root, or with --user as
# an ordinary user who may use sudo.  It lives in mount and process namespaces of
# its own, so nothing stays mounted or running however it ends, and the root is removed.
#
# Environment: FRESH_DIR is where the root is made (default: a directory in TMPDIR);
# KEEP=1 leaves it there.  ARGS is passed on to make.
set -eu

usage() {
	echo "usage: fresh.sh bookworm|trixie test|run [--user]" >&2
	exit 1
}

[ $# -ge 2 ] || usage
suite=$1
target=$2
as_user=${3-}
case $as_user in '' | --user) ;; *) usage ;; esac
cd "$(dirname "$0")/.."
source=$(pwd)

if [ "$(id -u)" != 0 ]; then
	echo "fresh: must be root" >&2
	exit 1
fi

if [ -z "${FRESH_INSIDE-}" ]; then
	scripts/need.sh fresh
	FRESH_DIR=${FRESH_DIR:-${TMPDIR:-/tmp}/vmtime-fresh-$suite-$$}
	export FRESH_DIR FRESH_INSIDE=yes
	status=0
	unshare --mount --pid --fork --kill-child --mount-proc -- "$0" "$@" || status=$?
	# Every mount went with the namespace; --one-file-system in case one did not.
	[ -n "${KEEP-}" ] || rm -rf --one-file-system "$FRESH_DIR"
	exit $status
fi

root=$FRESH_DIR
say() {
	echo "fresh: $*"
}

# The mirror of this system's own release; debian-security and the like have other layouts.
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(CODENAME) $(COMPONENT)' |
	awk '$1 == "Packages" && $3 !~ /-/ && $4 == "main" { print $2; exit }')
[ -n "$mirror" ] || { echo "fresh: apt has no mirror configured" >&2; exit 1; }

say "making a minimal $suite in $root"
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
	tail -n 20 "$root.log" >&2
	exit 1
}
rm -f "$root.log"

mount --bind "$root" "$root"
mount --bind /dev "$root/dev"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
# How this system's apt reaches its mirror, if that takes a proxy.
apt-config dump | grep -i '^Acquire::[a-z]*::Proxy' >"$root/etc/apt/apt.conf.d/99fresh" || true

inside() {
	chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" CI="${CI-}" "$@"
}

say "installing make, git and sudo"
inside apt-get -q update >/dev/null
inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
	install make git sudo >/dev/null

say "cloning $(git rev-parse --short HEAD)"
git clone -q --no-hardlinks "$source" "$root/vmtime"
git -C "$root/vmtime" checkout -q "$(git rev-parse HEAD)"

# Not only chroot, in which the kernel refuses namespaces, which the tests make; and from here
# on nothing outside can be reached.
cd "$root"
mkdir .outside
pivot_root . .outside
root=/
inside umount -l /.outside
inside rmdir /.outside

run=
if [ -n "$as_user" ]; then
	inside useradd --create-home tester
	echo 'tester ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/tester
	inside chown -R tester /vmtime
	run='sudo -u tester -H'
fi

say "make $target"
status=0
# shellcheck disable=SC2016
inside $run sh -c 'cd /vmtime && exec make "$@"' make "$target" ${ARGS:+ARGS="$ARGS"} \
	</dev/null || status=$?
say "make $target exited $status"
exit $status
