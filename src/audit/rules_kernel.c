/* SPDX-License-Identifier: Apache-2.0 */

/* rules_kernel.c - what a guest's kernel is told, and how much of a processor it gets */

#include <stdio.h>
#include <string.h>

#include "audit/rules.h"
#include "base/slice.h"

static bool has_kvmclock(const struct audit_facts *facts)
{
	return strstr(facts->clocksource.available, "kvm-clock") != NULL ||
	       strcmp(facts->clocksource.current, "kvm-clock") == 0;
}

void rule_no_kvmclock(const struct audit_facts *facts, struct findings *out)
{
	static const char *const NAMES[] = { "no-kvmclock", "no-kvmclock-vsyscall" };
	char value[FACTS_WORD_MAX];
	struct finding *f;

	if (!facts->cpu.is_x86 || !facts->place.is_kvm)
		return;
	for (size_t i = 0; i < COUNT(NAMES); i++) {
		if (!rule_argument(facts->boot.running, NAMES[i], value, sizeof value))
			continue;
		f = rule_find_argument(facts, out, i == 0 ? FINDING_BROKEN : FINDING_WARNING,
				       NAMES[i]);
		rule_subject(f, "%s", NAMES[i]);
		rule_evidence(f, "the kernel was started with %s", NAMES[i]);
		return;
	}
	/* QEMU's emulator has no kvm-clock to offer; only KVM itself says that it should be there. */
	if (strcmp(facts->place.hypervisor, "KVMKVMKVM") != 0 ||
	    !facts->clocksource.available[0] || has_kvmclock(facts))
		return;
	f = rule_find(out, FINDING_BROKEN, REMEDY_ADVICE);
	rule_evidence(f, "KVM is beneath, and the kernel does not offer kvm-clock: the host keeps it "
			 "from this guest, or the kernel was built without it");
	rule_advice(f, "On the host, take <timer name='kvmclock' present='no'/> out of the guest's "
		       "definition.");
}

void rule_guest_counter(const struct audit_facts *facts, struct findings *out)
{
	const char *current = facts->clocksource.current;
	struct finding *f;

	if (!facts->cpu.is_x86 || !facts->place.is_kvm)
		return;
	if (strcmp(current, "tsc") == 0) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "the clocksource is tsc: ptp_kvm refuses precise readings and leaves "
				 "brackets of about a microsecond; the clock is read in the vDSO; after a "
				 "pause the counter has run on and the clock jumps, after a restore or a "
				 "migration it is late");
	} else if (strcmp(current, "kvm-clock") == 0) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "the clocksource is kvm-clock: ptp_kvm gives precise readings, exact "
				 "to a nanosecond; the clock is read in the vDSO while the host's TSC is "
				 "stable; after a pause, a restore or a migration it is late");
	}
}

/* What Red Hat's guide told guests without a constant TSC to boot with, by their release. */
static const struct old_release {
	unsigned major, first_minor, last_minor;
	bool is_64_bit;
	const char *with_kvmclock, *without; /* "" none; NULL: not foreseen */
} OLD[] = {
	{ 6, 0, 0, true, "", "notsc lpj=n" },
	{ 5, 5, 99, true, "", "notsc lpj=n" },
	{ 5, 5, 99, false, "", "clocksource=acpi_pm lpj=n" },
	{ 5, 4, 4, true, NULL, "notsc" },
	{ 5, 4, 4, false, NULL, "clocksource=acpi_pm" },
	{ 5, 0, 3, true, NULL, "notsc" },
	{ 5, 0, 3, false, NULL, "clocksource=acpi_pm" },
	{ 4, 0, 99, true, NULL, "notsc" },
	{ 4, 0, 99, false, NULL, "clock=pmtmr" },
	{ 3, 0, 99, true, NULL, "" },
	{ 3, 0, 99, false, NULL, "" },
};

static const struct old_release *find_old(const struct fact_system *system)
{
	for (size_t i = 0; i < COUNT(OLD); i++)
		if (system->family == FAMILY_RED_HAT && system->major == OLD[i].major &&
		    system->minor >= OLD[i].first_minor && system->minor <= OLD[i].last_minor &&
		    OLD[i].is_64_bit == (system->is_64_bit == FACT_YES) &&
		    strcmp(system->id, "fedora") != 0)
			return &OLD[i];
	return NULL;
}

bool rule_is_old_guest(const struct audit_facts *facts)
{
	return facts->place.is_guest == FACT_YES && find_old(&facts->system);
}

/* Is the argument there, whatever the figure of lpj? */
static bool is_running(const struct audit_facts *facts, struct slice argument)
{
	char name[32], value[FACTS_WORD_MAX];
	struct slice rest = argument, key = slice_cut(&rest, '=');

	if (!slice_copy(key, name, sizeof name) ||
	    !rule_argument(facts->boot.running, name, value, sizeof value))
		return false;
	return strcmp(name, "lpj") == 0 || !rest.n || slice_equals(rest, value);
}

/* The release says what it needs where the TSC is not constant; other releases need none of it. */
static void ask_for_old(const struct audit_facts *facts, const struct old_release *old,
			struct findings *out)
{
	const char *needed = has_kvmclock(facts) ? old->with_kvmclock : old->without;
	struct slice rest, word;
	struct finding *f;

	if (!needed || !needed[0] || facts->cpu.constant_tsc != FACT_NO ||
	    !facts->boot.is_running_known)
		return;
	rest = slice_of(needed);
	while ((word = slice_word(&rest)).n) {
		bool is_lpj = slice_equals(word, "lpj=n");

		if (is_running(facts, word))
			continue;
		f = rule_find(out, is_lpj ? FINDING_NOTE : FINDING_WARNING, REMEDY_ADVICE);
		rule_subject(f, "%.*s", (int)word.n, word.p);
		rule_evidence(f, "release %u.%u without kvm-clock on a host without a constant TSC is "
				 "to be started with %.*s", facts->system.major,
			      facts->system.minor, (int)word.n, word.p);
		rule_advice(f, "%s", is_lpj ? "n is this processor's loops_per_jiffy, from the kernel's "
					      "messages; without it leave the argument out."
					    : "Add it to the kernel's line of /boot/grub/grub.conf.");
	}
}

void rule_old_arguments(const struct audit_facts *facts, struct findings *out)
{
	static const char *const OBSOLETE[] = { "notsc", "divider", "lpj", "clock" };
	const struct old_release *old = find_old(&facts->system);
	char value[FACTS_WORD_MAX], quote[RULE_QUOTE_MAX];
	struct finding *f;

	if (!facts->cpu.is_x86 || facts->place.is_guest != FACT_YES)
		return;
	if (old) {
		ask_for_old(facts, old, out);
		return;
	}
	for (size_t i = 0; i < COUNT(OBSOLETE); i++) {
		if (!rule_argument(facts->boot.running, OBSOLETE[i], value, sizeof value))
			continue;
		f = rule_find_argument(facts, out, FINDING_WARNING, OBSOLETE[i]);
		rule_subject(f, "%s%s%s", OBSOLETE[i], value[0] ? "=" : "", value);
		rule_evidence(f, "the kernel was started with %s%s%s, advice for releases before 6.1 "
				 "of Red Hat's", OBSOLETE[i], value[0] ? "=" : "",
			      rule_quote(value, quote));
	}
}

/* Arguments that concern the time, and may have been configured or taken away since the boot. */
static const struct watched {
	const char *name;
	bool is_told; /* that it runs is a finding of its own, which says so */
} WATCHED[] = {
	{ "processor.max_cstate", false }, { "intel_idle.max_cstate", false },
	{ "idle", false },                 { "clocksource", false },
	{ "tsc", false },                  { "no-steal-acc", false },
	{ "no-kvmclock", true },           { "no-kvmclock-vsyscall", true },
	{ "notsc", true },                 { "divider", true },
	{ "lpj", true },
};

void rule_reboot(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_boot *boot = &facts->boot;
	char then[FACTS_WORD_MAX], now[FACTS_WORD_MAX], quote[RULE_QUOTE_MAX];
	struct finding *f;

	if (boot->is_configured_known != FACT_YES || !rule_is_by_grub(facts))
		return;
	for (size_t i = 0; i < COUNT(WATCHED); i++) {
		const char *name = WATCHED[i].name;
		bool will = rule_argument(boot->configured, name, then, sizeof then);
		bool is = rule_argument(boot->running, name, now, sizeof now);

		if ((will == is && strcmp(then, now) == 0) || (!will && WATCHED[i].is_told))
			continue;
		f = rule_find(out, FINDING_WARNING, REMEDY_REBOOT);
		rule_subject(f, "%s%s%s", name, will ? (then[0] ? "=" : "") : (now[0] ? "=" : ""),
			     will ? then : now);
		if (will)
			rule_evidence(f, "%s configures %s%s%s, which the running kernel was not "
					 "started with", boot->configured_by, name,
				      then[0] ? "=" : "", rule_quote(then, quote));
		else
			rule_evidence(f, "the running kernel was started with %s%s%s, which %s does not "
					 "configure", name, now[0] ? "=" : "", rule_quote(now, quote),
				      boot->configured_by);
	}
}

#define STEAL_LIMIT_PERCENT 10.0

void rule_steal(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_steal *steal = &facts->steal;
	struct fact_ticks ticks = steal->first;
	double percent;
	struct finding *f;

	if (!steal->is_known)
		return;
	if (steal->has_second) {
		if (steal->second.all <= steal->first.all ||
		    steal->second.stolen < steal->first.stolen)
			return;
		ticks.all = steal->second.all - steal->first.all;
		ticks.stolen = steal->second.stolen - steal->first.stolen;
	}
	if (!ticks.all)
		return;
	percent = 100.0 * (double)ticks.stolen / (double)ticks.all;
	if (percent <= STEAL_LIMIT_PERCENT)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
	rule_evidence(f, "%.1f %% of the processors' time was given to others %s", percent,
		      steal->has_second ? "while we looked" : "on average since the boot");
	rule_advice(f, "On the host: raise this guest's share or quota, or run fewer guests.");
}
