# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - the lab's host: a guest's life, and the requests that it sends about itself
#
# A guest's two lines of command, its own requests and QEMU's monitor (QMP), are pairs of pipes in the
# file system, so a shell can serve them: fd 4 reads requests, 5 answers them, 6 writes QMP, 7 reads it.
# There are two sets of them, since a live migration has two QEMUs; $seat is the one in use.
#
# A port of the lab's machine can be opened only once, so what QEMUs write there goes through pipes of
# this host too, which outlive them.

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
	case " $words " in *' lab.vsock=yes '*) devices="$devices $vsock_device" ;; esac
	case " $words " in *' lab.hostd=yes '*) devices="$devices $hostd_monitor" ;; esac
	# shellcheck disable=SC2086 # words of arguments
	qemu -accel kvm -cpu host -M pc,hpet=off -m 192 -display none -vga none -nic none -no-reboot \
		-nodefaults $devices -device virtio-serial-pci,disable-modern=on \
		-serial file:/tmp/console \
		-qmp "pipe:/tmp/qmp-$seat" \
		-chardev "pipe,id=ctl,path=/tmp/ctl-$seat" -device virtserialport,chardev=ctl,name=lab.ctl \
		-chardev file,id=data,path=/tmp/data -device virtserialport,chardev=data,name=lab.data \
		-chardev "$shell,id=shell" -device virtconsole,chardev=shell \
		-kernel /lab/vmlinuz -initrd /lab/guest.cpio \
		-append "console=ttyS0 quiet panic=1 loglevel=4 tsc=reliable lab.label=$guest_label lab.accelerator=$LAB_accelerator $words" "$@" \
		</dev/null >>/tmp/qemu.log 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
	qemu_pid=$!
	qmp '{"execute":"qmp_capabilities"}'
}

seat_make() { # seat_make NAME: pipes for one QEMU
	rm -f "/tmp/qmp-$1.in" "/tmp/qmp-$1.out" "/tmp/ctl-$1.in" "/tmp/ctl-$1.out"
	mkfifo "/tmp/qmp-$1.in" "/tmp/qmp-$1.out" "/tmp/ctl-$1.in" "/tmp/ctl-$1.out"
}

# What is in a pipe stays there for as long as anybody has it open, and its QEMU has.
seat_take() { # seat_take NAME: from here on this shell speaks with that QEMU
	seat=$1
	exec 4<>"/tmp/ctl-$1.out" 5<>"/tmp/ctl-$1.in" 6<>"/tmp/qmp-$1.in" 7<>"/tmp/qmp-$1.out"
	ln -sfn "ctl-$1.out" /tmp/requests
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

qmp_event() { # qmp_event NAME: wait for it, at most half a minute
	while read -r -t 30 answer <&7; do
		case $answer in *'"event": "'"$1"'"'*) return 0 ;; esac
	done
	return 1
}

answer() { echo "$*" >&5; }

# qmp_word NAME: the value of NAME in $answer, a number or a word.
qmp_word() {
	word=${answer#*"\"$1\": "}
	[ "$word" != "$answer" ] || word=none
	word=${word#\"}
	echo "${word%%[\",\}]*}"
}

# --- requests ------------------------------------------------------------------------------------

request_pause() {
	qmp '{"execute":"stop"}' && sleep "$1" && qmp '{"execute":"cont"}'
}

request_step() { labclock step "$1"; }

request_pausestep() { # the host's own clock is stepped while the guest stands still
	qmp '{"execute":"stop"}' && sleep "$1" && labclock step "$2" && sleep "$1" && qmp '{"execute":"cont"}'
}

# The guest hears the answer before it falls asleep; nobody else will wake it.
request_suspend() {
	answer ok
	qmp_event SUSPEND || { echo "  the guest did not suspend"; return 1; }
	sleep "$1"
	qmp '{"execute":"system_wakeup"}'
}

request_leap() { # leap LEAD_S: the host inserts a leap second LEAD_S after the answer
	# Whoever has had a leap second today gets another only after a second without an announcement.
	labclock leap none && sleep 1.5 && labclock eve "$1" && labclock leap insert
}

migrate_to() { # migrate_to URI: and wait until everything has gone there
	qmp "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"$1\"}}" || return 1
	while qmp '{"execute":"query-migrate"}'; do
		case $(qmp_word status) in
		completed) return 0 ;;
		failed | cancelled) echo "  $answer"; return 1 ;;
		esac
		sleep 0.2
	done
	return 1
}

arrive() { # until the guest has been taken over
	while qmp '{"execute":"query-status"}'; do
		case $answer in *'"inmigrate"'*) sleep 0.1 ;; *) return 0 ;; esac
	done
	return 1
}

# The guest's memory goes to a file, its QEMU ends, and later another QEMU takes it up from there.
request_restore() {
	qmp '{"execute":"stop"}' && migrate_to file:/tmp/saved || return 1
	qmp '{"execute":"quit"}'
	wait $qemu_pid
	echo "  saved to a file of $(($(stat -c %s /tmp/saved) / 1048576)) MB; its QEMU has ended"
	sleep "$1"
	guest_start "$guest_words" -incoming 'file:/tmp/saved'
	arrive
	rm -f /tmp/saved
	qmp '{"execute":"cont"}'
}

# Another QEMU on this host waits, the guest's memory goes there while the guest runs (pre-copy), and
# the guest goes on there.
request_migrate() { # migrate DOWNTIME_LIMIT_MS
	local from=$seat from_pid=$qemu_pid to=b downtime
	[ "$seat" = a ] || to=a
	seat_make $to
	seat_take $to
	guest_start "$guest_words" -incoming unix:/tmp/migration
	seat_take "$from"
	qmp "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"downtime-limit\":$1,\"max-bandwidth\":4294967296}}" &&
		migrate_to unix:/tmp/migration || return 1
	downtime=$(qmp_word downtime)
	echo "  migrated in $(qmp_word total-time) ms and $(qmp_word dirty-sync-count) rounds, $(($(qmp_word transferred) / 1048576)) MB; QEMU's downtime $downtime ms"
	qmp '{"execute":"quit"}'
	wait "$from_pid"
	seat_take $to
	arrive
	answer_more="downtime_ms=$downtime"
}

# --- snapshots -----------------------------------------------------------------------------------

# A snapshot needs a place, which is a disk image that only QEMU knows of: the guest has no disk.
snapshot_place() {
	[ ! -e /tmp/snapshots ] || return 0
	qmp_job '{"execute":"blockdev-create","arguments":{"job-id":"file","options":{"driver":"file","filename":"/tmp/snapshots","size":0}}}' file &&
		qmp '{"execute":"blockdev-add","arguments":{"driver":"file","filename":"/tmp/snapshots","node-name":"file"}}' &&
		qmp_job '{"execute":"blockdev-create","arguments":{"job-id":"image","options":{"driver":"qcow2","file":"file","size":536870912}}}' image &&
		qmp '{"execute":"blockdev-add","arguments":{"driver":"qcow2","file":"file","node-name":"snapshots"}}'
}

qmp_job() { # qmp_job COMMAND ID: start it and wait until it has ended well
	qmp "$1" || return 1
	while qmp '{"execute":"query-jobs"}'; do
		case $(qmp_word status) in concluded) break ;; esac
		sleep 0.1
	done
	case $answer in *'"error"'*) echo "  $answer"; return 1 ;; esac
	qmp "{\"execute\":\"job-dismiss\",\"arguments\":{\"id\":\"$2\"}}"
}

snapshot_job() { # snapshot_job save|load
	qmp_job "{\"execute\":\"snapshot-$1\",\"arguments\":{\"job-id\":\"$1\",\"tag\":\"lab\",\"vmstate\":\"snapshots\",\"devices\":[\"snapshots\"]}}" "$1"
}

# The guest that asked for a snapshot gets an answer each time that it goes on from there: "ok saved",
# later "ok loaded 1", "ok loaded 2": it remembers nothing of what it did in between.
request_snapshot() {
	snapshot_place && snapshot_job save && answer_more=saved
	loads=0
}

request_load() { # load PAUSE_S: with a pause before
	sleep "$1"
	loads=$((loads + 1))
	snapshot_job load && answer_more="loaded $loads"
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
		labclock slew "$@" &
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
	while sleep 5; do echo look 1<>/tmp/requests; done
}

guest_serve() { # until the guest has ended
	local watch
	guest_watch 8>&- 9>&- &
	watch=$!
	while kill -0 $qemu_pid 2>/dev/null; do
		read -r word arguments <&4
		case $word in
		look) guest_is_alive || break ;;
		say) printf '%s\n' "${arguments#|}" ;;
		pause | restore | clocksource | slew | step | pausestep | leap | migrate | snapshot | load | pause_nudged | tell | hostd)
			answer_more=
			# shellcheck disable=SC2086 # words of arguments
			if request_$word $arguments; then answer "ok $answer_more"; else answer "failed: $answer"; fi
			;;
		suspend) request_suspend "$arguments" ;;
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
	rm -f /tmp/snapshots /tmp/qemu.log /tmp/console /tmp/data
	mkfifo /tmp/console /tmp/data
	exec 8<>/tmp/console 9<>/tmp/data
	cat /tmp/console >"$(port lab.console)" 8>&- 9>&- &
	pipes=$!
	cat /tmp/data >"$(port lab.data)" 8>&- 9>&- &
	pipes="$pipes $!"
	seat_make a
	seat_take a
	echo "GUEST $1"
	guest_start "$2"
	guest_serve
	request_slew off
	labclock leap none
	exec 8>&- 9>&-
	# shellcheck disable=SC2086 # two numbers
	wait $pipes
	[ "$(clocksource)" = tsc ] || request_clocksource tsc
	sed 's/^/  QEMU: /' /tmp/qemu.log
	if [ -n "$guest_ended" ]; then
		echo "END guest $1"
	else
		echo "FAIL $1: the guest ended before its scenarios did"
	fi
}
