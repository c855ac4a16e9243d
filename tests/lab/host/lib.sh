# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - the lab's host: a guest's life, and the requests that it sends about itself
#
# A guest's two lines of command, its own requests and QEMU's monitor (QMP), are pairs of pipes in the
# file system, so a shell can serve them: fd 4 reads requests, 5 answers them, 6 writes QMP, 7 reads it.

clocksource_dir=/sys/devices/system/clocksource/clocksource0
clocksource() { cat $clocksource_dir/current_clocksource; }

qemu() {
	QEMU_MODULE_DIR=/qemu/modules exec /qemu/lib/ld-linux-x86-64.so.2 --library-path /qemu/lib \
		/qemu/bin/qemu-system-x86_64 -L /qemu/share "$@"
}

# Devices speak through ports, none through memory, and there is no memory-mapped PCI configuration: in
# the emulated SVM a device access through memory fails now and then, when it is the first exit after an
# exception in the guest (QEMU leaves the exception's type in the exit information, and KVM since 6.14
# takes it for an exception that is still being delivered: "KVM internal error, suberror 3").
guest_start() { # guest_start WORDS [QEMU-ARGUMENT...]
	local words=$1 shell=null devices
	shift
	[ -z "$(port lab.shell)" ] || shell="pipe,path=$(port lab.shell)"
	devices=$(cat /lab/guest-devices)
	# shellcheck disable=SC2086 # words of arguments
	qemu -accel kvm -cpu host -M pc,hpet=off -m 192 -display none -vga none -nic none -no-reboot \
		-nodefaults $devices -device virtio-serial-pci,disable-modern=on \
		-serial "file:$(port lab.console)" \
		-qmp pipe:/tmp/qmp \
		-chardev pipe,id=ctl,path=/tmp/ctl -device virtserialport,chardev=ctl,name=lab.ctl \
		-chardev "file,id=data,path=$(port lab.data)" -device virtserialport,chardev=data,name=lab.data \
		-chardev "$shell,id=shell" -device virtconsole,chardev=shell \
		-kernel /lab/vmlinuz -initrd /lab/guest.cpio \
		-append "console=ttyS0 quiet panic=1 loglevel=4 tsc=reliable lab.label=$guest_label lab.accelerator=$LAB_accelerator $words" "$@" \
		</dev/null >/tmp/qemu.log 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- &
	qemu_pid=$!
	qmp '{"execute":"qmp_capabilities"}'
}

qmp() { # qmp COMMAND: wait for its answer, in $answer; events on the way are passed over
	echo "$1" >&6
	while read -r -t 30 answer <&7; do
		case $answer in
		'{"return"'*) return 0 ;;
		'{"error"'*) echo "  QMP: $1: $answer"; return 1 ;;
		esac
	done
	return 1
}

answer() { echo "$*" >&5; }

# --- requests ------------------------------------------------------------------------------------

request_pause() {
	qmp '{"execute":"stop"}' && sleep "$1" && qmp '{"execute":"cont"}'
}

# The guest's memory goes to a file, its QEMU ends, and later another QEMU takes it up from there.
request_restore() {
	qmp '{"execute":"stop"}' &&
		qmp '{"execute":"migrate","arguments":{"uri":"file:/tmp/saved"}}' || return 1
	while qmp '{"execute":"query-migrate"}'; do
		case $answer in
		*'"status": "completed"'*) break ;;
		*'"status": "failed"'*) echo "  $answer"; return 1 ;;
		esac
		sleep 0.2
	done
	qmp '{"execute":"quit"}'
	wait $qemu_pid
	echo "  saved to a file of $(($(stat -c %s /tmp/saved) / 1048576)) MB; its QEMU has ended"
	sleep "$1"
	guest_start "$guest_words" -incoming 'file:/tmp/saved'
	while qmp '{"execute":"query-status"}'; do
		case $answer in *'"inmigrate"'*) sleep 0.1 ;; *) break ;; esac
	done
	rm -f /tmp/saved
	qmp '{"execute":"cont"}'
}

request_clocksource() {
	grep -qw "$1" $clocksource_dir/available_clocksource || return 1
	echo "$1" >$clocksource_dir/current_clocksource
	[ "$(clocksource)" = "$1" ]
}

request_slew() {
	[ -z "$slew_pid" ] || kill "$slew_pid"
	slew_pid=
	if [ "$1" = off ]; then
		adjtimex -f 0 >/dev/null
	else
		hostslew "$@" &
		slew_pid=$!
	fi
}

# --- one guest -----------------------------------------------------------------------------------

guest_is_alive() { # a guest that the processor gave up keeps its QEMU, but nothing runs in it any more
	kill -0 $qemu_pid 2>/dev/null || return 1
	qmp '{"execute":"query-status"}' || return 0
	case $answer in *'"internal-error"'* | *'"guest-panicked"'*) ;; *) return 0 ;; esac
	kill -9 $qemu_pid
	wait $qemu_pid
	return 1
}

# A read with a time limit would throw away what it has of a line when the limit falls into it, so the
# look at the guest is a request too, written beside the guest's: each line is one write, hence whole.
guest_watch() {
	while sleep 5; do echo look >&4; done
}

guest_serve() { # until the guest has ended
	local watch
	guest_watch &
	watch=$!
	while kill -0 $qemu_pid 2>/dev/null; do
		read -r word arguments <&4
		case $word in
		look) guest_is_alive || break ;;
		say) printf '%s\n' "${arguments#|}" ;;
		pause | restore | clocksource | slew)
			# shellcheck disable=SC2086 # words of arguments
			if request_$word $arguments; then answer ok; else answer "failed: $answer"; fi
			;;
		shell) answer ok ;;
		end) answer ok; guest_ended=yes; wait $qemu_pid ;;
		*) answer "failed: no such request: $word" ;;
		esac
	done
	kill $watch
}

guest_run() { # guest_run LABEL WORDS
	guest_label=$1
	guest_words=$2
	guest_ended=
	rm -f /tmp/qmp.in /tmp/qmp.out /tmp/ctl.in /tmp/ctl.out
	mkfifo /tmp/qmp.in /tmp/qmp.out /tmp/ctl.in /tmp/ctl.out
	exec 4<>/tmp/ctl.out 5<>/tmp/ctl.in 6<>/tmp/qmp.in 7<>/tmp/qmp.out
	echo "GUEST $1"
	guest_start "$2"
	guest_serve
	request_slew off
	[ "$(clocksource)" = tsc ] || request_clocksource tsc
	sed 's/^/  QEMU: /' /tmp/qemu.log
	if [ -n "$guest_ended" ]; then
		echo "END guest $1"
	else
		echo "FAIL $1: the guest ended before its scenarios did"
	fi
}
