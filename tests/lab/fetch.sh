#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# fetch.sh [PART...] - put what the lab needs from Debian's archive into the lab's cache.
#
# Parts: tools (a static busybox), kernel (the newest cloud kernel), qemu (QEMU 10 or later with every
# library that it needs, its own libc included, so that it runs on whatever this machine is), peers
# (chronyd and phc2sys, for comparison figures). Without an argument: tools, kernel and qemu.
#
# Packages are downloaded by apt with a state of its own inside the cache and unpacked there. Nothing
# is installed, the machine's sources and package lists stay as they are. Where from is taken out of
# apt's own configuration; to the machine's own release its backports and those of the stable release
# are added.
#
# Each part appears in the cache by one rename when it is complete: a fetch that is killed leaves only
# a directory that the next fetch removes, and two fetches at a time take turns. Where a part cannot
# be had from the archive, the machine's own kernel or QEMU is looked for; where that fails too, the
# reason is left in PART.failed and the exit status is 77.
#
# Environment: VMTIME_LAB_CACHE (default ${XDG_CACHE_HOME:-$HOME/.cache}/vmtime-lab),
# VMTIME_LAB_REFRESH=1 fetches again what is there already.
set -euo pipefail

cache=${VMTIME_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmtime-lab}
kernel_wanted=6.13 # the first with the vmclock driver
qemu_wanted=10     # the first with the vmclock device
state=$cache/apt

say() { printf 'lab fetch: %s\n' "$*"; }

give_up() { # give_up PART REASON: leave the reason for those who ask later, and end
	printf '%s\n' "$2" >"$cache/$1.failed"
	say "$1: $2"
	exit 77
}

at_least() { # at_least HAVE WANTED: version comparison
	[[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# --- apt with a state of its own -----------------------------------------------------------------

apt_options() {
	apt_opts=(-o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=/dev/null"
		-o "Dir::Etc::preferences=/dev/null" -o "Dir::Etc::preferencesparts=/dev/null"
		-o "Dir::State=$state" -o "Dir::State::Lists=$state/lists"
		-o "Dir::State::status=$state/status" -o "Dir::Cache=$state"
		-o "Dir::Cache::archives=$state/archives" -o Debug::NoLocking=1
		-o APT::Install-Recommends=0 -o APT::Install-Suggests=0 -o Acquire::Languages=none
		-o Acquire::Retries=2 -o "APT::Sandbox::User=$(id -un)"
		-o APT::Update::Post-Invoke-Success::=true)
}

archive_address() { # the archive that most of the machine's package lists come from
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -Ev 'security|^(cdrom|file|copy)' | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

signing_keys() { # as a sources.list option; nothing where the keys are in apt's default places
	local file
	for file in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		[[ -e $file ]] && { echo "[signed-by=$file] "; return; }
	done
	return 0
}

apt_ready() { # make the private state, once in a run of this script
	[[ -z ${apt_is_ready:-} ]] || return 0
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
	local archive suite
	archive=$(archive_address)
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[[ -n $archive && -n $release ]] || return 1
	rm -rf "$state"
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	: >"$state/status" # as if nothing were installed: a package comes with everything it needs
	for suite in "$release" "$release-backports" stable-backports trixie-backports; do
		printf 'deb %s%s %s main\n' "$(signing_keys)" "$archive" "$suite"
	done | sort -u >"$state/sources.list"
	apt_options
	say "package lists from $archive ($release and backports)"
	# A suite that this archive does not have is reported and left out; that is no failure.
	apt-get "${apt_opts[@]}" -qq update >"$state/update.log" 2>&1 || true
	apt_is_ready=yes
}

newest() { # newest PACKAGE: the highest version in any of the suites
	apt-cache "${apt_opts[@]}" madison "$1" 2>/dev/null | awk -F' *[|] *' '{ print $2 }' |
		sort -V | tail -n 1
}

unpack() { # unpack TREE PACKAGE[=VERSION]...: download exactly these and unpack them
	local tree=$1 deb
	shift
	rm -rf "$state/take" && mkdir "$state/take"
	(cd "$state/take" && apt-get "${apt_opts[@]}" -qq download "$@") || return 1
	for deb in "$state"/take/*.deb; do dpkg-deb -x "$deb" "$tree"; done
	rm -rf "$state/take"
}

unpack_all() { # unpack_all TREE SUITE PACKAGE...: with everything that they depend on
	local tree=$1 suite=$2
	shift 2
	local names
	names=$(apt-get "${apt_opts[@]}" -t "$suite" -s -y install "$@" |
		awk '$1 == "Inst" { v = $3; sub(/^\(/, "", v); print $2 "=" v }' |
		grep -Ev '^(adduser|debconf|passwd|ipxe-qemu|libpam|libsemanage|init-system|systemd|perl|ucf)')
	# shellcheck disable=SC2086 # one word a package
	unpack "$tree" $names
}

# --- a program with its libraries in one folder --------------------------------------------------

# gather PROGRAM DIR [TREE]: copy PROGRAM to DIR/bin and what it is linked with to DIR/lib, taken
# from the unpacked TREE (its own loader finds them there) or from this machine.
gather() {
	local program=$1 dir=$2 tree=${3:-} loader=/lib64/ld-linux-x86-64.so.2 so
	mkdir -p "$dir/bin" "$dir/lib"
	local path=()
	if [[ -n $tree ]]; then
		loader=$(find "$tree" -name 'ld-linux-x86-64.so.2' \( -type f -o -type l \) -path '*lib*' -size +1k | head -n 1)
		path=(--library-path "$(find "$tree" -type d -name x86_64-linux-gnu -path '*lib/*' | paste -sd:)")
	fi
	cp -Lu "$program" "$dir/bin/"
	cp -Lu "$loader" "$dir/lib/"
	for so in $("$loader" "${path[@]}" --list "$program" | awk '$2 == "=>" { print $3 }'); do
		cp -Lu "$so" "$dir/lib/"
	done
}

# --- the parts: each fills the folder that it is given -------------------------------------------

fetch_tools() {
	apt_ready && unpack "$1/tree" busybox-static &&
		cp "$(find "$1/tree" -type f -path '*bin/busybox')" "$1/" ||
		cp "$(command -v busybox)" "$1/" 2>/dev/null ||
		give_up tools "no static busybox: neither from the archive nor on this machine"
	rm -rf "$1/tree"
	file_is_static "$1/busybox" || give_up tools "this machine's busybox is not a static one"
}

file_is_static() { ! readelf -l "$1" 2>/dev/null | grep -q INTERP; }

# What of a kernel is used: modules for the lab's host and guest, in the order of their loading.
modules=(irqbypass kvm kvm-amd kvm-intel ptp_kvm ptp_vmclock virtio_pci virtio_console ptp brd
	vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport vhost_iotlb vhost vhost_vsock)

take_kernel() { # take_kernel DIR VMLINUZ MODULES-FOLDER
	local name ko
	cp -L "$2" "$1/vmlinuz"
	mkdir -p "$1/modules"
	for name in "${modules[@]}"; do
		ko=$(find "$3" -name "$name.ko*" | head -n 1)
		case $ko in
		*.xz) "$cache/tools/busybox" unxz -c "$ko" >"$1/modules/$name.ko" ;;
		*.zst) zstd -qdc "$ko" >"$1/modules/$name.ko" ;;
		*.gz) gzip -dc "$ko" >"$1/modules/$name.ko" ;;
		*.ko) cp "$ko" "$1/modules/$name.ko" ;;
		esac
	done
	echo "${modules[*]}" >"$1/wanted"
	[[ -s $1/modules/kvm-amd.ko && -s $1/modules/ptp_kvm.ko ]]
}

archive_kernel() { # archive_kernel DIR: from the archive's newest cloud kernel
	apt_ready || return 1
	local meta=linux-image-cloud-amd64 version image names vmlinuz
	version=$(newest $meta)
	[[ -n $version ]] || return 1
	image=$(apt-cache "${apt_opts[@]}" show "$meta=$version" |
		grep -oE '^Depends:.*' | grep -oE 'linux-image-[0-9][^ ,]*' | head -n 1)
	# From 7.3 on the kernel and its modules are packages of their own, which the image names.
	names=$(apt-cache "${apt_opts[@]}" show "$image" | grep -E '^Depends:' |
		grep -oE 'linux-(modules|binary)-[0-9][^ ,]*' | sort -u || true)
	say "kernel ${image#linux-image-}"
	# shellcheck disable=SC2086 # one word a package
	unpack "$1/tree" "$image" $names || return 1
	vmlinuz=$(find "$1/tree" -name 'vmlinuz*' | head -n 1)
	[[ -n $vmlinuz ]] && take_kernel "$1" "$vmlinuz" "$1/tree" || return 1
	echo "$version" | sed 's/[-~+].*//' >"$1/version"
	rm -rf "$1/tree"
}

own_kernel() { # own_kernel DIR: from a kernel that is installed on this machine, newest first
	local dir version vmlinuz
	for dir in $(printf '%s\n' /lib/modules/* | sort -rV); do
		version=${dir##*/}
		for vmlinuz in "$dir/vmlinuz" "/boot/vmlinuz-$version"; do
			[[ -r $vmlinuz ]] && take_kernel "$1" "$vmlinuz" "$dir" || continue
			say "no kernel from the archive: this machine's own $version"
			echo "${version%%-*}" >"$1/version"
			return 0
		done
	done
	return 1
}

fetch_kernel() {
	archive_kernel "$1" || { rm -rf "$1" && mkdir "$1" && own_kernel "$1"; } ||
		give_up kernel "no kernel could be had: apt offers no linux-image-cloud-amd64 (see $state/update.log), and /boot has none with kvm-amd and ptp_kvm that can be read"
	at_least "$(cat "$1/version")" $kernel_wanted ||
		say "kernel $(cat "$1/version") is older than $kernel_wanted: no vmclock in the lab"
}

take_qemu() { # take_qemu DIR PROGRAM ROOT [TREE]: firmware and modules are looked for under ROOT
	local dir=$1 program=$2 root=$3 tree=${4:-} rom module
	gather "$program" "$dir" "$tree"
	mkdir -p "$dir/share" "$dir/modules"
	for rom in bios-256k.bin kvmvapic.bin linuxboot_dma.bin; do
		cp -L "$(find "$root"/usr/share/{qemu,seabios} -name $rom | head -n 1)" "$dir/share/"
	done
	for module in "$root"/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-*.so; do
		[[ ! -e $module ]] || cp "$module" "$dir/modules/"
	done
	[[ -s $dir/share/bios-256k.bin && -s $dir/share/linuxboot_dma.bin ]] || return 1
	qemu_version "$dir" >"$dir/version" && [[ -s $dir/version ]]
}

qemu_version() {
	"$1/lib/ld-linux-x86-64.so.2" --library-path "$1/lib" "$1/bin/qemu-system-x86_64" --version |
		grep -oE '[0-9]+[.][0-9.]+' | head -n 1
}

archive_qemu() {
	apt_ready || return 1
	local tree=$1/tree
	say "QEMU with its libraries"
	unpack_all "$tree" "$release-backports" qemu-system-x86 seabios ||
		unpack_all "$tree" "$release" qemu-system-x86 seabios || return 1
	take_qemu "$1" "$tree/usr/bin/qemu-system-x86_64" "$tree" "$tree" || return 1
	rm -rf "$tree"
}

own_qemu() {
	local program
	program=$(command -v qemu-system-x86_64) || return 1
	take_qemu "$1" "$program" "" || return 1
	say "no QEMU from the archive: this machine's own $(cat "$1/version")"
}

fetch_qemu() {
	archive_qemu "$1" || { rm -rf "$1" && mkdir "$1" && own_qemu "$1"; } ||
		give_up qemu "no QEMU could be had: apt offers none (see $state/update.log), and there is no qemu-system-x86_64 on this machine"
	at_least "$(cat "$1/version")" $qemu_wanted ||
		say "QEMU $(cat "$1/version") is older than $qemu_wanted: no vmclock in the lab"
}

fetch_peers() {
	apt_ready || give_up peers "no apt on this machine to get chrony and linuxptp with"
	local program
	unpack_all "$1/tree" "$release" chrony linuxptp ||
		give_up peers "apt offers no chrony and linuxptp (see $state/update.log)"
	for program in chronyd chronyc phc2sys; do
		gather "$(find "$1/tree" -type f -name $program -path '*bin*' | head -n 1)" "$1" "$1/tree"
	done
	rm -rf "$1/tree"
}

is_there() { # is_there PART: in the cache, and what this version of the lab wants of it
	[[ -z ${VMTIME_LAB_REFRESH:-} && -d $cache/$1 ]] || return 1
	[[ $1 != peers || -e $cache/peers/bin/chronyc ]] || return 1
	[[ $1 != kernel || $(cat "$cache/kernel/wanted" 2>/dev/null) == "${modules[*]}" ]]
}

fetch() { # fetch PART: unless the cache has it
	local part=$1 new=$cache/new.$1
	! is_there "$part" || return 0
	rm -rf "$new" "$cache/$part.failed"
	mkdir -p "$new"
	"fetch_$part" "$new"
	rm -rf "$cache/old.$part"
	[[ ! -d $cache/$part ]] || mv "$cache/$part" "$cache/old.$part"
	mv "$new" "$cache/$part"
	rm -rf "$cache/old.$part"
}

[[ $# -gt 0 ]] || set -- tools kernel qemu
mkdir -p "$cache"
exec 9>"$cache/lock"
flock -n 9 || { say "another fetch is at work in $cache, waiting for it"; flock 9; }
for part in "$@"; do fetch "$part"; done
