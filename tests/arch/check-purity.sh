#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-purity.sh ALLOWED BASE ARCHIVE... - do core and wire stay out of the world?
#
# Follows each symbol that the ARCHIVEs leave undefined: defined in one of them,
# or in a member of the archive BASE (which is then held to the same rule, as the
# linker would pull it in), or listed in the file ALLOWED.  Anything else is a
# system call, an allocation or a clock that found its way in: it is printed with
# the object that wants it, and the check fails.  Writable data fails it too.
set -eu

[ $# -ge 3 ] || { echo "usage: check-purity.sh ALLOWED BASE ARCHIVE..." >&2; exit 1; }
allowed=$1
shift

[ -s "$allowed" ] || { echo "check-purity: no list $allowed" >&2; exit 1; }
for archive in "$@"; do
	[ -s "$archive" ] || { echo "check-purity: no archive $archive" >&2; exit 1; }
done
base=$1
shift

symbols=$(mktemp)
trap 'rm -f "$symbols"' EXIT
bad=0

# Prints lines "base|pure OBJECT KIND SYMBOL", from nm's "archive[object]: symbol kind ...".
list() {
	nm -P -A "$2" | sed "s/^[^[]*\[\([^]]*\)\]: */$1 \1 /" | awk '{ print $1, $2, $4, $3 }'
}

list base "$base" >"$symbols"
for archive in "$@"; do
	before=$(wc -l <"$symbols")
	list pure "$archive" >>"$symbols"
	if [ "$(wc -l <"$symbols")" -eq "$before" ]; then
		echo "check-purity: $archive has no symbols" >&2
		exit 1
	fi

	# Writable data is state that no caller passed in.  (.data.rel.ro is constant.)
	state=$(size -A "$archive" | awk '
		/:$/ || /ex / { object = $1 }
		$1 ~ /^\.(t?data|t?bss)(\.|$)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
			print object ": keeps state in " $1 ", " $2 " bytes" }')
	if [ -n "$state" ]; then
		echo "$state"
		bad=1
	fi
done

awk '
FILENAME == ARGV[1] {
	sub(/#.*/, "")
	if (NF)
		allowed[$1] = 1
	next
}
$3 == "U" || $3 == "w" || $3 == "v" { wants[$1 " " $2] = wants[$1 " " $2] " " $4; next }
$3 ~ /^[A-Z]$/ { defined[$4] = $1 " " $2 }
$1 == "pure" && !queued[$1 " " $2]++ { todo[++n] = $1 " " $2 }

END {
	for (i = 1; i <= n; i++) {
		count = split(wants[todo[i]], symbol, " ")
		for (s = 1; s <= count; s++) {
			if (symbol[s] in allowed)
				continue
			owner = defined[symbol[s]]
			if (owner == "") {
				print todo[i] ": must not use " symbol[s]
				bad = 1
			} else if (!queued[owner]++) {
				todo[++n] = owner
			}
		}
	}
	exit bad
}
' "$allowed" "$symbols" || bad=1
exit $bad
