#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# chronyc.sh DIR - chronyc and chronyd for the tests, without the service
#
# Prints the folder of the chronyc that is installed.  Where there is none the
# package chrony and what it needs of libraries are downloaded and unpacked
# below DIR, with wrappers in DIR/bin: installing the package would start
# chronyd on the machine, which is not to be.  Exits 77 with the reason where that cannot be
# done.
set -eu

dir=${1:?usage: chronyc.sh DIR}

skip() {
	echo "chronyc: $*" >&2
	exit 77
}

if installed=$(command -v chronyc); then
	dirname "$installed"
	exit
fi

# The libraries that package $1 needs by itself, but for the C library, which is here.
libraries_of() {
	apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
		--no-enhances "$1" | sed -n 's/^ *Depends: \(lib[^ <>]*\)$/\1/p' | grep -vx libc6
}

fetch_apt() {
	names=$(libraries_of chrony; libraries_of libedit2)
	(cd "$dir/take" && apt-get -qq download chrony $names) >&2 || return 1
	for package in "$dir"/take/*.deb; do
		dpkg-deb -x "$package" "$dir/root"
	done
}

fetch_dnf() {
	(cd "$dir/take" && dnf -q download --arch "$(uname -m)" chrony libedit) >&2 || return 1
	for package in "$dir"/take/*.rpm; do
		(cd "$dir/root" && rpm2cpio "$package" | cpio -idm --quiet)
	done
}

# DIR/bin gets the program that is usr/$1 in the package.
wrap() {
	name=${1#*/}
	cat >"$dir/bin/$name.new" <<END
#!/bin/sh
here=\$(dirname "\$0")/../root
LD_LIBRARY_PATH=$libraries exec "\$here/usr/$1" "\$@"
END
	chmod 755 "$dir/bin/$name.new"
	"$dir/bin/$name.new" -v >/dev/null || skip "the $name that was unpacked does not run"
	mv "$dir/bin/$name.new" "$dir/bin/$name"
}

if [ ! -x "$dir/bin/chronyc" ]; then
	mkdir -p "$dir/take" "$dir/root" "$dir/bin"
	dir=$(cd "$dir" && pwd)
	if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
		fetch_apt || skip "the package chrony cannot be downloaded"
	elif command -v dnf >/dev/null && command -v rpm2cpio >/dev/null && command -v cpio >/dev/null; then
		fetch_dnf || skip "the package chrony cannot be downloaded"
	else
		skip "not installed, and neither apt nor dnf is here to fetch it"
	fi
	libraries=$(cd "$dir/root" && find . -name '*.so.*' -exec dirname {} + | sort -u |
		sed 's|^|$here/|' | tr '\n' ':')
	# They find their files by their own place, so that a test can copy DIR to where a user may read.
	wrap sbin/chronyd
	wrap bin/chronyc
fi
(cd "$dir/bin" && pwd)
