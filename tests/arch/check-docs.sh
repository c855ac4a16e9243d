#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-docs.sh ROOT [VMTIMED] - do the documents name what is there?
#
# Reads README.md, CONTRIBUTING.md and everything below docs/ of ROOT.  In backticks:
#
#   a path            (src/core/source.c, or as an include names it: core/source.c) exists
#   a source file     (source.c) exists somewhere
#   a function        (source_read(), with both parentheses) is declared or defined in src/; in a
#                     row of a table that names source files: in one of these
#   a make target     (make test) is in the Makefile
#
# A link leads to a file.  The block ```layers is the table of check-layers.sh, and with VMTIMED
# each block ```conf is a configuration that it understands.  Other blocks are not looked at.
#
# With VMTIMED, every option that its --help lists stands in man/vmtimed.8, too.
set -eu

[ $# -ge 1 ] || { echo "usage: check-docs.sh ROOT [VMTIMED]" >&2; exit 1; }
vmtimed=${2-}
case $vmtimed in ?*) vmtimed=$(realpath "$vmtimed") ;; esac
cd "$1"

documents=
for f in README.md CONTRIBUTING.md $(find docs -name '*.md' 2>/dev/null | LC_ALL=C sort); do
	[ ! -f "$f" ] || documents="$documents $f"
done
[ -n "$documents" ] || { echo "check-docs: no documents in $1" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

wrong() {
	echo "$*"
	bad=1
}

# Prints "FILE:LINE kind token sources" for each token; writes the blocks to files of their own.
# shellcheck disable=SC2086
awk -v scratch="$scratch" '
function put(kind, token) {
	print FILENAME ":" FNR, kind, token, sources
}

function classify(token) {
	if (token ~ /^[a-z_][a-z0-9_]*\(\)$/)
		put("function", substr(token, 1, length(token) - 2))
	else if (token ~ /^make [a-z]+/)
		put("target", substr(token, 6))
	else if (token ~ /^[A-Za-z0-9_.][A-Za-z0-9_.*-]*(\/[A-Za-z0-9_.*-]*)+$/)
		put("path", token)
	else if (token ~ /^[A-Za-z0-9_-]+\.(c|h|sh|py|md)$/)
		put("file", token)
}

# The source files that a row of a table names, for its functions.
function sources_of(line,   found) {
	found = ""
	if (line !~ /^\|/)
		return ""
	while (match(line, /[a-z_0-9\/]+\.[ch]`/)) {
		found = found " " substr(line, RSTART, RLENGTH - 1)
		line = substr(line, RSTART + RLENGTH)
	}
	return found
}

FNR == 1 { block = "" }

/^```/ {
	if (block != "") {
		close(block)
		block = ""
		next
	}
	kind = substr($0, 4)
	sub(/ .*/, "", kind)
	block = scratch "/" (kind == "layers" || kind == "conf" ? kind : "other") "." ++blocks
	if (kind == "conf")
		print FILENAME ":" FNR, "conf", block
	next
}

block != "" { print >block; next }

{
	rest = $0
	if (gsub(/`/, "`", rest) % 2)
		put("odd", "-")
	sources = sources_of($0)
	while (match(rest, /`[^`]+`/)) {
		classify(substr(rest, RSTART + 1, RLENGTH - 2))
		rest = substr(rest, RSTART + RLENGTH)
	}
	rest = $0
	sources = ""
	while (match(rest, /\]\([^) ]+\)/)) {
		token = substr(rest, RSTART + 2, RLENGTH - 3)
		sub(/#.*/, "", token)
		if (token != "" && token !~ /^[a-z]+:/)
			put("link", token)
		rest = substr(rest, RSTART + RLENGTH)
	}
}
' $documents >"$scratch/tokens"

# has_path PATTERN - is there such a path, from the root or from src/?
has_path() {
	for found in $1 src/$1; do
		[ ! -e "$found" ] || return 0
	done
	return 1
}

# has_function NAME FILE... - is NAME declared or defined, at the beginning of a line?
has_function() {
	name=$1
	shift
	grep -qE "^([a-z][a-zA-Z0-9_ *]*[ *])?$name\(" "$@" /dev/null
}

while read -r place kind token sources; do
	case $kind in
	odd)
		wrong "$place: a backtick that is not closed in its line"
		;;
	path)
		case $token in build*/* | build*/) continue ;; esac # what the build makes
		has_path "$token" || wrong "$place: there is no $token"
		;;
	file)
		[ -n "$(find . -name "$token" ! -path './build*' | head -n 1)" ] ||
			wrong "$place: there is no $token"
		;;
	link)
		[ -e "$(dirname "${place%%:*}")/$token" ] || wrong "$place: a link to nothing: $token"
		;;
	target)
		grep -qE "^$token:" Makefile || wrong "$place: the Makefile has no target $token"
		;;
	conf)
		[ -n "$vmtimed" ] || continue
		"$vmtimed" -p -f "$token" >"$scratch/printed" 2>&1 ||
			wrong "$place: vmtimed does not understand this: $(head -n 1 "$scratch/printed")"
		;;
	function)
		files=
		for s in $sources; do
			for s in "$s" "src/$s"; do
				[ ! -f "$s" ] || files="$files $s"
			done
		done
		# shellcheck disable=SC2046,SC2086
		has_function "$token" ${files:-$(find src -name '*.[ch]')} ||
			wrong "$place: there is no function $token in${files:- src}"
		;;
	esac
done <"$scratch/tokens"

sed -n '/^layers() {/,/^}/p' tests/arch/check-layers.sh 2>/dev/null |
	sed '1,/END/d; /^END$/,$d' >"$scratch/table"
for block in "$scratch"/layers.*; do
	[ -f "$block" ] || continue
	cmp -s "$block" "$scratch/table" ||
		wrong "the block of layers in docs/ is not the table of check-layers.sh"
done

# Prints the options as mdoc writes them: "d", "\-conf\-reference".
options() {
	"$vmtimed" --help | sed -nE 's/^  -(-?[A-Za-z-]+).*/\1/p' | sed 's/-/\\-/g'
}

manual=man/vmtimed.8
if [ -n "$vmtimed" ] && [ -f "$manual" ]; then
	options >"$scratch/options"
	grep -q . "$scratch/options" || wrong "$vmtimed --help lists no options"
	while IFS= read -r option; do
		sed -n 's/^\.It Fl / /p' "$manual" | tr ' ' '\n' | grep -qxF -- "$option" ||
			wrong "$manual: the option -$option is not there"
	done <"$scratch/options"
fi

grep -q . "$scratch/tokens" || { echo "check-docs: the documents name nothing" >&2; exit 1; }
echo "$(grep -c . "$scratch/tokens") names in$documents"
exit $bad
