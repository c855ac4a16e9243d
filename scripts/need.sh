#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# need.sh SET... - make sure that the packages of the named sets are installed
#
# Asks the system's package database what is missing, lists it, and installs
# it: as root, or by sudo.  Without either it prints the command and exits 1.
# Nothing is downloaded, not even an index, when nothing is missing.
# No recommended packages, no questions, no service is among them: of libvirt
# only its programs, and the guest agent starts where its device is.
#
#     scripts/need.sh build test      install what is missing
#     scripts/need.sh --list build    only say what is missing (exit 1 if any)
set -eu

# set    Debian and Ubuntu        Fedora and relatives      what for
# "-" means that nothing extra is needed there; "?" at the end that older
# releases do not have the package and do without it.
table() {
	cat <<'END'
build    gcc                      gcc                       the compiler
build    libc6-dev                glibc-devel               the C library
build    meson                    meson                     the build system
build    ninja-build              ninja-build               the build system
build    pkgconf                  pkgconf-pkg-config        finds libraries
build    libev-dev                libev-devel               event loop
build    libjansson-dev           jansson-devel             JSON
build    libaugeas-dev            augeas-devel?             edits of files in vmtime fix
build    libvirt-dev              libvirt-devel             guests of libvirt
build    libxml2-dev              libxml2-devel             reads their descriptions
build    libmicrohttpd-dev        libmicrohttpd-devel       HTTP of vmtime-hostd
build    libjs-dygraphs           -                         curves on its page
build    -                        glibc-static?             the static daemon
test     libcmocka-dev            libcmocka-devel           unit tests
test     python3                  python3                   counts the results
test     strace                   strace                    ends vmtime fix at every system call
test     -                        libasan                   address sanitizer
test     -                        libubsan                  undefined behaviour sanitizer
test     clang                    clang                     second compiler
test     libclang-rt-dev?         compiler-rt               its sanitizers and fuzzer
test     libvirt-daemon           libvirt-daemon            a libvirtd for emulated guests
test     libvirt-daemon-driver-qemu libvirt-daemon-driver-qemu what it runs guests with
test     libvirt-clients          libvirt-client            suspends and resumes them
test     qemu-system-x86          qemu-system-x86-core      emulates them
test     qemu-utils               qemu-img                  disks for their snapshots
test     qemu-guest-agent         qemu-guest-agent          runs in them
test     util-linux-extra?        util-linux                hwclock, which it calls
test     openssl                  openssl                   certificates for tests
test     chromium?                chromium-headless?        looks at the page
fuzz     python3                  python3                   reads the build
fuzz     clang                    clang                     compiler with the fuzzer
fuzz     libclang-rt-dev?         compiler-rt               its sanitizers and fuzzer
lab      python3                  python3                   helpers of the lab
lab      busybox-static           busybox                   user space of host and guest
lab      cpio                     cpio                      packs the initrds
lab      lz4                      lz4                       packs the initrds
lab      xz-utils                 xz                        unpacks kernel modules
lab      socat                    socat                     talks to QEMU
qemu     qemu-system-x86          qemu-system-x86-core      when the lab finds no newer one
fresh    debootstrap              debootstrap               roots to try fresh machines in
debug    valgrind                 valgrind                  memory checks by hand
END
}

# Replaced by busybox-static, which provides it; any other removal is refused.
may_be_replaced='busybox'

say() {
	echo "need: $*"
}

die() {
	echo "need: $*" >&2
	exit 1
}

# Prints the packages of sets $2... in column $1 of the table, each once.
wanted() {
	column=$1
	shift
	for set in "$@"; do
		table | grep -q "^$set " || die "unknown set \"$set\""
	done
	table | awk -v column="$column" -v sets=" $* " '
		index(sets, " " $1 " ") && $column != "-" && !seen[$column]++ { print $column }'
}

# Keeps of the names on standard input those that are not installed.
missing_apt() {
	while read -r name; do
		state=$(dpkg-query -W -f '${db:Status-Status}\n' "${name%\?}" 2>/dev/null) || state=
		echo "$state" | grep -qx installed || echo "$name"
	done
}

missing_dnf() {
	while read -r name; do
		rpm -q --whatprovides "${name%\?}" >/dev/null 2>&1 || echo "$name"
	done
}

# Drops the optional names that this release does not have, and the marks of the others.
known_apt() {
	while read -r name; do
		case $name in
		*\?) apt-cache show "${name%\?}" >/dev/null 2>&1 && echo "${name%\?}" ;;
		*) echo "$name" ;;
		esac
	done
	return 0
}

known_dnf() {
	while read -r name; do
		case $name in
		*\?) dnf -q list --available "${name%\?}" >/dev/null 2>&1 && echo "${name%\?}" ;;
		*) echo "$name" ;;
		esac
	done
	return 0
}

# Sets $root to what runs a command as root: nothing for root, else sudo.  A sudo
# that would ask for a password is of use only where somebody can type it.
find_root() {
	root=
	if [ "$(id -u)" = 0 ]; then
		return 0
	fi
	command -v sudo >/dev/null || return 1
	root=sudo
	[ -t 0 ] || sudo -n true 2>/dev/null
}

show() {
	say "  $*"
	"$@"
}

install_apt() {
	set -- -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
	apt="apt-get -q -y --no-install-recommends"
	if ! find_root; then
		die "neither root nor sudo without a password.  Run as root:
    apt-get update && $apt install $(echo "$missing" | tr -d '?' | tr '\n' ' ')"
	fi
	show $root apt-get "$@" -q update || die "apt-get update failed"
	missing=$(echo "$missing" | known_apt)
	[ -n "$missing" ] || return 0

	plan=$($root $apt "$@" -s install $missing) || die "apt-get cannot install: $missing"
	gone=$(echo "$plan" | awk '$1 == "Remv" { print $2 }')
	for name in $gone; do
		[ "$name" = "$may_be_replaced" ] ||
			die "installing would remove $gone.  If that is right, run as root:
    $apt install $(echo "$missing" | tr '\n' ' ')"
		say "$name is replaced by one of them"
	done
	show $root env DEBIAN_FRONTEND=noninteractive $apt "$@" install $missing ||
		die "apt-get install failed"
}

install_dnf() {
	if ! find_root; then
		die "neither root nor sudo without a password.  Run as root:
    dnf -y --setopt=install_weak_deps=False install $(
			echo "$missing" | tr -d '?' | tr '\n' ' ')"
	fi
	missing=$(echo "$missing" | known_dnf)
	[ -n "$missing" ] || return 0
	show $root dnf -y --setopt=install_weak_deps=False install $missing ||
		die "dnf failed (RHEL and its rebuilds need the repositories CRB and EPEL)"
}

list_only=
if [ "${1-}" = --list ]; then
	list_only=yes
	shift
fi
[ $# -gt 0 ] || die "usage: need.sh [--list] SET...   sets: $(
	table | awk '!seen[$1]++ { printf "%s ", $1 }')"

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
	column=2 manager=apt
elif command -v rpm >/dev/null && command -v dnf >/dev/null; then
	column=3 manager=dnf
else
	die "this system has neither apt nor dnf; the sets \"$*\" need, by their names in Debian:
$(wanted 2 "$@")"
fi

# Not in a pipe, where an unknown set would go unnoticed.
names=$(wanted $column "$@")
missing=$(echo "$names" | missing_$manager)

# An optional package that this release does not have is not missing.
if [ -n "$missing" ] && [ -z "$(echo "$missing" | grep -v '?$')" ]; then
	missing=$(echo "$missing" | known_$manager)
fi
if [ -z "$missing" ]; then
	say "$* - everything is installed"
	exit 0
fi

say "$* - missing, to be installed with $manager:"
echo "$missing" | tr -d '?' | while read -r name; do
	table | awk -v column="$column" -v name="$name" '
		{ p = $column; sub(/[?]$/, "", p) }
		p == name {
			$1 = $2 = $3 = ""; sub(/^ +/, "")
			printf "need:   %-20s %s\n", name, $0
			exit
		}'
done
[ -z "$list_only" ] || exit 1
install_$manager

# Believe the database, not the exit status.
left=$(echo "$missing" | missing_$manager)
[ -z "$left" ] || die "still missing: $(echo "$left" | tr '\n' ' ')"
say "done"
