# SPDX-License-Identifier: Apache-2.0
#
# user - the daemon as its own user, its ordinary way: capabilities dropped but one, the control socket
# reachable by others, the configuration's device opened by the part that stays root.
name=user
daemon_ensure
owner=$(stat -c %u "/proc/$(daemon_pid)")
sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p; ' "/proc/$(daemon_pid)/status" >"$results/uid.txt"
[ "$(cat "$results/uid.txt")" = 990 ] && say "PASS user: the daemon's user is vmtime" ||
	say "FAIL user: the daemon's user is $(cat "$results/uid.txt") (files: $owner), not vmtime's 990"
effective=$(sed -n 's/^CapEff:[^0-9a-f]*//p' "/proc/$(daemon_pid)/status")
[ "$effective" = 0000000002000000 ] && say "PASS user: its only capability is CAP_SYS_TIME" ||
	say "FAIL user: its capabilities are $effective, not CAP_SYS_TIME alone"
su -s /bin/sh nobody -c "/lab/bin/vmtime status" >"$results/user-status.txt" 2>&1
check_text "anybody may ask it" "$results/user-status.txt" 'clock is right'
