# SPDX-License-Identifier: Apache-2.0
#
# welcome - before somebody gets the guest's console: the daemon runs, and what to try is said.
name=welcome
daemon_start
cat >/etc/motd <<'END'

This is a KVM guest, vmtimed keeps its clock. Try:
    vmtime              is the clock right?
    vmtime sources -v   according to whom, read how?
    vmtime tracking
    pause 10            have the host stop this guest for 10 s, then ask again
    restore 5           the same by saving it to a file; slew 8 100 42 makes the host's clock wander
    phcwatch /dev/ptp0 500   the error in ns, by an eye of its own (second column)
`exit` or Ctrl-A X ends the lab.

END
cat >/root/.profile <<'END'
export PATH=/lab/bin:/bin:/sbin HOME=/root PS1='guest# '
host() { echo "$*" >&3; read -r reply <&3; echo "$reply"; }
pause() { host pause "${1:-10}"; }
restore() { host restore "${1:-5}"; }
slew() { host slew "$@"; }
cat /etc/motd
END
say "the guest's shell:"
