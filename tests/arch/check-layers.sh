#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-layers.sh ROOT - do the folders keep to themselves?
#
# Checks each C file below src/, sim/ and include/ of ROOT (and the lengths below tests/):
#
#   layer      #include "x/..." only where the table below allows it
#   system     jansson only in proto, libev only in the daemons, nothing that
#              can open or move a byte in the layers that must not
#   condition  #if and its relatives only in os and base (guards excepted)
#   length     files of at most 600 lines, functions of at most 60
#
# Prints file:line: and what is wrong for each finding; exits 1 if there is any.
set -eu
root=${1:?usage: check-layers.sh ROOT}

# Layer, and what it may include: a whole layer, or one header of it.  A layer
# may include itself.  A folder that is not listed is an error.
layers() {
	cat <<'END'
base
core    base
wire    base
proto   base wire/event_record.h
conf    base
os      base core/clock_port.h core/source_port.h core/reading.h wire
audit   base conf os
lib     base wire proto core/bound.h vmtime
loop    base
guestd  base core wire proto conf os loop
hostd   base core/filter.h core/bound.h wire proto conf os loop
cli     base wire proto os audit lib vmtime
sim     base core wire conf lib/reader.h vmtime
vmtime
END
}

# System header (a "*" at the end matches any rest), and the only layers that may
# include it.  Headers that are not listed are free for all.
system_headers() {
	cat <<'END'
jansson.h    proto
ev.h         loop
microhttpd.h hostd
libev/*      loop
linux/*      os
sys/*        base os lib guestd hostd cli audit
fcntl.h      base os lib guestd hostd cli audit
unistd.h     base os lib guestd hostd cli audit
poll.h       os lib loop guestd hostd cli
netinet/*    os
arpa/*       os
net/*        os
dirent.h     os audit
signal.h     os loop guestd hostd cli
END
}

cd "$root"
[ -d src ] || { echo "check-layers: no src in $root" >&2; exit 1; }

folders=src
for extra in sim include tests; do
	[ ! -d $extra ] || folders="$folders $extra"
done
files=$(find $folders -name '*.[ch]' | LC_ALL=C sort)
[ -n "$files" ] || { echo "check-layers: no C files in $root" >&2; exit 1; }

tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
layers >"$tables"
system_headers | sed 's/^/system /' >>"$tables"

# shellcheck disable=SC2086
awk -v tables="$tables" '
function wrong(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

# src/os/ptp.c -> os, include/vmtime/clock.h -> vmtime, sim/clock.c -> sim
function layer_of(path,   part) {
	split(path, part, "/")
	return part[1] == "sim" ? "sim" : part[2]
}

function check_layer(header,   to) {
	if (header !~ /\//)
		return wrong("\"" header "\": includes are written from src/")
	to = header
	sub(/\/.*/, "", to)
	if (!(to in known))
		return wrong("\"" header "\": no layer of that name")
	if (to != layer && !((layer, to) in may) && !((layer, header) in may))
		wrong(layer " must not include \"" header "\"")
}

function check_system(header,   s) {
	if (header ~ /^vmtime\//)
		return check_layer(header)
	for (s = 1; s <= n_system; s++)
		if (matches(header, pattern[s]) && index(owners[s], " " layer " ") == 0)
			wrong(layer " must not include <" header ">")
}

function matches(header, p) {
	if (p ~ /\*$/)
		return index(header, substr(p, 1, length(p) - 1)) == 1
	return header == p
}

# The guard of a header (its first #if, followed by the #define) and __cplusplus are free.
function check_condition(line) {
	if (layer == "os" || layer == "base" || line ~ /#[ \t]*ifdef[ \t]+__cplusplus/)
		return
	if (FILENAME ~ /\.h$/ && !conditions++ && line ~ /#[ \t]*ifndef[ \t]/) {
		guard = line
		sub(/.*ifndef[ \t]+/, "", guard)
		guard_line = FNR
		return
	}
	wrong("conditional compilation outside os and base")
}

function close_file() {
	if (file == "" || lines <= 600)
		return
	printf "%s:%d: longer than 600 lines\n", file, lines
	bad = 1
}

BEGIN {
	while ((getline row < tables) > 0) {
		n = split(row, word)
		if (word[1] != "system") {
			known[word[1]] = 1
			for (i = 2; i <= n; i++)
				may[word[1], word[i]] = 1
			continue
		}
		pattern[++n_system] = word[2]
		owners[n_system] = " "
		for (i = 3; i <= n; i++)
			owners[n_system] = owners[n_system] word[i] " "
	}
}

FNR == 1 {
	close_file()
	file = FILENAME
	layer = layer_of(file)
	conditions = guard_line = opened = 0
	free = file ~ /^tests\//
	if (!free && !(layer in known))
		wrong("\"" layer "\" is not in the table of layers")
}

{ lines = FNR }

guard_line && FNR == guard_line + 1 && $0 !~ ("#[ \t]*define[ \t]+" guard) {
	wrong("conditional compilation outside os and base")
}

!free && /^[ \t]*#[ \t]*include[ \t]*"/ { split($0, q, "\""); check_layer(q[2]) }
!free && /^[ \t]*#[ \t]*include[ \t]*</ { split($0, q, /[<>]/); check_system(q[2]) }
!free && /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)([ \t(!]|$)/ { check_condition($0) }

/^\{/ { opened = FNR }
/^\}/ {
	if (opened && FNR - opened - 1 > 60)
		wrong("function of " FNR - opened - 1 " lines")
	opened = 0
}

END {
	close_file()
	exit bad
}
' $files
