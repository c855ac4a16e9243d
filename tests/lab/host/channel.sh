# SPDX-License-Identifier: Apache-2.0
#
# channel.sh - the lab's host speaks to the vmtimed in its guest, over vsock; sourced by lib.sh
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
