#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check-words.sh ROOT - what no file of the project may say
#
#   a host name of a package archive or registry: what is needed comes through
#   the system's own configuration; a path of somebody's workplace; a note to
#   self that does not name its issue, as in TODO(#12); a source or script
#   without an SPDX line.  The licence's own text is not looked at.
set -eu

root=${1:?usage: check-words.sh ROOT}
cd "$root"

# The files that git knows or would take; everything where there is no git.
files() {
	if [ -e .git ] && git ls-files -co --exclude-standard 2>/dev/null; then
		return
	fi
	find . -type f ! -path './.git/*' ! -path './build*' | sed 's|^\./||'
}

# Only text: corpora and the like may hold any bytes.
list=$(files | LC_ALL=C sort | while read -r f; do
	if [ -f "$f" ] && [ "$f" != LICENSE ] && { [ ! -s "$f" ] || grep -Iq . "$f"; }; then
		echo "$f"
	fi
done | grep -v -e '^tests/fuzz/corpus/') || true
[ -n "$list" ] || { echo "check-words: no files in $root" >&2; exit 1; }

bad=0

# refuse WHY PATTERN [EXCEPTION] - no line may match PATTERN unless it matches EXCEPTION.
refuse() {
	found=$(echo "$list" | tr '\n' '\0' | xargs -0 grep -nEH -e "$2" -- /dev/null |
		grep -vE -e "${3:-^$}") || return 0
	echo "$found" | sed "s|^|$1: |"
	bad=1
}

zone='(org|com|net|io|dev)'
refuse 'archive or registry by name' \
	"(^|[^a-z0-9.])(deb|security|archive|snapshot|mirrors?|ftp|registry|download|dl|cdn|proxy|index|repo|files)[.][a-z0-9.-]+[.]$zone"
refuse 'archive or registry by name' \
	'(^|[^a-z0-9])(pypi|pythonhosted|crates|npmjs|ghcr|quay|docker|unpkg|jsdelivr)[.](org|com|io|net)'
refuse 'path of a workplace' '[.][.][/]shared|(^|[^a-zA-Z0-9_.-])/work[/]'
# The brackets keep this script from finding itself.
refuse 'note without an issue number' '(^|[^A-Za-z0-9_])(TO[D]O|FIX[M]E|XX[X])([^A-Za-z0-9_]|$)' \
	'(TO[D]O|FIX[M]E|XX[X])[(]#[0-9]+[)]'

for f in $list; do
	case $f in
	*.c | *.h | *.sh | *.py | Makefile | .ci/run) ;;
	*) head -c 2 "$f" | grep -q '^#!' || continue ;;
	esac
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0$\|SPDX-License-Identifier: Apache-2.0 \*/$' || {
		echo "no SPDX line: $f"
		bad=1
	}
done
exit $bad
