#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# selftest-scripts.sh - can make test and need.sh be trusted?
#
# tally.py is given made-up logs of meson; need.sh a made-up apt and dnf that
# write down what they are asked.  Nothing is installed.
set -u

scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
cases=0

# expect NAME STATUS TEXT - compares $status and looks for a whole line TEXT in the output
expect() {
	cases=$((cases + 1))
	if [ "$status" -ne "$2" ] || ! grep -qxF -e "$3" "$dir/out"; then
		echo "$1: expected status $2 and \"$3\"; status $status and:"
		cat "$dir/out"
		failures=$((failures + 1))
	fi
}

# never NAME TEXT - TEXT occurs nowhere in the output
never() {
	cases=$((cases + 1))
	if grep -qF -e "$2" "$dir/out"; then
		echo "$1: \"$2\" must not appear in:"
		cat "$dir/out"
		failures=$((failures + 1))
	fi
}

# log RESULT STDOUT [STDERR] - adds a test to the log
log() {
	printf '{"name": "vmtime:unit / t", "result": "%s", "returncode": 1, "stdout": "%s", "stderr": "%s"}\n' \
		"$1" "$2" "${3-}" >>"$dir/log"
}

# tally [STATUS [STEP]] - counts the log as suite "unit", and starts a new one
tally() {
	echo "suite unit ${1:-0} $dir/log" >"$dir/runs"
	[ -z "${2-}" ] || echo "step $2" >>"$dir/runs"
	python3 "$scripts/tally.py" "$dir/runs" >"$dir/out" 2>&1
	status=$?
	rm -f "$dir/log"
}

test_tally() {
	log OK '1..1'
	log SKIP 'looking\nskip: no moon\nbye'
	tally
	expect 'a pass and a skip' 0 '1 passed, 0 failed, 1 skipped'
	expect 'the reason of a skip' 0 'skipped: unit / t: skip: no moon'

	log OK ''
	log SKIP 'half\n' 'the last line counts\n\n'
	tally
	expect 'a reason in plain words' 0 'skipped: unit / t: the last line counts'

	for result in FAIL TIMEOUT ERROR EXPECTEDFAIL UNEXPECTEDPASS INTERRUPT NEW; do
		log OK ''
		log $result 'this is why'
		tally 1
		expect "$result" 1 '1 passed, 1 failed, 0 skipped'
		expect "$result shows the output" 1 '    this is why'
	done

	log OK ''
	log SKIP ''
	tally
	expect 'a skip without a reason' 1 '1 passed, 1 failed, 0 skipped'
	log OK ''
	log SKIP 'SKIPPED'
	tally
	expect 'a skip with an empty reason' 1 '1 passed, 1 failed, 0 skipped'
	log OK 'ok 1 - a\nok 2 - b # SKIP later'
	tally
	expect 'a hidden skip, TAP' 1 '0 passed, 1 failed, 0 skipped'
	log OK '[  SKIPPED ] test_b'
	tally
	expect 'a hidden skip, cmocka' 1 '0 passed, 1 failed, 0 skipped'

	tally
	expect 'no log' 1 '0 passed, 1 failed, 0 skipped'
	log SKIP 'skip: all of it'
	tally
	expect 'nothing passed' 1 '0 passed, 0 failed, 1 skipped'
	log OK ''
	tally 125
	expect 'meson fails, its tests do not' 1 '1 passed, 1 failed, 0 skipped'
	log OK ''
	tally 0 'build'
	expect 'a failed step' 1 'step failed: build'
	expect 'a failed step is counted' 1 '1 passed, 1 failed, 0 skipped'
}

# Makes PATH hold only the made-up package managers and what a script needs.
make_tools() {
	tools=$dir/tools
	rm -rf "$tools" "$dir/asked" "$dir/installed"
	mkdir "$tools"
	: >"$dir/asked"
	: >"$dir/installed"
	for name in sh awk grep sed tr cat env; do
		ln -s "$(command -v $name)" "$tools/$name"
	done
}

# program NAME - a made-up program whose body is standard input
program() {
	{ printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$1" "$dir/asked" && cat; } >"$tools/$1"
	chmod +x "$tools/$1"
}

fake_apt() {
	program dpkg-query <<END
for p; do :; done
grep -qx "\$p" "$dir/installed" && echo installed
END
	program apt-cache <<END
[ "\$2" != libclang-rt-dev ]
END
	program apt-get <<END
case "\$*" in
*" -s install "*) cat "$dir/plan" 2>/dev/null || true ;;
*" install "*) for p; do echo "\$p" >>"$dir/installed"; done ;;
esac
END
	rm -f "$dir/plan"
}

fake_dnf() {
	program rpm <<END
for p; do :; done
grep -qx "\$p" "$dir/installed"
END
	program dnf <<END
case "\$*" in
*list*) false ;;
*install*) for p; do echo "\$p" >>"$dir/installed"; done ;;
esac
END
}

fake_user() {
	program id <<END
echo $1
END
}

need() {
	PATH=$tools "$scripts/need.sh" "$@" >"$dir/out" 2>&1 </dev/null
	status=$?
	cat "$dir/asked" >>"$dir/out"
	: >"$dir/asked"
}

test_need_apt() {
	make_tools
	fake_apt
	fake_user 0
	need --list build
	expect 'apt: lists' 1 'need:   gcc                  the compiler'
	never 'apt: a list installs nothing' 'apt-get'
	need build
	expect 'apt: installs' 0 'need: done'
	expect 'apt: refreshes the index' 0 \
		'apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -q update'
	need build
	expect 'apt: the second time' 0 'need: build - everything is installed'
	never 'apt: the second time asks nobody' 'apt-get'
	need fuzz
	expect 'apt: does without an optional package' 0 'need: done'
	need fuzz
	never 'apt: and does not miss it' 'apt-get'
	need nonsense
	expect 'unknown set' 1 'need: unknown set "nonsense"'

	echo 'Remv systemd [252]' >"$dir/plan"
	need lab
	cases=$((cases + 1))
	grep -q 'installing would remove systemd' "$dir/out" && [ $status -eq 1 ] || {
		echo 'apt: a removal is not refused'
		failures=$((failures + 1))
	}
	never 'apt: a removal is not tried' 'apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install'
	echo 'Remv busybox [1:1.35]' >"$dir/plan"
	need lab
	expect 'apt: busybox may be replaced' 0 'need: busybox is replaced by one of them'
}

test_need_user() {
	make_tools
	fake_apt
	fake_user 1000
	need build
	expect 'no sudo' 1 'need: neither root nor sudo without a password.  Run as root:'
	expect 'no sudo: the command' 1 '    apt-get update && apt-get -q -y --no-install-recommends install gcc libc6-dev meson ninja-build pkgconf libev-dev libjansson-dev libaugeas-dev libvirt-dev libxml2-dev libmicrohttpd-dev libjs-dygraphs '
	never 'no sudo: nothing was tried' 'apt-get -o'
	program sudo <<END
[ "\$1" != -n ] || exit 1
END
	need build
	expect 'sudo wants a password, nobody is there' 1 \
		'need: neither root nor sudo without a password.  Run as root:'
	program sudo <<END
[ "\$1" != -n ] || shift
"\$@"
END
	need build
	expect 'sudo' 0 'need: done'
	expect 'sudo is used' 0 \
		'sudo apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -q update'
}

test_need_dnf() {
	make_tools
	fake_dnf
	fake_user 0
	need build
	expect 'dnf: installs' 0 'need: done'
	need build
	never 'dnf: the second time installs nothing' 'dnf -y'
	make_tools
	need build
	expect 'neither apt nor dnf' 1 'gcc'
}

test_tally
test_need_apt
test_need_user
test_need_dnf
echo "$cases cases, $failures failures"
[ $failures -eq 0 ]
