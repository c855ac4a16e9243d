/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_audit_findings.c - each rule on facts made by hand
 *
 * A row is what is changed in a machine with nothing to find fault with, and what is found then: one
 * finding of the rule, or none.  There are as many rows for silence as for noise.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/findings.h"
#include "audit_machines.h"
#include "base/attr.h"

#define SILENT (-1)
#define CHANGE(name) static void name(struct audit_facts *f)

CHANGE(nothing) { (void)f; }
CHANGE(in_container) { f->place.is_container = FACT_YES; }
CHANGE(two_owners) { add_owner(f, "systemd-timesyn", 400); }
CHANGE(two_enabled) { add_unit(f, "systemd-timesyncd.service", "timesyncd", true); }
CHANGE(two_names_of_one) { add_unit(f, "chronyd.service", "chronyd", true); }
CHANGE(masked_other) { two_enabled(f); f->daemons.units[1].is_enabled = false; }
CHANGE(other_unit) { add_unit(f, "qemu-guest-agent.service", "qemu-ga", false); }
CHANGE(no_owner) { f->daemons.n_owners = 0; }
CHANGE(no_owner_no_unit) { no_owner(f); f->daemons.n_units = 0; }
CHANGE(nothing_seen) { no_owner_no_unit(f); f->daemons.is_seen = FACT_UNKNOWN; }
CHANGE(nothing_to_see) { nothing_seen(f); f->system.has_systemd = false; }
CHANGE(offline) { no_owner(f); f->daemons.is_seen = FACT_UNKNOWN; }
CHANGE(refclock_missing) { f->chrony.refclocks[0].what = DEVICE_MISSING; }
CHANGE(refclock_unknown) { f->chrony.refclocks[0].what = DEVICE_UNKNOWN; }
CHANGE(refclock_missing_unread) { refclock_missing(f); no_owner_no_unit(f); }
CHANGE(refclock_by_number) { PUT(f->chrony.refclocks[0].device, "/dev/ptp0"); }
CHANGE(refclock_by_number_of_two) { refclock_by_number(f); f->ptp.n_clocks = 2; }
CHANGE(refclock_of_nic) { refclock_by_number(f); f->chrony.refclocks[0].what = DEVICE_OTHER; }
CHANGE(refclock_of_named_nic) { refclock_of_nic(f); PUT(f->chrony.refclocks[0].device, "/dev/ptp_mlx"); }
CHANGE(hpet) { PUT(f->clocksource.current, "hpet"); }
CHANGE(hpet_on_arm) { hpet(f); f->cpu.is_x86 = false; }
CHANGE(hpet_asked) { hpet(f); PUT(f->boot.running, GRUB "clocksource=hpet"); PUT(f->boot.configured, "clocksource=hpet"); }
CHANGE(hpet_asked_no_more) { hpet_asked(f); PUT(f->boot.configured, ""); }
CHANGE(tsc_given_up) { PUT(f->clocksource.available, "hpet acpi_pm"); }
CHANGE(tsc_unknown) { PUT(f->clocksource.available, ""); }
CHANGE(no_watchdog) { PUT(f->boot.running, GRUB "tsc=reliable"); PUT(f->boot.configured, "tsc=reliable"); }
CHANGE(no_kvmclock) { PUT(f->boot.running, GRUB "a no-kvmclock b"); PUT(f->boot.configured, "no-kvmclock"); }
CHANGE(no_kvmclock_any_more) { no_kvmclock(f); PUT(f->boot.configured, "quiet"); }
CHANGE(no_kvmclock_by_qemu) { no_kvmclock_any_more(f); put(f->boot.running, sizeof f->boot.running, "no-kvmclock"); }
CHANGE(running_only_by_qemu) { put(f->boot.running, sizeof f->boot.running, "processor.max_cstate=1"); }
CHANGE(no_kvmclock_quoted) { PUT(f->boot.running, GRUB "a=\"x no-kvmclock y\""); }
CHANGE(no_kvmclock_for_init) { PUT(f->boot.running, GRUB "quiet -- no-kvmclock"); }
CHANGE(kvmclock_kept_back) { PUT(f->clocksource.available, "tsc acpi_pm"); PUT(f->clocksource.current, "tsc"); }
CHANGE(emulated) { kvmclock_kept_back(f); PUT(f->place.hypervisor, "TCGTCGTCGTCG"); }
CHANGE(not_loaded) { f->ptp.has_kvm = f->ptp.is_loaded = false; f->ptp.load_file[0] = '\0'; }
CHANGE(not_loaded_again) { f->ptp.load_file[0] = '\0'; }
CHANGE(image) { f->is_running = f->ptp.has_kvm = f->ptp.is_loaded = false; }
CHANGE(image_not_loaded) { image(f); f->ptp.load_file[0] = '\0'; }
CHANGE(built_in) { not_loaded_again(f); f->ptp.is_builtin = true; }
CHANGE(host_refuses) { f->ptp.has_kvm = false; }
CHANGE(no_module) { not_loaded(f); f->ptp.has_module = FACT_NO; }
CHANGE(not_kvm) { not_loaded(f); f->place.is_kvm = false; }
CHANGE(no_refclock) { f->chrony.n_refclocks = 0; }
CHANGE(no_refclock_no_module) { no_refclock(f); no_module(f); }
CHANGE(no_refclock_half_read) { no_refclock(f); f->chrony.is_whole = false; }
CHANGE(no_refclock_refused) { no_refclock(f); f->chrony.file = FACT_FILE_REFUSED; }
CHANGE(refclock_later) { not_loaded(f); refclock_unknown(f); }
CHANGE(timesyncd) { no_owner_no_unit(f); add_owner(f, "systemd-timesyn", 400); }
CHANGE(vmtimed) { no_owner_no_unit(f); add_owner(f, "vmtimed", 700); no_refclock(f); f->chrony.makestep_limit = 3; f->chrony.has_rtcsync = false; }
CHANGE(vmtimed_with_file) { vmtimed(f); f->vmtime.file = FACT_FILE_READ; f->vmtime.is_whole = true; f->vmtime.has_rtcsync = true; PUT(f->vmtime.path, "/etc/vmtime/vmtime.conf"); }
CHANGE(vmtimed_makestep) { vmtimed_with_file(f); f->vmtime.has_makestep = true; }
CHANGE(vmtimed_no_rtcsync) { vmtimed_with_file(f); f->vmtime.has_rtcsync = false; }
CHANGE(poll_0) { f->chrony.refclocks[0].poll = 0; }
CHANGE(poll_0_dpoll) { poll_0(f); f->chrony.refclocks[0].has_dpoll = true; f->chrony.refclocks[0].dpoll = -2; }
CHANGE(poll_default) { poll_0(f); f->chrony.refclocks[0].has_poll = false; }
CHANGE(makestep_3) { f->chrony.makestep_limit = 3; }
CHANGE(makestep_none) { f->chrony.has_makestep = false; }
CHANGE(makestep_half_read) { makestep_3(f); f->chrony.is_whole = false; }
CHANGE(no_rtcsync) { f->chrony.has_rtcsync = false; }
CHANGE(rtcfile) { no_rtcsync(f); f->chrony.has_rtcfile = true; }
CHANGE(agent_stopped) { f->agent.is_running = false; }
CHANGE(agent_none) { agent_stopped(f); f->agent.is_installed = false; }
CHANGE(agent_no_port) { agent_none(f); f->agent.has_port = false; }
CHANGE(agent_beside_vmtimed) { vmtimed(f); agent_none(f); }
CHANGE(no_hwclock) { f->agent.has_hwclock = false; }
CHANGE(no_hwclock_no_agent) { no_hwclock(f); f->agent.is_installed = false; }
CHANGE(local_rtc) { f->rtc.is_local = FACT_YES; }
CHANGE(unknown_rtc) { f->rtc.is_local = FACT_UNKNOWN; }
CHANGE(configured_only) { PUT(f->boot.configured, "processor.max_cstate=1 quiet"); }
CHANGE(running_only) { PUT(f->boot.running, GRUB "processor.max_cstate=1 quiet"); }
CHANGE(both) { configured_only(f); running_only(f); }
CHANGE(other_value) { both(f); PUT(f->boot.configured, "processor.max_cstate=2"); }
CHANGE(configured_unknown) { running_only(f); f->boot.is_configured_known = FACT_UNKNOWN; }
CHANGE(other_argument) { PUT(f->boot.configured, "crashkernel=auto"); }
CHANGE(deep) { PUT(f->idle.deepest, "C3"); }
CHANGE(deep_configured) { deep(f); configured_only(f); }
CHANGE(deep_intel) { deep(f); PUT(f->idle.driver, "intel_idle"); }
CHANGE(deep_unknown) { deep(f); f->cpu.constant_tsc = FACT_UNKNOWN; }
CHANGE(ondemand) { PUT(f->frequency.governor, "ondemand"); }
CHANGE(ondemand_fixed) { ondemand(f); f->frequency.is_fixed = true; }
CHANGE(mixed) { f->frequency.is_mixed = true; }
CHANGE(powersave) { PUT(f->frequency.governor, "powersave"); PUT(f->frequency.driver, "acpi-cpufreq"); }
CHANGE(powersave_intel) { powersave(f); PUT(f->frequency.driver, "intel_pstate"); PUT(f->frequency.governors, "performance powersave"); }
CHANGE(no_good_governor) { ondemand(f); PUT(f->frequency.governors, "ondemand schedutil"); }
CHANGE(no_cpufreq) { ondemand(f); f->frequency.is_there = false; }
CHANGE(cpupower_off) { f->cpupower.has_service = FACT_YES; f->cpupower.is_enabled = FACT_NO; PUT(f->cpupower.unit, "cpupower.service"); PUT(f->cpupower.path, "/etc/sysconfig/cpupower"); PUT(f->cpupower.governor, "performance"); }
CHANGE(cpupower_on) { cpupower_off(f); f->cpupower.is_enabled = FACT_YES; }
CHANGE(cpupower_impossible) { cpupower_on(f); PUT(f->cpupower.governor, "schedutil"); }
CHANGE(stolen) { f->steal.first = (struct fact_ticks){ 1000, 101 }; }
CHANGE(stolen_10) { f->steal.first = (struct fact_ticks){ 1000, 100 }; }
CHANGE(stolen_then) { stolen(f); f->steal.has_second = true; f->steal.second = (struct fact_ticks){ 2000, 201 }; }
CHANGE(stolen_now) { stolen_10(f); f->steal.has_second = true; f->steal.second = (struct fact_ticks){ 2000, 201 }; }
CHANGE(stolen_no_time) { stolen(f); f->steal.has_second = true; f->steal.second = f->steal.first; }
CHANGE(notsc) { PUT(f->boot.running, GRUB "notsc"); PUT(f->boot.configured, "notsc"); }
CHANGE(divider) { PUT(f->boot.running, GRUB "divider=10"); }
CHANGE(rhel_55) { f->system.family = FAMILY_RED_HAT; PUT(f->system.id, "rhel"); f->system.major = 5; f->system.minor = 5; f->cpu.constant_tsc = FACT_NO; PUT(f->clocksource.available, "tsc acpi_pm"); PUT(f->clocksource.current, "acpi_pm"); PUT(f->place.hypervisor, ""); PUT(f->boot.running, GRUB "lpj=123"); }
CHANGE(rhel_55_as_told) { rhel_55(f); PUT(f->boot.running, GRUB "notsc lpj=123"); }
CHANGE(rhel_55_constant) { rhel_55(f); f->cpu.constant_tsc = FACT_YES; }
CHANGE(rhel_55_kvmclock) { rhel_55(f); PUT(f->clocksource.available, "kvm-clock"); }
CHANGE(rhel_54_32) { rhel_55(f); f->system.minor = 4; f->system.is_64_bit = FACT_NO; }
CHANGE(rhel_48_32) { rhel_54_32(f); f->system.major = 4; f->system.minor = 8; }
CHANGE(rhel_39) { rhel_55(f); f->system.major = 3; f->system.minor = 9; }
CHANGE(rhel_61) { rhel_55(f); f->system.major = 6; f->system.minor = 1; PUT(f->boot.running, GRUB ""); }
CHANGE(tsc_in_guest) { PUT(f->clocksource.current, "tsc"); }
CHANGE(clock_of_xen) { PUT(f->clocksource.current, "xen"); }
#define DOMAIN f->libvirt.domains[0]
CHANGE(domain_no_kvmclock) { DOMAIN.kvmclock = FACT_NO; }
CHANGE(domain_windows) { domain_no_kvmclock(f); DOMAIN.is_windows = true; PUT(DOMAIN.offset, "localtime"); DOMAIN.hpet = FACT_YES; }
CHANGE(domain_local) { PUT(DOMAIN.offset, "localtime"); }
CHANGE(domain_variable) { PUT(DOMAIN.offset, "variable"); }
CHANGE(domain_track_guest) { PUT(DOMAIN.rtc_track, "guest"); }
CHANGE(domain_hpet) { DOMAIN.hpet = FACT_UNKNOWN; }
CHANGE(domain_pit) { DOMAIN.pit_policy[0] = '\0'; }
CHANGE(domain_invtsc) { DOMAIN.requires_invtsc = true; }
CHANGE(domain_invtsc_frequency) { domain_invtsc(f); DOMAIN.has_tsc_frequency = true; }
CHANGE(guests_by_default) { add_unit(f, "libvirt-guests.service", "libvirt-guests", false); }
CHANGE(guests_of_red_hat) { guests_by_default(f); f->system.family = FAMILY_RED_HAT; }
CHANGE(guests_saved) { guests_by_default(f); PUT(f->libvirt.on_shutdown, "suspend"); }
CHANGE(domain_invtsc_debian) { DOMAIN.requires_invtsc = true; guests_by_default(f); }
CHANGE(domain_invtsc_saved) { domain_invtsc(f); guests_saved(f); }
CHANGE(domain_no_channel) { DOMAIN.has_agent_channel = false; }
CHANGE(guests_shut_down) { guests_saved(f); PUT(f->libvirt.on_shutdown, "shutdown"); }
CHANGE(guests_synced) { guests_saved(f); PUT(f->libvirt.sync_time, "1"); }
CHANGE(guests_not_synced) { guests_saved(f); PUT(f->libvirt.sync_time, "0"); }
CHANGE(guests_by_hostd) { guests_saved(f); add_unit(f, "vmtime-hostd.service", "vmtime-hostd", false); }
CHANGE(guests_unread) { guests_saved(f); f->libvirt.guests_file = FACT_FILE_REFUSED; }

/* clang-format off */
static const struct row {
	const char *rule;
	void (*machine)(struct audit_facts *f);
	void (*change)(struct audit_facts *f);
	int severity; /* of enum finding_severity, or SILENT */
	enum audit_remedy remedy;
	const char *subject; /* NULL: whatever */
} ROWS[] = {
	{ "container", guest, nothing, SILENT, 0, NULL },
	{ "container", guest, in_container, FINDING_NOTE, REMEDY_ADVICE, "" },
	{ "two-daemons", guest, two_owners, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "two-daemons", guest, two_enabled, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "two-daemons", guest, two_names_of_one, SILENT, 0, NULL },
	{ "two-daemons", guest, masked_other, SILENT, 0, NULL },
	{ "two-daemons", guest, other_unit, SILENT, 0, NULL },
	{ "two-daemons", guest, in_container, SILENT, 0, NULL },
	{ "no-daemon", guest, no_owner, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "no-daemon", guest, no_owner_no_unit, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "no-daemon", guest, nothing_seen, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "no-daemon", guest, nothing_to_see, SILENT, 0, NULL },
	{ "no-daemon", guest, offline, SILENT, 0, NULL },
	{ "refclock-device", guest, refclock_missing, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "refclock-device", guest, refclock_missing_unread, SILENT, 0, NULL },
	{ "refclock-device", guest, refclock_unknown, SILENT, 0, NULL },
	{ "refclock-device", guest, refclock_by_number, FINDING_NOTE, REMEDY_ADVICE, NULL },
	{ "refclock-device", guest, refclock_by_number_of_two, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "refclock-device", guest, refclock_of_nic, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "refclock-device", host, refclock_of_nic, SILENT, 0, NULL },
	{ "refclock-device", guest, refclock_of_named_nic, SILENT, 0, NULL },
	{ "clocksource", host, hpet, FINDING_BROKEN, REMEDY_ADVICE, "" },
	{ "clocksource", guest, hpet, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "clocksource", host, hpet_on_arm, SILENT, 0, NULL },
	{ "clocksource", host, hpet_asked, FINDING_BROKEN, REMEDY_REMOVE_KERNEL_ARGUMENT, "clocksource=hpet" },
	{ "clocksource", host, hpet_asked_no_more, FINDING_BROKEN, REMEDY_REBOOT, NULL },
	{ "clocksource", guest, tsc_in_guest, SILENT, 0, NULL },
	{ "clocksource", guest, rhel_55, SILENT, 0, NULL },
	{ "tsc-watchdog", host, tsc_given_up, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "tsc-watchdog", old_host, tsc_given_up, SILENT, 0, NULL },
	{ "tsc-watchdog", guest, tsc_given_up, SILENT, 0, NULL },
	{ "tsc-watchdog", host, tsc_unknown, SILENT, 0, NULL },
	{ "tsc-watchdog", host, no_watchdog, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "no-kvmclock", guest, no_kvmclock, FINDING_BROKEN, REMEDY_REMOVE_KERNEL_ARGUMENT, "no-kvmclock" },
	{ "no-kvmclock", guest, no_kvmclock_any_more, FINDING_BROKEN, REMEDY_REBOOT, "no-kvmclock" },
	{ "no-kvmclock", guest, no_kvmclock_by_qemu, FINDING_BROKEN, REMEDY_ADVICE, "no-kvmclock" },
	{ "no-kvmclock", guest, no_kvmclock_quoted, SILENT, 0, NULL },
	{ "no-kvmclock", guest, no_kvmclock_for_init, SILENT, 0, NULL },
	{ "no-kvmclock", guest, kvmclock_kept_back, FINDING_BROKEN, REMEDY_ADVICE, NULL },
	{ "no-kvmclock", guest, emulated, SILENT, 0, NULL },
	{ "ptp-kvm", guest, not_loaded, FINDING_WARNING, REMEDY_LOAD_PTP_KVM, "" },
	{ "ptp-kvm", guest, not_loaded_again, FINDING_WARNING, REMEDY_LOAD_PTP_KVM, NULL },
	{ "ptp-kvm", guest, image, SILENT, 0, NULL },
	{ "ptp-kvm", guest, image_not_loaded, FINDING_WARNING, REMEDY_LOAD_PTP_KVM, NULL },
	{ "ptp-kvm", guest, built_in, SILENT, 0, NULL },
	{ "ptp-kvm", guest, host_refuses, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "ptp-kvm", guest, no_module, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "ptp-kvm", guest, not_kvm, SILENT, 0, NULL },
	{ "ptp-kvm", host, not_loaded, SILENT, 0, NULL },
	{ "refclock", guest, no_refclock, FINDING_WARNING, REMEDY_REFCLOCK, "/dev/ptp_kvm" },
	{ "refclock", guest, refclock_of_nic, FINDING_WARNING, REMEDY_REFCLOCK, NULL },
	{ "refclock", guest, refclock_by_number, SILENT, 0, NULL },
	{ "refclock", guest, refclock_later, SILENT, 0, NULL },
	{ "refclock", guest, no_refclock_no_module, SILENT, 0, NULL },
	{ "refclock", guest, no_refclock_half_read, SILENT, 0, NULL },
	{ "refclock", guest, no_refclock_refused, SILENT, 0, NULL },
	{ "refclock", guest, timesyncd, FINDING_WARNING, REMEDY_REFCLOCK, NULL },
	{ "refclock", guest, vmtimed, SILENT, 0, NULL },
	{ "refclock", host, no_refclock, SILENT, 0, NULL },
	{ "refclock-poll", guest, poll_0, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "refclock-poll", guest, poll_0_dpoll, SILENT, 0, NULL },
	{ "refclock-poll", guest, poll_default, SILENT, 0, NULL },
	{ "makestep", guest, makestep_3, FINDING_WARNING, REMEDY_MAKESTEP, "1 -1" },
	{ "makestep", guest, makestep_none, FINDING_WARNING, REMEDY_MAKESTEP, "1 -1" },
	{ "makestep", guest, makestep_half_read, SILENT, 0, NULL },
	{ "makestep", host, makestep_3, SILENT, 0, NULL },
	{ "makestep", guest, timesyncd, SILENT, 0, NULL },
	{ "makestep", guest, vmtimed, SILENT, 0, NULL },
	{ "makestep", guest, vmtimed_makestep, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "rtcsync", guest, no_rtcsync, FINDING_WARNING, REMEDY_RTCSYNC, "/etc/chrony/chrony.conf" },
	{ "rtcsync", guest, rtcfile, SILENT, 0, NULL },
	{ "rtcsync", guest, vmtimed, SILENT, 0, NULL },
	{ "rtcsync", guest, vmtimed_with_file, SILENT, 0, NULL },
	{ "rtcsync", guest, vmtimed_no_rtcsync, FINDING_WARNING, REMEDY_RTCSYNC, "/etc/vmtime/vmtime.conf" },
	{ "guest-agent", guest, agent_stopped, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "guest-agent", guest, agent_none, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "guest-agent", guest, agent_beside_vmtimed, FINDING_NOTE, REMEDY_ADVICE, NULL },
	{ "guest-agent", guest, agent_no_port, SILENT, 0, NULL },
	{ "hwclock", guest, no_hwclock, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "hwclock", guest, no_hwclock_no_agent, SILENT, 0, NULL },
	{ "rtc-local", guest, local_rtc, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "rtc-local", host, local_rtc, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "rtc-local", guest, unknown_rtc, SILENT, 0, NULL },
	{ "reboot", host, configured_only, FINDING_WARNING, REMEDY_REBOOT, "processor.max_cstate=1" },
	{ "reboot", host, running_only, FINDING_WARNING, REMEDY_REBOOT, "processor.max_cstate=1" },
	{ "reboot", host, running_only_by_qemu, SILENT, 0, NULL },
	{ "reboot", host, other_value, FINDING_WARNING, REMEDY_REBOOT, "processor.max_cstate=2" },
	{ "reboot", host, both, SILENT, 0, NULL },
	{ "reboot", host, configured_unknown, SILENT, 0, NULL },
	{ "reboot", host, other_argument, SILENT, 0, NULL },
	{ "reboot", guest, no_kvmclock_any_more, SILENT, 0, NULL },
	{ "constant-tsc", old_host, nothing, FINDING_WARNING, REMEDY_NONE, NULL },
	{ "constant-tsc", old_host, deep_unknown, SILENT, 0, NULL },
	{ "cstates", old_host, deep, FINDING_WARNING, REMEDY_ADD_KERNEL_ARGUMENT, "processor.max_cstate=1" },
	{ "cstates", old_host, deep_intel, FINDING_WARNING, REMEDY_ADD_KERNEL_ARGUMENT, "intel_idle.max_cstate=1" },
	{ "cstates", old_host, deep_configured, SILENT, 0, NULL },
	{ "cstates", old_host, nothing, SILENT, 0, NULL },
	{ "cstates", host, deep, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "cstates", host, deep_unknown, SILENT, 0, NULL },
	{ "cstates", guest, deep, SILENT, 0, NULL },
	{ "frequency", old_host, ondemand, FINDING_WARNING, REMEDY_FIX_FREQUENCY, "performance" },
	{ "frequency", old_host, ondemand_fixed, SILENT, 0, NULL },
	{ "frequency", old_host, mixed, FINDING_WARNING, REMEDY_FIX_FREQUENCY, NULL },
	{ "frequency", old_host, powersave, SILENT, 0, NULL },
	{ "frequency", old_host, powersave_intel, FINDING_WARNING, REMEDY_FIX_FREQUENCY, NULL },
	{ "frequency", old_host, no_good_governor, FINDING_WARNING, REMEDY_ADVICE, "" },
	{ "frequency", old_host, no_cpufreq, SILENT, 0, NULL },
	{ "frequency", old_host, nothing, SILENT, 0, NULL },
	{ "frequency", host, ondemand, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "frequency", guest, ondemand, SILENT, 0, NULL },
	{ "cpupower", old_host, cpupower_off, FINDING_WARNING, REMEDY_ENABLE_CPUPOWER, "cpupower.service" },
	{ "cpupower", old_host, cpupower_on, SILENT, 0, NULL },
	{ "cpupower", host, cpupower_off, SILENT, 0, NULL },
	{ "cpupower", host, cpupower_impossible, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "steal", guest, stolen, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "steal", guest, stolen_10, SILENT, 0, NULL },
	{ "steal", guest, stolen_then, SILENT, 0, NULL },
	{ "steal", guest, stolen_now, FINDING_WARNING, REMEDY_ADVICE, NULL },
	{ "steal", guest, stolen_no_time, SILENT, 0, NULL },
	{ "steal", host, stolen, SILENT, 0, NULL },
	{ "old-arguments", guest, notsc, FINDING_WARNING, REMEDY_REMOVE_KERNEL_ARGUMENT, "notsc" },
	{ "old-arguments", guest, divider, FINDING_WARNING, REMEDY_REBOOT, "divider=10" },
	{ "old-arguments", guest, nothing, SILENT, 0, NULL },
	{ "old-arguments", guest, rhel_55, FINDING_WARNING, REMEDY_ADVICE, "notsc" },
	{ "old-arguments", guest, rhel_55_as_told, SILENT, 0, NULL },
	{ "old-arguments", guest, rhel_55_constant, SILENT, 0, NULL },
	{ "old-arguments", guest, rhel_55_kvmclock, SILENT, 0, NULL },
	{ "old-arguments", guest, rhel_54_32, FINDING_WARNING, REMEDY_ADVICE, "clocksource=acpi_pm" },
	{ "old-arguments", guest, rhel_48_32, FINDING_WARNING, REMEDY_ADVICE, "clock=pmtmr" },
	{ "old-arguments", guest, rhel_39, SILENT, 0, NULL },
	{ "old-arguments", guest, rhel_61, SILENT, 0, NULL },
	{ "guest-counter", guest, nothing, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "guest-counter", guest, tsc_in_guest, FINDING_NOTE, REMEDY_NONE, NULL },
	{ "guest-counter", guest, clock_of_xen, SILENT, 0, NULL },
	{ "domain-kvmclock", host, domain_no_kvmclock, FINDING_BROKEN, REMEDY_DOMAIN_XML, NULL },
	{ "domain-kvmclock", host, domain_windows, SILENT, 0, NULL },
	{ "domain-clock", host, domain_local, FINDING_WARNING, REMEDY_DOMAIN_XML, "<clock offset='utc'>" },
	{ "domain-clock", host, domain_variable, SILENT, 0, NULL },
	{ "domain-clock", host, domain_windows, SILENT, 0, NULL },
	{ "domain-clock", host, domain_track_guest, FINDING_WARNING, REMEDY_DOMAIN_XML, NULL },
	{ "domain-timers", host, domain_hpet, FINDING_NOTE, REMEDY_DOMAIN_XML, NULL },
	{ "domain-timers", host, domain_pit, FINDING_NOTE, REMEDY_DOMAIN_XML, NULL },
	{ "domain-timers", host, domain_windows, SILENT, 0, NULL },
	{ "domain-timers", host, nothing, SILENT, 0, NULL },
	{ "invtsc", host, domain_invtsc, FINDING_NOTE, REMEDY_DOMAIN_XML, NULL },
	{ "invtsc", host, domain_invtsc_saved, FINDING_WARNING, REMEDY_DOMAIN_XML, NULL },
	{ "invtsc", host, domain_invtsc_frequency, SILENT, 0, NULL },
	{ "invtsc", host, nothing, SILENT, 0, NULL },
	{ "agent-channel", host, domain_no_channel, FINDING_NOTE, REMEDY_DOMAIN_XML, NULL },
	{ "agent-channel", host, nothing, SILENT, 0, NULL },
	{ "sync-time", host, guests_saved, FINDING_WARNING, REMEDY_SYNC_TIME, "/etc/default/libvirt-guests" },
	{ "sync-time", host, guests_not_synced, FINDING_WARNING, REMEDY_SYNC_TIME, NULL },
	{ "sync-time", host, guests_synced, SILENT, 0, NULL },
	{ "sync-time", host, guests_shut_down, SILENT, 0, NULL },
	{ "sync-time", host, guests_by_hostd, SILENT, 0, NULL },
	{ "sync-time", host, guests_unread, SILENT, 0, NULL },
	{ "sync-time", host, nothing, SILENT, 0, NULL },
	{ "sync-time", host, guests_by_default, SILENT, 0, NULL },
	{ "sync-time", host, guests_of_red_hat, FINDING_WARNING, REMEDY_SYNC_TIME, NULL },
	{ "invtsc", host, domain_invtsc_debian, FINDING_NOTE, REMEDY_DOMAIN_XML, NULL },
};
/* clang-format on */

struct bench {
	struct audit_facts facts, before;
	struct findings found, again;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The first finding of the rule, or NULL. */
static const struct finding *of_rule(const struct findings *found, const char *id)
{
	for (unsigned i = 0; i < found->n; i++)
		if (strcmp(found->list[i].rule->id, id) == 0)
			return &found->list[i];
	return NULL;
}

static void test_rows(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(ROWS); i++) {
		const struct row *row = &ROWS[i];
		const struct finding *f;

		row->machine(&b->facts);
		row->change(&b->facts);
		findings_judge(&b->facts, 0, &b->found);
		f = of_rule(&b->found, row->rule);
		if (!f && row->severity == SILENT)
			continue;
		if (!f || (int)f->severity != row->severity)
			fail_msg("row %zu, %s: %s", i, row->rule,
				 f ? finding_severity_name(f->severity) : "silent");
		if (f->remedy != row->remedy)
			fail_msg("row %zu, %s: %s", i, row->rule, audit_remedy_name(f->remedy));
		if (row->subject && strcmp(f->subject, row->subject) != 0)
			fail_msg("row %zu, %s: about \"%s\"", i, row->rule, f->subject);
		assert_true(f->evidence[0]);
		assert_true(f->severity <= f->rule->worst);
		if (f->remedy == REMEDY_ADVICE || f->remedy == REMEDY_DOMAIN_XML)
			assert_true(f->advice[0]);
	}
}

/* A rule that no row makes speak has not been tried, and neither has one that none keeps silent. */
static void test_every_rule_has_rows(void **state)
{
	const struct finding_rule *rule;

	(void)state;
	for (size_t i = 0; (rule = findings_rule(i)); i++) {
		unsigned n_loud = 0, n_silent = 0;

		for (size_t k = 0; k < COUNT(ROWS); k++) {
			if (strcmp(ROWS[k].rule, rule->id) != 0)
				continue;
			n_silent += ROWS[k].severity == SILENT;
			n_loud += ROWS[k].severity == (int)rule->worst;
		}
		if (!n_loud || !n_silent)
			fail_msg("%s: %u rows at its worst, %u silent", rule->id, n_loud, n_silent);
		assert_ptr_equal(findings_by_id(rule->id), rule);
		assert_true(rule->title[0] && rule->reason[0] && rule->quiet[0] && rule->remedy[0]);
	}
	assert_null(findings_by_id("ptp"));
}

static void test_nothing_is_wrong(void **state)
{
	struct bench *b = *state;

	guest(&b->facts);
	findings_judge(&b->facts, 0, &b->found);
	assert_int_equal(b->found.n, 1);
	assert_int_equal(b->found.list[0].severity, FINDING_NOTE);
	host(&b->facts);
	findings_judge(&b->facts, 0, &b->found);
	assert_int_equal(b->found.n, 0);
	memset(&b->facts, 0, sizeof b->facts);
	findings_judge(&b->facts, 0, &b->found);
	assert_int_equal(b->found.n, 0);
}

static void test_worst_first_and_pure(void **state)
{
	struct bench *b = *state;

	guest(&b->facts);
	two_owners(&b->facts);
	makestep_3(&b->facts);
	no_kvmclock(&b->facts);
	b->before = b->facts;
	findings_judge(&b->facts, 0, &b->found);
	findings_judge(&b->facts, 0, &b->again);
	assert_memory_equal(&b->found, &b->again, sizeof b->found);
	assert_memory_equal(&b->facts, &b->before, sizeof b->facts);
	assert_int_equal(b->found.n, 4);
	assert_string_equal(b->found.list[0].rule->id, "two-daemons");
	assert_string_equal(b->found.list[1].rule->id, "no-kvmclock");
	assert_string_equal(b->found.list[2].rule->id, "makestep");
	assert_string_equal(b->found.list[3].rule->id, "guest-counter");
}

static void test_sites(void **state)
{
	struct bench *b = *state;

	guest(&b->facts);
	makestep_3(&b->facts);
	assert_int_equal(findings_sites(&b->facts), SITE_GUEST);
	findings_judge(&b->facts, SITE_HOST, &b->found);
	assert_null(of_rule(&b->found, "makestep"));
	findings_judge(&b->facts, SITE_GUEST, &b->found);
	assert_non_null(of_rule(&b->found, "makestep"));
	b->facts.place.is_host = FACT_YES;
	assert_int_equal(findings_sites(&b->facts), SITE_BOTH);
	in_container(&b->facts);
	assert_int_equal(findings_sites(&b->facts), 0);
	findings_judge(&b->facts, SITE_BOTH, &b->found);
	assert_int_equal(b->found.n, 1);
}

/* Files say what they like; a terminal and a JSON reader are told printable characters only. */
static void test_foreign_text_is_harmless(void **state)
{
	struct bench *b = *state;

	guest(&b->facts);
	makestep_3(&b->facts);
	PUT(b->facts.chrony.makestep_file, "/etc/\033[31m\xff\n");
	findings_judge(&b->facts, 0, &b->found);
	for (unsigned i = 0; i < b->found.n; i++)
		for (const char *c = b->found.list[i].evidence; *c; c++)
			assert_in_range(*c, ' ', '~');
}

/* More than there is room for: counted, and nothing beyond is written. */
static void test_too_many(void **state)
{
	struct bench *b = *state;

	host(&b->facts);
	b->facts.libvirt.n_domains = FACTS_DOMAINS;
	for (unsigned i = 0; i < FACTS_DOMAINS; i++) {
		b->facts.libvirt.domains[i] = b->facts.libvirt.domains[0];
		PUT(b->facts.libvirt.domains[i].offset, "localtime");
		memset(b->facts.libvirt.domains[i].name, 'a' + (int)i % 26, FACTS_WORD_MAX - 1);
	}
	findings_judge(&b->facts, 0, &b->found);
	assert_int_equal(b->found.n, 1);
	assert_non_null(strstr(b->found.list[0].evidence, "256 guests"));
	assert_non_null(strstr(b->found.list[0].evidence, ", ...)"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rows),
		TEST(test_every_rule_has_rows),
		TEST(test_nothing_is_wrong),
		TEST(test_worst_first_and_pure),
		TEST(test_sites),
		TEST(test_foreign_text_is_harmless),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
