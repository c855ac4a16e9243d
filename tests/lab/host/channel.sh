# SPDX-License-Identifier: Apache-2.0
#
# channel.sh - the lab's host speaks to the vmtimed in its guest, over vsock, by hand or by vmtime-hostd;
# sourced by lib.sh
#
# A guest has vsock where its line in the plan says lab.vsock=yes. As all its devices it speaks through
# ports (see guest_start), which for vsock is the form that QEMU's machines had until 5.0.

guest_cid=3
vsock_device="-device vhost-vsock-pci,guest-cid=$guest_cid,disable-legacy=off,disable-modern=on -global virtio-device.x-disable-legacy-check=true"

# The module's parts in the order of their loading; where one is missing there is no vsock in the lab.
channel_modules() {
	for module in vsock vmw_vsock_virtio_transport_common vhost_iotlb vhost vhost_vsock; do
		insmod "/lab/modules/$module.ko" || return 1
	done
}

channel_say() { # channel_say privileged|ordinary LINE [EVENT]
	local from=$1 line=$2
	shift 2
	vsocksay $guest_cid 9532 "$from" "$line" "$@"
}

# pause_nudged SECONDS REASON: as pause, and the guest is told as soon as QEMU tells that it goes on. The
# speaker is there before, as a host's daemon would be: starting a program takes longer than what it does.
request_pause_nudged() {
	local pid
	qmp '{"execute":"stop"}' && sleep "$1" || return 1
	channel_say privileged "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"$2\"}" '"RESUME"' <&7 >/tmp/said &
	pid=$!
	sleep 0.3
	echo '{"execute":"cont"}' >&6
	wait $pid || return 1
	read -r answer_more </tmp/said
}

# tell privileged|ordinary LINE: what the guest answers comes back with "ok".
request_tell() {
	local from=$1
	shift
	answer_more=$(channel_say "$from" "$*")
}

# --- vmtime-hostd --------------------------------------------------------------------------------

# A monitor of its own: one serves one client.
hostd_monitor='-qmp unix:/tmp/hostd.qmp,server=on,wait=off'
hostd_pid=

hostd_ask() { vmtime -s /tmp/hostd.sock guests "$@"; }

# hostd on: vmtime-hostd looks after this guest, and knows its vmtimed when this returns.
# hostd off: it ends; what it had to say of the guest comes back.
request_hostd() {
	local i=0
	case $1 in
	on)
		hostd -d 'libvirt off' 'http off' 'pidfile /' 'socket /tmp/hostd.sock' \
			"qemu guest qmp /tmp/hostd.qmp cid $guest_cid" \
			</dev/null >/tmp/hostd.log 2>&1 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
		hostd_pid=$!
		until hostd_ask --json 2>/dev/null | grep -q '"has_vmtimed": true'; do
			i=$((i + 1))
			[ $i -lt 100 ] || { cat /tmp/hostd.log; return 1; }
			sleep 0.1
		done
		;;
	off)
		answer_more=$(hostd_ask --json | sed -n 's/^ *"\(disruptions\|nudges\|sets\|failures\|state\)": *"*\([a-z0-9]*\).*/\1=\2/p' | tr '\n' ' ')
		kill "$hostd_pid"
		wait "$hostd_pid"
		sed 's/^/  /' /tmp/hostd.log | tail -n 4
		;;
	esac
}
