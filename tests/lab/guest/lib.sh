# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - what a scenario has to work with in the lab's guest
#
# A scenario is a short shell script. It starts the daemon, starts the observer, asks the lab's host
# for a disruption, and judges the observer's samples with check. Figures come from phcwatch and
# evaluate alone, never from the daemon under test.

LAB_daemon=${LAB_daemon:-vmtimed}
LAB_config=${LAB_config:-none}
LAB_user=${LAB_user:-root}
results=/results/$LAB_label

# --- talking to the lab's host -------------------------------------------------------------------

# The bar keeps a line's indentation through the shell that reads it.
say() { echo "say |$*" >&3; }

# host REQUEST...: ask for something and wait until it is done; the answer is in $reply. Requests:
# pause SECONDS, restore SECONDS, migrate DOWNTIME_LIMIT_MS, snapshot, load SECONDS, suspend SECONDS,
# step SECONDS, pausestep SECONDS STEP_S, leap LEAD_S, clocksource NAME, slew INTERVAL_S SIGMA_PPB SEED,
# slew off. host/lib.sh has them.
host() {
	echo "$*" >&3
	read -r reply <&3
	case $reply in ok*) ;; *) say "FAIL host $*: $reply"; return 1 ;; esac
}

# --- judging -------------------------------------------------------------------------------------

# check WHAT VALUE UNIT LIMIT [SCALE]: PASS where VALUE times SCALE is a number not above LIMIT.
check() {
	check_line "$1" "$2" "$3" "$4" "${5:-1}" '<=' 'at most'
}

# check_above WHAT VALUE UNIT LIMIT [SCALE]: the same, the other way round.
check_above() {
	check_line "$1" "$2" "$3" "$4" "${5:-1}" '>=' 'at least'
}

check_line() {
	say "$(awk -v what="$name: $1" -v value="$2" -v unit="$3" -v limit="$4" -v scale="$5" -v op="$6" -v words="$7" 'BEGIN {
		number = value ~ /^-?[0-9.]+$/
		shown = number ? sprintf("%.6g", value * scale) : (value == "" ? "nothing" : value)
		good = number && (op == "<=" ? value * scale <= limit : value * scale >= limit)
		printf "%s %s: %s %s (%s %s)", good ? "PASS" : "FAIL", what, shown, unit, words, limit
	}')"
}

# check_text WHAT FILE PATTERN: PASS where a line of FILE matches the extended expression.
check_text() {
	if grep -Eiq -- "$3" "$2"; then
		say "PASS $name: $1: $(grep -Eim 1 -- "$3" "$2" | sed 's/^ *//' | cut -c 1-110)"
	else
		say "FAIL $name: $1: nothing in the output matches '$3'; it was:"
		show "$2"
	fi
}

check_no_text() {
	if grep -Eiq -- "$3" "$2"; then
		say "FAIL $name: $1: $(grep -Eim 1 -- "$3" "$2")"
	else
		say "PASS $name: $1"
	fi
}

show() { # show FILE: to the reader, indented
	while IFS= read -r line; do say "    $line"; done <"$1"
}

# words NS: nanoseconds, without a sign, in the unit that a person would choose.
words() {
	awk -v ns="$1" 'BEGIN {
		if (ns !~ /^-?[0-9.]+$/) { print ns; exit }
		ns = ns < 0 ? -ns : ns
		if (ns < 1e3) printf "%.0f ns", ns
		else if (ns < 1e6) printf "%.1f us", ns / 1e3
		else if (ns < 1e9) printf "%.1f ms", ns / 1e6
		else printf "%.3f s", ns / 1e9
	}'
}

seconds() { case $1 in *[0-9]) printf '%.2f s' "$1" ;; *) echo "$1" ;; esac; }

# evaluated ...: run evaluate, its figures become shell variables.
evaluated() {
	used= lock_s= before_ns= failed= mean_ns= width_ns= rms_ns= max_ns= lost_s= repair_s= below_1us_s= worst_after_ns= end_ns=
	jump_at= hole_s= noticed_s= blind_s= worst_ok_ns= lies= replies_n= ok= jumps= repaired= overtaken= unrepaired=
	repair_p50_s= repair_p95_s= repair_p100_s= noticed_p50_s= noticed_p95_s= noticed_p100_s=
	eval "$(evaluate "$@")"
}

# --- clocks and observer -------------------------------------------------------------------------

clocksource() { cat /sys/devices/system/clocksource/clocksource0/current_clocksource; }
set_clocksource() { echo "$1" >/sys/devices/system/clocksource/clocksource0/current_clocksource; }
raw_now() { rawstamp -; }

kvm_ptp() { # the device node of the host's clock, found by what it is
	grep -lx 'KVM virtual PTP' /sys/class/ptp/*/clock_name 2>/dev/null |
		sed -n '1s|.*/\(ptp[0-9]*\)/.*|/dev/\1|p'
}

# watch_start NAME INTERVAL_MS: samples to $results/NAME.samples until watch_stop. On a clocksource
# that has no precise cross-timestamp they are brackets.
watch_start() {
	local brackets=-b
	[ "$(clocksource)" != kvm-clock ] || brackets=
	samples=$results/$1.samples
	# shellcheck disable=SC2086 # an option or nothing
	phcwatch $brackets "${watched:-$(kvm_ptp)}" "$2" >"$samples" 2>"$samples.back" &
	watcher=$!
}

# watch_start_told ...: the same, and what the daemon says of itself to $results/NAME.status. Asking costs
# an emulated processor a tenth of its time, so it is not done where the clock's quality is measured.
watch_start_told() {
	told=$results/$1.status
	case $LAB_daemon in
	vmtimed*) statuswatch /run/vmtime/vmtimed.sock 40 >"$told" & asker=$! ;;
	*) : >"$told"; asker= ;;
	esac
	watch_start "$@"
}

watch_stop() {
	# shellcheck disable=SC2086 # one number or two
	kill $watcher $asker
	# shellcheck disable=SC2086
	wait $watcher $asker 2>/dev/null
	asker=
	# A line for each of MONOTONIC, MONOTONIC_RAW and BOOTTIME that did; a file that is not there is no 0.
	cat "$samples.back" >&2
	check "monotonic clocks that went back" "$(wc -l <"$samples.back")" '' 0
}

# judge_jump FROM WHAT: the first jump after FROM, by the promises for a repair without any event.
# A reply takes some milliseconds to be asked for and given, and the next reading may be a second away.
#
# Where no sample came between the jump and its repair, it was over within the longest time between two of
# them. That it happened at all shows by the step that the daemon counts.
judge_jump() {
	evaluated jump "$samples" "$1" 1e6 "$told"
	if [ "$lost_s" = 0 ]; then
		repair_s=$(longest_gap "$samples" "$1")
		noticed_s=$repair_s
		[ "$(steps_told "$1")" -ge 1 ] || repair_s=never
	fi
	row
	check "$2 to |error| < 1 ms" "$repair_s" s 1.3
	case $LAB_daemon in vmtimed*) ;; *) return ;; esac
	check "$2 to a status that tells" "$noticed_s" s 1.15
	check "replies that promised too much" "$lies" '' 0
}

longest_gap() { # longest_gap FILE FROM: in seconds
	awk -v from="$2" '$1 > from && last && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%.6f", gap }' "$1"
}

steps_told() { # steps_told FROM: how many steps the daemon told of since
	awk -v from="$1" '$6 ~ /^[0-9]+$/ { if ($2 < from) before = $6; after = $6 } END { print after - before }' "$told"
}

# row: the figures of a jump in one line, from which full.sh makes its table.
row() {
	say "  = $name: lost $lost_s s; told after $noticed_s s; < 1 ms after $repair_s s; < 1 us after $below_1us_s s; status ok and wrong for $blind_s s by $(words "$worst_ok_ns")"
}

# --- the daemon under test -----------------------------------------------------------------------

daemon_pid() { cat /run/lab.pid 2>/dev/null; }
daemon_runs() { [ -n "$(daemon_pid)" ] && kill -0 "$(daemon_pid)" 2>/dev/null; }

# daemon_start [ARGUMENT...]: start it; the instant of its start, on CLOCK_MONOTONIC_RAW, is in $started.
daemon_start() {
	local conf=/lab/configs/$LAB_config.conf
	rm -f /etc/vmtime/vmtime.conf
	[ "$LAB_config" = none ] || cp "$conf" /etc/vmtime/vmtime.conf
	case $LAB_daemon in
	vmtimed | vmtimed-static)
		[ "$LAB_config" = none ] || set -- -f /etc/vmtime/vmtime.conf "$@"
		set -- "$LAB_daemon" -d -u "$LAB_user" "$@"
		;;
	chronyd)
		mkdir -p /run/chrony /var/lib/chrony /var/log/chrony
		chmod 770 /run/chrony
		[ "$LAB_config" != none ] || conf=/lab/configs/line.conf
		set -- chronyd -d -u root -f "$conf" "$@"
		;;
	phc2sys) set -- phc2sys -s "$(kvm_ptp)" -c CLOCK_REALTIME -O 0 -R 1 -m ;;
	esac
	rawstamp /run/lab.started "$@" >>"$results/daemon.log" 2>&1 &
	echo $! >/run/lab.pid
	# Nothing else may run now: in the emulated machine a single fork costs a fifth of the limit.
	sleep 1
	started=$(cat /run/lab.started)
}

# daemon_ensure: for a scenario that needs a daemon in its steady state.
daemon_ensure() {
	daemon_runs && return
	daemon_start
	sleep 5
	daemon_runs || say "FAIL $name: $LAB_daemon does not run: $(tail -n 1 "$results/daemon.log")"
}

daemon_stop() {
	daemon_runs || return 0
	kill "$(daemon_pid)"
	local i=0
	while daemon_runs && [ $i -lt 30 ]; do sleep 0.1; i=$((i + 1)); done
	rm -f /run/lab.pid /run/lab.started
}

# --- what the daemon says ------------------------------------------------------------------------

# json NAME FILE: the first number called NAME, digits only.
json() { grep -o "\"$1\": *-\{0,1\}[0-9.]*" "$2" | head -n 1 | sed 's/.*: *//'; }
