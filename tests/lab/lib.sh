# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# lib.sh - build the lab's two machines and run them; sourced by boot.sh, run.sh and bench.sh
#
# What the callers set: vmtimed, vmtime, vmtimed_static (paths, each may be empty), out (a folder for
# logs and samples), trees (a folder of machines' files for a scenario, or empty). What they call: lab_ready, lab_build, lab_boot.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${VMTIME_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmtime-lab}
busybox=$cache/tools/busybox

lab_say() { printf 'lab: %s\n' "$*"; }

lab_skip() { # the test cannot be done here, and this is why
	printf 'SKIP lab: %s\n' "$*"
	exit 77
}

# --- what is needed ------------------------------------------------------------------------------

lab_ready() { # everything downloaded, observers compiled, accelerator chosen
	local part r
	[[ $(uname -m) == x86_64 ]] || lab_skip "the lab is an x86-64 machine, this is a $(uname -m) one"
	mkdir -p "$out"
	"$lab_dir/fetch.sh" "$@" || {
		r=$?
		for part in tools kernel qemu peers; do
			[[ ! -e $cache/$part.failed ]] || lab_skip "$part: $(cat "$cache/$part.failed")"
		done
		lab_skip "fetch.sh ended with status $r"
	}
	observers
	choose_accelerator
}

observers() { # the observer programs, static, compiled once for each form of their sources
	local source program
	observers=$cache/observer/$(cat "$lab_dir"/observer/*.c | cksum | cut -d ' ' -f 1)
	mkdir -p "$observers"
	for source in "$lab_dir"/observer/*.c; do
		program=$observers/$(basename "$source" .c)
		[[ ! -x $program ]] || continue
		"${CC:-cc}" -std=gnu17 -O2 -static -o "$program.$$" "$source" -lm ||
			lab_skip "no static program can be compiled here (is the static libc installed?)"
		mv "$program.$$" "$program"
	done
}

qemu() {
	QEMU_MODULE_DIR=$cache/qemu/modules exec "$cache/qemu/lib/ld-linux-x86-64.so.2" \
		--library-path "$cache/qemu/lib" "$cache/qemu/bin/qemu-system-x86_64" -L "$cache/qemu/share" "$@"
}

# --- the two file systems ------------------------------------------------------------------------

pack() { # pack TREE FILE: as the kernel reads it; not compressed, unpacking would cost more than reading
	(cd "$1" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$2"
}

with_libraries() { # with_libraries TREE PROGRAM: PROGRAM to lab/bin and its libraries to their places
	local tree=$1 program=$2 library
	cp -L "$program" "$tree/lab/bin/"
	for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ )]*'); do
		(cd / && cp -Ln --parents "$library" "$tree/")
	done
}

build_guest() { # build_guest TREE
	local tree=$1 module program
	mkdir -p "$tree"/{bin,etc,lab/bin,lab/modules/vsock,lab/configs}
	cp "$busybox" "$tree/bin/"
	cp "$lab_dir/guest/init" "$tree/init"
	cp -r "$lab_dir"/{guest,scenarios,configs} "$tree/lab/"
	cp "$observers"/{phcwatch,statuswatch,rawstamp,evaluate,labclock,mapped} "$tree/lab/bin/"
	for module in ptp_kvm ptp_vmclock brd; do
		cp "$cache/kernel/modules/$module.ko" "$tree/lab/modules/" 2>/dev/null || true
	done
	for module in vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport; do
		cp "$cache/kernel/modules/$module.ko" "$tree/lab/modules/vsock/" 2>/dev/null || true
	done
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'vmtime:x:990:990::/:/bin/false' \
		'nobody:x:65534:65534::/:/bin/false' >"$tree/etc/passwd"
	printf '%s\n' 'root:x:0:' 'vmtime:x:990:' 'nogroup:x:65534:' >"$tree/etc/group"
	for program in "${vmtimed:-}" "${vmtime:-}"; do
		[[ -z $program ]] || with_libraries "$tree" "$program"
	done
	[[ -z ${vmtimed_static:-} ]] || cp "$vmtimed_static" "$tree/lab/bin/vmtimed-static"
	if [[ -n ${trees:-} ]]; then
		mkdir -p "$tree/lab/trees"
		cp -a "$trees"/* "$tree/lab/trees/"
	fi
	if [[ -n ${peers:-} ]]; then
		cp "$cache"/peers/bin/* "$tree/lab/bin/"
		mkdir -p "$tree/lib/x86_64-linux-gnu" "$tree/lib64"
		cp -n "$cache"/peers/lib/*.so* "$tree/lib/x86_64-linux-gnu/"
		cp -n "$cache/peers/lib/ld-linux-x86-64.so.2" "$tree/lib64/"
	fi
}

guest_devices() { # what this QEMU can give the guest beyond the common
	printf -- '-device vmgenid,guid=auto '
	(qemu -M none -device vmclock,help >/dev/null 2>&1) && printf -- '-device vmclock '
	echo
}

# lab_build PLAN-FILE: the initial file system of the lab's host, with the guest's inside.
lab_build() {
	local work=$out/build program
	rm -rf "$work"
	mkdir -p "$work"/host/{bin,lab/bin,qemu}
	build_guest "$work/guest"
	pack "$work/guest" "$work/host/lab/guest.cpio"
	cp "$busybox" "$work/host/bin/"
	cp "$lab_dir/host/init" "$work/host/init"
	cp -r "$lab_dir/host" "$work/host/lab/"
	cp -r "$cache/kernel/modules" "$cache/kernel/vmlinuz" "$work/host/lab/"
	cp -r "$cache/qemu/." "$work/host/qemu/"
	cp "$observers"/{labclock,vsocksay} "$work/host/lab/bin/"
	for program in ${hostd:+"$hostd" "$vmtime"}; do
		with_libraries "$work/host" "$program"
	done
	[[ -z ${hostd:-} ]] || mv -T "$work/host/lab/bin/${hostd##*/}" "$work/host/lab/bin/hostd"
	cp "$1" "$work/host/lab/plan"
	guest_devices >"$work/host/lab/guest-devices"
	pack "$work/host" "$out/host.cpio"
	rm -rf "$work"
}

# --- running -------------------------------------------------------------------------------------

# lab_machine ACCELERATOR SECONDS [QEMU-ARGUMENT...]: run the lab's machine; its words come to stdout.
# The hard limit is on the QEMU process itself, which is this shell's child: nothing outlives it.
lab_machine() {
	local accelerator=$1 seconds=$2 cpu
	shift 2
	case $accelerator in
	kvm) cpu='-accel kvm -cpu host' ;;
	*) cpu='-accel tcg,thread=multi -cpu max,+svm' ;;
	esac
	# shellcheck disable=SC2086 # words of arguments
	(qemu $cpu -smp 2 -m 2048 -display none -vga none -nic none -no-reboot -nodefaults \
		-kernel "$cache/kernel/vmlinuz" -initrd "$out/host.cpio" \
		-append "console=ttyS0 quiet panic=1 loglevel=4 tsc=reliable lab.host lab.accelerator=$accelerator" \
		-serial "file:$out/host-console.log" -device virtio-serial-pci \
		-chardev file,id=out,path=/dev/fd/1,append=on -device virtserialport,chardev=out,name=lab.out \
		-chardev "file,id=data,path=$out/results.tar" -device virtserialport,chardev=data,name=lab.data \
		-chardev "file,id=console,path=$out/guest-console.log" \
		-device virtserialport,chardev=console,name=lab.console \
		"$@" <"${lab_input:-/dev/null}" 2>"$out/qemu.log") &
	local machine=$!
	trap 'kill -9 $machine 2>/dev/null || true' EXIT
	trap 'exit 130' INT TERM
	(sleep "$seconds" & nap=$!; trap 'kill $nap 2>/dev/null' EXIT; trap exit TERM; wait $nap; echo "TIMEOUT after $seconds s"; kill -9 $machine) &
	local guard=$!
	wait $machine 2>/dev/null || true
	kill $guard 2>/dev/null || true
	wait $guard 2>/dev/null || true
	trap - EXIT INT TERM
}

# The existence of /dev/kvm proves nothing: only a guest of a guest that comes up under it does. The
# answer is kept for as long as kernel, processor and QEMU stay the same.
choose_accelerator() {
	local key answer=tcg plan
	accelerator=tcg
	[[ -w /dev/kvm ]] || return 0
	key=$(uname -r; grep -m 1 'model name' /proc/cpuinfo; cat "$cache/qemu/version" "$cache/kernel/version")
	if [[ ! -e $cache/accelerator || $(sed 1d "$cache/accelerator") != "$key" ]]; then
		lab_say "does /dev/kvm carry a guest of a guest? Trying it, at most 40 s"
		plan=$out/plan
		echo 'probe lab.scenarios=' >"$plan"
		(vmtimed='' vmtime='' vmtimed_static='' peers=''; lab_build "$plan")
		lab_machine kvm 40 >"$out/probe.log" 2>&1
		grep -q '^END guest probe' "$out/probe.log" && answer=kvm
		printf '%s\n%s\n' $answer "$key" >"$cache/accelerator.$$"
		mv "$cache/accelerator.$$" "$cache/accelerator"
		[[ $answer == kvm ]] && lab_say "it does" || lab_say "it does not: the lab's machine is emulated"
	fi
	accelerator=$(head -n 1 "$cache/accelerator")
}

# lab_boot PLAN-FILE SECONDS [QEMU-ARGUMENT...]: what the lab says comes to stdout and to $out/report.log,
# samples and the daemon's log of every guest to $out/LABEL/. Returns 0 when everything passed, 1 when
# something failed, 77 when all was skipped.
lab_boot() {
	local plan=$1 seconds=$2 from
	shift 2
	lab_build "$plan"
	lab_say "booting, $([[ $accelerator == kvm ]] && echo 'with KVM' || echo 'emulated'), QEMU $(cat "$cache/qemu/version"), Linux $(cat "$cache/kernel/version"); logs in $out"
	lab_machine "$accelerator" "$seconds" "$@" | tee "$out/report.log"
	rm -f "$out/host.cpio"
	[[ ! -s $out/results.tar ]] || tar -x -m -i -C "$out" -f "$out/results.tar" || true
	lab_verdict "$plan"
}

# lab_shell PLAN-FILE: the same for a person: the guest's console is this terminal, and nothing is judged.
lab_shell() {
	local saved lab_input=/dev/tty
	saved=$(stty -g)
	lab_build "$1"
	# Ctrl-A is the escape of QEMU's multiplexer; a terminal left raw is put right again.
	lab_machine "$accelerator" 86400 -chardev stdio,id=shell,mux=on,signal=off \
		-device virtserialport,chardev=shell,name=lab.shell || true
	stty "$saved"
	rm -f "$out/host.cpio"
}

lab_verdict() {
	local plan=$1 label words bad=0
	while read -r label words; do
		grep -qx "END guest $label" "$out/report.log" || {
			lab_say "guest $label did not come to its end"
			bad=1
		}
	done <"$plan"
	[[ $bad == 0 ]] || { tail -n 12 "$out"/{host-console,guest-console,qemu}.log; return 1; }
	lab_say "$(grep -c '^PASS' "$out/report.log") checks passed, $(grep -c '^FAIL' "$out/report.log") failed, $(grep -c '^SKIP' "$out/report.log") skipped"
	! grep -q '^FAIL' "$out/report.log" || return 1
	grep -q '^PASS' "$out/report.log" || return 77
}
