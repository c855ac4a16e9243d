/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AUDIT_MACHINES_H
#define TESTS_UNIT_AUDIT_MACHINES_H

/*
 * audit_machines.h - facts made by hand, of machines with nothing to find fault with
 *
 * A guest, a host, and a host of long ago whose TSC is not to be relied on.
 */

#include <stdio.h>
#include <string.h>

#include "audit/facts.h"

static inline void put(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}
#define PUT(member, text) put(member, sizeof member, text)

#define GRUB "BOOT_IMAGE=/vmlinuz " /* what GRUB tells every kernel */

static inline void add_unit(struct audit_facts *f, const char *name, const char *daemon, bool steers)
{
	struct fact_unit *unit = &f->daemons.units[f->daemons.n_units++];

	PUT(unit->name, name);
	PUT(unit->daemon, daemon);
	unit->steers = steers;
	unit->is_enabled = true;
}

static inline void add_owner(struct audit_facts *f, const char *name, pid_t pid)
{
	struct fact_owner *owner = &f->daemons.owners[f->daemons.n_owners++];

	PUT(owner->name, name);
	PUT(owner->hand_over, "systemctl disable --now it");
	owner->pid = pid;
}

/* What every machine here has: systemd, chronyd at work, an invariant TSC. */
static inline void machine(struct audit_facts *f)
{
	memset(f, 0, sizeof *f);
	f->is_running = true;
	f->system.family = FAMILY_DEBIAN;
	PUT(f->system.id, "debian");
	f->system.major = 12;
	f->system.has_systemd = true;
	f->system.is_64_bit = FACT_YES;
	f->cpu.is_x86 = true;
	f->cpu.constant_tsc = f->cpu.nonstop_tsc = FACT_YES;
	f->daemons.is_seen = FACT_YES;
	add_unit(f, "chrony.service", "chronyd", true);
	add_owner(f, "chronyd", 600);
	PUT(f->chrony.path, "/etc/chrony/chrony.conf");
	f->chrony.file = FACT_FILE_READ;
	f->chrony.is_whole = f->chrony.has_rtcsync = f->chrony.has_makestep = true;
	f->chrony.makestep_limit = -1;
	f->rtc.is_local = FACT_NO;
	f->boot.is_running_known = true;
	f->boot.is_configured_known = FACT_YES;
	PUT(f->boot.running, GRUB "root=/dev/vda1 quiet");
	PUT(f->boot.configured, "quiet");
	PUT(f->boot.configured_by, "/etc/default/grub");
}

static inline void guest(struct audit_facts *f)
{
	machine(f);
	f->place.is_guest = FACT_YES;
	f->place.is_host = FACT_NO;
	f->place.is_kvm = true;
	PUT(f->place.hypervisor, "KVMKVMKVM");
	PUT(f->clocksource.current, "kvm-clock");
	PUT(f->clocksource.available, "kvm-clock tsc acpi_pm");
	f->ptp.has_kvm = f->ptp.has_link = f->ptp.is_loaded = true;
	f->ptp.has_module = FACT_YES;
	f->ptp.n_clocks = 1;
	PUT(f->ptp.device, "/dev/ptp0");
	PUT(f->ptp.load_file, "/etc/modules-load.d/ptp_kvm.conf");
	f->chrony.n_refclocks = 1;
	f->chrony.refclocks[0] = (struct fact_refclock){
		.is_phc = true, .what = DEVICE_KVM, .has_poll = true, .poll = 2, .line = 7,
	};
	PUT(f->chrony.refclocks[0].device, "/dev/ptp_kvm");
	f->agent.has_port = f->agent.is_installed = f->agent.is_running = true;
	f->agent.has_hwclock = true;
	f->steal.is_known = true;
	f->steal.first = (struct fact_ticks){ 1000, 10 };
}

static inline void host(struct audit_facts *f)
{
	machine(f);
	f->place.is_guest = FACT_NO;
	f->place.is_host = FACT_YES;
	PUT(f->clocksource.current, "tsc");
	PUT(f->clocksource.available, "tsc hpet acpi_pm");
	PUT(f->idle.driver, "acpi_idle");
	f->frequency.is_there = true;
	PUT(f->frequency.governor, "performance");
	PUT(f->frequency.governors, "ondemand performance");
	f->libvirt.n_domains = 1;
	f->libvirt.domains[0] = (struct fact_domain){
		.has_clock = true, .hpet = FACT_NO, .kvmclock = FACT_YES, .has_agent_channel = true,
	};
	PUT(f->libvirt.domains[0].name, "alpha");
	PUT(f->libvirt.domains[0].offset, "utc");
	PUT(f->libvirt.domains[0].rtc_policy, "catchup");
	PUT(f->libvirt.domains[0].pit_policy, "delay");
	PUT(f->libvirt.guests_path, "/etc/default/libvirt-guests");
	f->libvirt.guests_file = FACT_FILE_READ;
}

/* A host whose TSC is not to be relied on. */
static inline void old_host(struct audit_facts *f)
{
	host(f);
	f->cpu.constant_tsc = f->cpu.nonstop_tsc = FACT_NO;
}

#endif
