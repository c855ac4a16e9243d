#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# prometheus.sh DIR - a prometheus and a promtool for the tests, without their service
#
# Prints the folder of those that are installed.  Where there are none the package prometheus is
# downloaded and unpacked below DIR, for both are programs that need nothing else: installing it
# would start a server, which is not to be.  Exits 77 with the reason where that cannot be done.
set -eu

dir=${1:?usage: prometheus.sh DIR}

skip() {
	echo "prometheus: $*" >&2
	exit 77
}

if installed=$(command -v promtool) && command -v prometheus >/dev/null; then
	dirname "$installed"
	exit
fi

fetch_apt() {
	(cd "$dir/take" && apt-get -qq download prometheus) >&2 || return 1
	for package in "$dir"/take/*.deb; do
		dpkg-deb -x "$package" "$dir/root"
	done
}

# Fedora has it under another name, RHEL and its rebuilds not at all.
fetch_dnf() {
	(cd "$dir/take" && dnf -q download --arch "$(uname -m)" golang-github-prometheus) >&2 || return 1
	for package in "$dir"/take/*.rpm; do
		(cd "$dir/root" && rpm2cpio "$package" | cpio -idm --quiet)
	done
}

if [ ! -x "$dir/root/usr/bin/promtool" ]; then
	mkdir -p "$dir/take" "$dir/root"
	dir=$(cd "$dir" && pwd)
	if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
		fetch_apt || skip "the package prometheus cannot be downloaded"
	elif command -v dnf >/dev/null && command -v rpm2cpio >/dev/null && command -v cpio >/dev/null; then
		fetch_dnf || skip "the package prometheus cannot be downloaded"
	else
		skip "not installed, and neither apt nor dnf is here to fetch it"
	fi
	rm -rf "$dir/take"
	"$dir/root/usr/bin/promtool" --version >/dev/null 2>&1 ||
		skip "the promtool that was unpacked does not run"
fi
(cd "$dir/root/usr/bin" && pwd)
