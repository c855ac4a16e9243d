# SPDX-License-Identifier: Apache-2.0
#
# fixed - a Debian guest with chrony boots with what `vmtime fix` made of its files
#
# /lab/trees has the files of such a machine, as installed and as fix left them. The guest is booted once
# with each ($1: before, after), and takes what the machine's own boot would take of them: it loads what
# modules-load.d names, gives the host's clock the link that udev gives it, and starts chronyd with
# chrony.conf. As installed chronyd does not know the host's clock. As fixed `chronyc sources` must show
# it, selected, as Red Hat's chapter asks for, and check must have nothing left to say of what fix mended.
name=fixed-$1

# boot_with TREE: what a boot does with the machine's files.
boot_with() {
	local file word node
	rm -rf /etc/chrony /etc/modules-load.d
	mkdir -p /usr/lib
	cp -a "/lab/trees/$1/etc/." /etc/
	cp "/lab/trees/$1/usr/lib/os-release" /usr/lib/
	for file in /etc/modules-load.d/*.conf; do
		[ -e "$file" ] || continue
		for word in $(grep -v '^[#;]' "$file"); do insmod "/lab/modules/$word.ko"; done
	done
	node=$(kvm_ptp)
	[ -z "$node" ] || ln -sf "${node#/dev/}" /dev/ptp_kvm
	mkdir -p /run/chrony /var/lib/chrony /var/log/chrony
	chmod 770 /run/chrony
	chronyd -d -u root -f /etc/chrony/chrony.conf >>"$results/chronyd-$1.log" 2>&1 &
	chronyd=$!
}

# sources_until PATTERN SECONDS: what chronyc shows when a line matches, or in the end.
sources_until() {
	local i=0
	while [ $i -lt "$2" ]; do
		chronyc -n sources >"$results/sources" 2>&1
		! grep -q "$1" "$results/sources" || return 0
		sleep 1
		i=$((i + 1))
	done
}

judge_before() {
	sources_until 'MS Name' 20
	sleep 4
	sources_until 'MS Name' 1
	check_text "as installed, chronyd answers" "$results/sources" '^MS Name'
	check_no_text "as installed, the host's clock is no source" "$results/sources" '^#'
	vmtime check >"$results/check-before"
	check_text "as installed, check finds that" "$results/check-before" 'warning +refclock:'
}

judge_after() {
	sources_until '^#\*' 60
	check_text "chronyc sources, as fixed" "$results/sources" '^#\* *PHC0 '
	chronyc -n tracking >"$results/tracking" 2>&1
	check_text "chronyc tracking, as fixed" "$results/tracking" '^Reference ID.*PHC0'
	vmtime check >"$results/check-after"
	check_text "check was able to look" "$results/check-after" 'a KVM guest: '
	check_no_text "as fixed, check finds none of it" "$results/check-after" \
		'(ptp-kvm|refclock|refclock-device|makestep):'
}

boot_with "$1"
"judge_$1"
kill $chronyd
wait $chronyd
