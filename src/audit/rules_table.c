/* SPDX-License-Identifier: Apache-2.0 */

/* rules_table.c - the table of rules, in the order in which findings of one severity are shown */

#include "audit/rules.h"

/* clang-format off */
static const struct finding_rule RULES[] = {
	{ .id = "container", .site = SITE_BOTH, .worst = FINDING_NOTE,
	  .title = "whose clock it is",
	  .reason = "A container has no clock of its own.",
	  .quiet = "It is the only rule that is looked at in a container, and says nothing elsewhere.",
	  .remedy = "Look at the machine that the container runs on.",
	  .judge = rule_container },

	{ .id = "two-daemons", .site = SITE_BOTH, .worst = FINDING_BROKEN,
	  .title = "more than one daemon for one clock",
	  .reason = "Two daemons that set one clock fight, and neither notices.",
	  .quiet = "One that only watches (chronyd -x, phc2sys between other clocks) does not count; "
	           "several that are enabled while one runs are a warning.",
	  .remedy = "Disable all but one; the finding names the command.",
	  .judge = rule_two_daemons },

	{ .id = "no-daemon", .site = SITE_BOTH, .worst = FINDING_BROKEN,
	  .title = "no daemon for the clock",
	  .reason = "A clock that nothing sets is off by seconds a day, and by hours after a pause.",
	  .quiet = "It says nothing where neither processes nor systemd's folders can be seen.",
	  .remedy = "Enable vmtimed, or another daemon.",
	  .judge = rule_no_daemon },

	{ .id = "refclock-device", .site = SITE_BOTH, .worst = FINDING_BROKEN,
	  .title = "the device that a refclock of chrony's names",
	  .reason = "chronyd does not start without the device, and /dev/ptp0 is the host's clock today "
	            "and a network card's tomorrow.",
	  .quiet = "A number is only a note while there is no other PTP clock; a network card's clock "
	           "under a name of its own is nobody's mistake.",
	  .remedy = "Name /dev/ptp_kvm, which udev makes for the host's clock.",
	  .judge = rule_refclock_device },

	{ .id = "clocksource", .site = SITE_BOTH, .worst = FINDING_BROKEN,
	  .title = "the counter beneath the kernel's clock",
	  .reason = "On a host that does not keep its clock by the TSC ptp_kvm works in no guest, and with "
	            "hpet or acpi_pm every reading of the clock is slow.",
	  .quiet = "tsc and kvm-clock are both right; in a guest it is a warning.",
	  .remedy = "fix takes clocksource= off the kernel's command line; why the kernel gave the TSC up "
	            "is for a person to find out.",
	  .judge = rule_clocksource },

	{ .id = "tsc-watchdog", .site = SITE_HOST, .worst = FINDING_BROKEN,
	  .title = "a TSC that the kernel's watchdog has found unstable",
	  .reason = "What the kernel has given up as unstable neither it nor its guests can keep time by.",
	  .quiet = "A watchdog that is turned off (tsc=reliable, tsc=nowatchdog) is a note.",
	  .remedy = "Look at the kernel's messages and at the firmware.",
	  .judge = rule_tsc_watchdog },

	{ .id = "no-kvmclock", .site = SITE_GUEST, .worst = FINDING_BROKEN,
	  .title = "a KVM guest without kvm-clock",
	  .reason = "Without kvm-clock ptp_kvm refuses to work, and the kernel keeps time by a counter that "
	            "nobody corrects for a migration.",
	  .quiet = "QEMU's emulator without KVM has none to offer, and is left alone.",
	  .remedy = "fix takes no-kvmclock off the kernel's command line.",
	  .judge = rule_no_kvmclock },

	{ .id = "ptp-kvm", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "the host's clock as a device, now and after a boot",
	  .reason = "Through ptp_kvm a guest reads its host's clock to a microsecond or better, and the "
	            "module is not loaded by itself.",
	  .quiet = "A kernel that has the module built in needs no file; one that has none gets a note.",
	  .remedy = "fix writes /etc/modules-load.d/ptp_kvm.conf and loads the module.",
	  .judge = rule_ptp_kvm },

	{ .id = "refclock", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "whether the daemon reads the host's clock",
	  .reason = "Over the network a guest's clock is right to tens of microseconds, by its host's to less "
	            "than one.",
	  .quiet = "vmtimed finds the host's clock by itself; files that could not be read are not judged.",
	  .remedy = "fix adds a refclock line for /dev/ptp_kvm to chrony.conf, or enables vmtimed instead.",
	  .judge = rule_refclock },

	{ .id = "refclock-poll", .site = SITE_BOTH, .worst = FINDING_WARNING,
	  .title = "a refclock that never yields anything",
	  .reason = "Up to chrony 4.6 a poll of a refclock with fewer than four readings in it is dropped.",
	  .quiet = "The defaults, poll 4 with dpoll 0, have sixteen.",
	  .remedy = "Write a dpoll that is two less than poll.",
	  .judge = rule_refclock_poll },

	{ .id = "makestep", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "a makestep that survives a resume",
	  .reason = "chronyd corrects what it may not step at 83333 ppm: twelve seconds for every second "
	            "that the guest was paused.",
	  .quiet = "vmtimed steps after a pause whatever makestep says, so there it is a note.",
	  .remedy = "fix sets makestep 1 -1.",
	  .judge = rule_makestep },

	{ .id = "rtcsync", .site = SITE_BOTH, .worst = FINDING_WARNING,
	  .title = "whether the kernel is told that its clock is right",
	  .reason = "Without rtcsync programs that ask the kernel hear that the clock is unsynchronised, and "
	            "the RTC is not set.",
	  .quiet = "rtcfile, and a vmtimed without a configuration file, do without.",
	  .remedy = "fix adds the line rtcsync.",
	  .judge = rule_rtcsync },

	{ .id = "guest-agent", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "the guest agent behind the channel that the host offers",
	  .reason = "Through the agent the host can set this clock after a resume and measure it.",
	  .quiet = "Without the channel there is nothing to run; where vmtimed sets the clock it is a note.",
	  .remedy = "Install and enable qemu-guest-agent.",
	  .judge = rule_guest_agent },

	{ .id = "hwclock", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "the program that the guest agent needs to set the clock",
	  .reason = "Without /sbin/hwclock the agent answers a set clock with an error, and cannot set it "
	            "from the RTC at all.",
	  .quiet = "It says nothing where no agent is installed.",
	  .remedy = "Install it: on Debian 12, Ubuntu 23.04 and later ones it is in util-linux-extra.",
	  .judge = rule_hwclock },

	{ .id = "rtc-local", .site = SITE_BOTH, .worst = FINDING_WARNING,
	  .title = "an RTC in local time",
	  .reason = "An RTC in local time is wrong by hours at a boot whose zone is not known yet, and twice a "
	            "year by one.",
	  .quiet = "No /etc/adjtime means UTC.",
	  .remedy = "timedatectl set-local-rtc 0",
	  .judge = rule_rtc_local },

	{ .id = "reboot", .site = SITE_BOTH, .worst = FINDING_WARNING,
	  .title = "what is configured for the kernel and not running",
	  .reason = "Arguments of the kernel count from the next boot on.",
	  .quiet = "Only arguments that concern the time are compared, and only where GRUB started the kernel "
	           "and its files could be read.",
	  .remedy = "Reboot when it suits.",
	  .judge = rule_reboot },

	{ .id = "constant-tsc", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "a TSC that is constant and never stops",
	  .reason = "A host whose TSC changes its rate or stops gives its guests no steady clock.",
	  .quiet = "In a guest it says nothing: kvm-clock accounts for it there.",
	  .remedy = "The findings cstates and frequency keep such a TSC steady.",
	  .judge = rule_constant_tsc },

	{ .id = "cstates", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "idle states in which the TSC may stop",
	  .reason = "Where the TSC is not invariant deep idle states stop it, and every guest's clock with it.",
	  .quiet = "It is only a note where the TSC is constant and never stops.",
	  .remedy = "fix adds processor.max_cstate=1 to the kernel's command line.",
	  .judge = rule_cstates },

	{ .id = "frequency", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "a processor whose frequency, and TSC, changes",
	  .reason = "Where the TSC is not constant it runs at the processor's frequency, and time with it.",
	  .quiet = "It is only a note where the TSC is constant; a governor that keeps one frequency is right.",
	  .remedy = "fix sets a governor that the processor has, by cpupower.service or a unit of its own.",
	  .judge = rule_frequency },

	{ .id = "cpupower", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "the service that sets the frequency at boot",
	  .reason = "A service that is not enabled, or asks for a governor that the processor has not, sets "
	            "nothing.",
	  .quiet = "Where the TSC is constant only an impossible governor is told.",
	  .remedy = "fix enables it.",
	  .judge = rule_cpupower },

	{ .id = "steal", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "time that the host gave to others",
	  .reason = "A guest that waits for a processor wakes up late and reads its clocks late.",
	  .quiet = "Up to 10 % is usual. Without --wait only the average since the boot is known.",
	  .remedy = "On the host, raise this guest's share, or run fewer guests.",
	  .judge = rule_steal },

	{ .id = "old-arguments", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "kernel arguments that old guests need and others do not",
	  .reason = "Releases before 6.1 of Red Hat's need them on hosts without a constant TSC; on newer ones "
	            "they take the TSC away or make the kernel panic.",
	  .quiet = "An old guest with kvm-clock or a constant TSC needs none.",
	  .remedy = "fix takes those away that a newer kernel has no use for; for old ones it says what to add.",
	  .judge = rule_old_arguments },

	{ .id = "guest-counter", .site = SITE_GUEST, .worst = FINDING_NOTE,
	  .title = "tsc or kvm-clock in a guest, and what each costs",
	  .reason = "kvm-clock is exact to read the host by, tsc needs no help of the host to go on: both keep "
	            "good time, and neither survives a restore.",
	  .quiet = "It is always a note.",
	  .remedy = "Nothing: vmtimed works with both and never changes it.",
	  .judge = rule_guest_counter },

	{ .id = "domain-kvmclock", .site = SITE_HOST, .worst = FINDING_BROKEN,
	  .title = "guests that are kept from kvm-clock",
	  .reason = "A guest without kvm-clock cannot load ptp_kvm either.",
	  .quiet = "Windows has no use for it.",
	  .remedy = "The definition is shown and never edited: virsh edit.",
	  .judge = rule_domain_kvmclock },

	{ .id = "domain-clock", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "guests whose RTC is not in UTC, or stops with them",
	  .reason = "Linux expects UTC in the RTC, and an RTC that runs on while the guest is paused is a "
	            "witness of the pause.",
	  .quiet = "Guests that look like Windows may have local time.",
	  .remedy = "The definition is shown and never edited: virsh edit.",
	  .judge = rule_domain_clock },

	{ .id = "domain-timers", .site = SITE_HOST, .worst = FINDING_NOTE,
	  .title = "the emulated timers of guests",
	  .reason = "A guest that counts ticks loses those that it cannot take, unless they are caught up.",
	  .quiet = "It is a note: a Linux with kvm-clock counts no ticks.",
	  .remedy = "The definition is shown and never edited: virsh edit.",
	  .judge = rule_domain_timers },

	{ .id = "invtsc", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "guests that require invtsc",
	  .reason = "A guest that is promised an invariant TSC uses tsc as its clocksource, and libvirt neither "
	            "saves nor migrates it.",
	  .quiet = "With the TSC's frequency in the definition it may be migrated; it is a note where nothing "
	           "saves the guests at shutdown.",
	  .remedy = "The definition is shown and never edited: virsh edit.",
	  .judge = rule_invtsc },

	{ .id = "agent-channel", .site = SITE_HOST, .worst = FINDING_NOTE,
	  .title = "guests without a channel for the guest agent",
	  .reason = "Without it the host can neither see nor set the guest's clock.",
	  .quiet = "It is a note: a guest with vmtimed looks after itself.",
	  .remedy = "The definition is shown and never edited: virsh edit.",
	  .judge = rule_agent_channel },

	{ .id = "sync-time", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "guests that are saved when the host goes down",
	  .reason = "A guest that libvirt-guests saves and restores is late by the time in between, unless "
	            "SYNC_TIME=1 has its clock set.",
	  .quiet = "It says nothing where the guests are shut down, as Debian does by itself, or vmtime-hostd "
	            "sets them.",
	  .remedy = "fix sets SYNC_TIME=1; the guests need the guest agent and hwclock for it.",
	  .judge = rule_sync_time },
};
/* clang-format on */

const struct finding_rule *findings_rule(size_t i)
{
	return i < COUNT(RULES) ? &RULES[i] : NULL;
}
