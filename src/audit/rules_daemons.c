/* SPDX-License-Identifier: Apache-2.0 */

/* rules_daemons.c - who sets the clock, by what, and what that one does after a pause */

#include <stdio.h>
#include <string.h>

#include "audit/rules.h"
#include "base/slice.h"

/* How many different daemons are enabled, their units' names joined in @to. */
static unsigned count_enabled(const struct audit_facts *facts, char *to, size_t size)
{
	const char *seen[FACTS_UNITS];
	unsigned n = 0;
	size_t used = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < facts->daemons.n_units; i++) {
		const struct fact_unit *unit = &facts->daemons.units[i];
		bool is_new = unit->steers && unit->is_enabled;

		for (unsigned k = 0; k < n && is_new; k++)
			is_new = strcmp(seen[k], unit->daemon) != 0;
		if (!is_new)
			continue;
		seen[n++] = unit->daemon;
		used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "",
					 unit->name);
		if (used >= size)
			used = size - 1;
	}
	return n;
}

/* Of several the one to keep: ours, else chronyd, else the first. */
static unsigned keeper(const struct fact_daemons *d)
{
	static const char *const PREFERRED[] = { "vmtimed", "chronyd" };

	for (size_t p = 0; p < COUNT(PREFERRED); p++)
		for (unsigned i = 0; i < d->n_owners; i++)
			if (strcmp(d->owners[i].name, PREFERRED[p]) == 0)
				return i;
	return 0;
}

/* /proc cuts names at fifteen bytes. */
static const char *whole_name(const char *process)
{
	return strcmp(process, "systemd-timesyn") == 0 ? "systemd-timesyncd" : process;
}

void rule_two_daemons(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_daemons *d = &facts->daemons;
	char names[RULE_QUOTE_MAX];
	struct finding *f;

	if (d->n_owners > 1) {
		unsigned kept = keeper(d), other = kept == 0 ? 1 : 0;

		f = rule_find(out, FINDING_BROKEN, REMEDY_ADVICE);
		rule_evidence(f, "%s (pid %ld) and %s (pid %ld) both set this clock",
			      whole_name(d->owners[kept].name), (long)d->owners[kept].pid,
			      whole_name(d->owners[other].name), (long)d->owners[other].pid);
		rule_advice(f, "Keep one: %s", d->owners[other].hand_over);
	} else if (count_enabled(facts, names, sizeof names) > 1) {
		f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
		rule_evidence(f, "several services that set the clock are enabled: %s", names);
		rule_advice(f, "Disable all but one of them.");
	}
}

void rule_no_daemon(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_daemons *d = &facts->daemons;
	char names[RULE_QUOTE_MAX];
	unsigned n_enabled = count_enabled(facts, names, sizeof names);
	struct finding *f;

	/* Without systemd's folders and without processes nobody can say. */
	if (d->n_owners || (d->is_seen != FACT_YES && (n_enabled || !facts->system.has_systemd)))
		return;
	f = rule_find(out, n_enabled ? FINDING_WARNING : FINDING_BROKEN, REMEDY_ADVICE);
	if (n_enabled) {
		rule_evidence(f, "nothing sets this clock now, although %s is enabled", names);
		rule_advice(f, "See why it does not run: systemctl status %.*s",
			    (int)strcspn(names, ","), names);
	} else {
		rule_evidence(f, "nothing sets this clock%s: it runs as fast as it likes",
			      facts->system.has_systemd ? ", and no service that would is enabled"
							: "");
		rule_advice(f, "systemctl enable --now vmtimed");
	}
}

/* Nobody can load what the kernel has not, and nothing but KVM answers it. */
static bool can_have_clock(const struct audit_facts *facts)
{
	return facts->place.is_kvm && (facts->ptp.has_kvm || facts->ptp.has_module != FACT_NO);
}

void rule_ptp_kvm(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_ptp *ptp = &facts->ptp;
	bool will_load = ptp->load_file[0] || ptp->is_builtin;
	struct finding *f;

	if (!facts->place.is_kvm || ((ptp->has_kvm || !facts->is_running) && will_load))
		return;
	if (!ptp->has_kvm && ptp->has_module == FACT_NO) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "this kernel has no module ptp_kvm");
		return;
	}
	if (!ptp->has_kvm && (ptp->is_loaded || ptp->is_builtin)) {
		f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
		rule_evidence(f, "ptp_kvm is loaded, and there is no clock \"KVM virtual PTP\": the host "
				 "does not answer it");
		rule_advice(f, "Look at the host's clocksource: it must be tsc.");
		return;
	}
	f = rule_find(out, FINDING_WARNING, REMEDY_LOAD_PTP_KVM);
	if (ptp->has_kvm)
		rule_evidence(f, "%s is there, but no file of modules-load.d names ptp_kvm: after the "
				 "next boot it is gone", ptp->device);
	else if (will_load)
		rule_evidence(f, "%s names ptp_kvm, but it is not loaded", ptp->load_file);
	else if (!facts->is_running)
		rule_evidence(f, "no file of modules-load.d names ptp_kvm");
	else
		rule_evidence(f, "ptp_kvm is not loaded, and no file of modules-load.d names it");
}

static bool uses_host_clock(const struct fact_time_conf *conf)
{
	for (unsigned i = 0; i < conf->n_refclocks; i++) {
		const struct fact_refclock *clock = &conf->refclocks[i];

		/* udev's name is the host's clock, whether it is there now or not. */
		if (clock->what == DEVICE_KVM || clock->what == DEVICE_VMCLOCK ||
		    (clock->is_phc && strcmp(clock->device, "/dev/ptp_kvm") == 0))
			return true;
	}
	return false;
}

/* The name that survives another number; the number where nothing makes the name. */
static const char *device_to_name(const struct fact_ptp *ptp)
{
	return ptp->has_kvm && !ptp->has_link ? ptp->device : "/dev/ptp_kvm";
}

void rule_refclock(const struct audit_facts *facts, struct findings *out)
{
	static const char *const OTHERS[] = { "timesyncd", "ntpd", "openntpd", "ntpd-rs" };
	const struct fact_time_conf *conf = &facts->chrony;
	const char *who = NULL;
	struct finding *f;

	if (!can_have_clock(facts) || rule_is_owner(facts, "vmtimed"))
		return;
	if (rule_is_owner(facts, "chronyd")) {
		if (conf->file != FACT_FILE_READ || !conf->is_whole || uses_host_clock(conf))
			return;
		f = rule_find(out, FINDING_WARNING, REMEDY_REFCLOCK);
		rule_evidence(f, "no refclock of %s is the host's clock", conf->path);
		rule_subject(f, "%s", device_to_name(&facts->ptp));
		return;
	}
	for (size_t i = 0; i < COUNT(OTHERS) && !who; i++)
		if (rule_is_owner(facts, OTHERS[i]))
			who = OTHERS[i];
	if (!who)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_REFCLOCK);
	rule_evidence(f, "%s sets this clock, and cannot read the host's", who);
	rule_subject(f, "%s", device_to_name(&facts->ptp));
}

static bool is_numbered(const char *device)
{
	return strncmp(device, "/dev/ptp", 8) == 0 && device[8] >= '0' && device[8] <= '9';
}

static void judge_device(const struct audit_facts *facts, const struct fact_refclock *clock,
			 struct findings *out)
{
	char quote[RULE_QUOTE_MAX];
	struct finding *f;

	rule_quote(clock->device, quote);
	switch (clock->what) {
	case DEVICE_MISSING:
		f = rule_find(out, FINDING_BROKEN, REMEDY_ADVICE);
		rule_evidence(f, "%s:%u names %s, which is not there: chronyd will not start",
			      clock->file, clock->line, quote);
		rule_advice(f, "Load what makes the device, or take the line away.");
		return;
	case DEVICE_OTHER:
		if (!facts->place.is_kvm || !is_numbered(clock->device))
			return;
		f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
		rule_evidence(f, "%s:%u names %s, which is not the host's clock but another PTP clock",
			      clock->file, clock->line, quote);
		rule_advice(f, "Where the host's is meant, name /dev/ptp_kvm.");
		return;
	case DEVICE_KVM:
		if (!is_numbered(clock->device))
			return;
		f = rule_find(out, facts->ptp.n_clocks > 1 ? FINDING_WARNING : FINDING_NOTE,
			      REMEDY_ADVICE);
		rule_evidence(f, "%s:%u names the host's clock by its number, %s%s", clock->file,
			      clock->line, quote,
			      facts->ptp.n_clocks > 1 ? ", and there are other PTP clocks" : "");
		rule_advice(f, "Name %s instead.", device_to_name(&facts->ptp));
		return;
	case DEVICE_UNKNOWN:
	case DEVICE_VMCLOCK: return;
	}
}

void rule_refclock_device(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_time_conf *conf = &facts->chrony;

	if (!rule_is_owner(facts, "chronyd"))
		return;
	for (unsigned i = 0; i < conf->n_refclocks; i++)
		if (conf->refclocks[i].is_phc)
			judge_device(facts, &conf->refclocks[i], out);
}

/* Up to chrony 4.6 a poll needs four readings, one each 2^dpoll seconds. */
#define POLL_DISTANCE 2

void rule_refclock_poll(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_time_conf *conf = &facts->chrony;
	struct finding *f;

	if (!rule_is_owner(facts, "chronyd"))
		return;
	for (unsigned i = 0; i < conf->n_refclocks; i++) {
		const struct fact_refclock *clock = &conf->refclocks[i];

		if (!clock->is_phc || !clock->has_poll ||
		    clock->poll - clock->dpoll >= POLL_DISTANCE)
			continue;
		f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
		rule_evidence(f, "%s:%u has poll %d with dpoll %d: chrony before 4.7 wants four "
				 "readings in a poll, and never gets them", clock->file, clock->line,
			      clock->poll, clock->dpoll);
		rule_advice(f, "Write \"poll %d dpoll %d\".", clock->poll,
			    clock->poll - POLL_DISTANCE);
	}
}

void rule_makestep(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_time_conf *conf = &facts->chrony;
	struct finding *f;

	if (rule_is_owner(facts, "vmtimed")) {
		conf = &facts->vmtime;
		if (conf->file != FACT_FILE_READ || !conf->has_makestep)
			return;
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "%s:%u: makestep governs the first reading and drift; after a pause "
				 "vmtimed steps whatever it says", conf->makestep_file,
			      conf->makestep_line);
		return;
	}
	if (!rule_is_owner(facts, "chronyd") || conf->file != FACT_FILE_READ || !conf->is_whole ||
	    (conf->has_makestep && conf->makestep_limit < 0))
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_MAKESTEP);
	rule_subject(f, "1 -1");
	if (conf->has_makestep)
		rule_evidence(f, "%s:%u allows steps only in the first %d updates: after that a pause "
				 "of an hour is slewed for twelve", conf->makestep_file,
			      conf->makestep_line, conf->makestep_limit);
	else
		rule_evidence(f, "%s has no makestep: a pause of an hour is slewed for twelve",
			      conf->path);
}

static void judge_rtcsync(const struct fact_time_conf *conf, struct findings *out)
{
	struct finding *f;

	if (conf->file != FACT_FILE_READ || !conf->is_whole || conf->has_rtcsync ||
	    conf->has_rtcfile)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_RTCSYNC);
	rule_subject(f, "%s", conf->path);
	rule_evidence(f, "%s has no rtcsync: the kernel is not told that its clock is right",
		      conf->path);
}

void rule_rtcsync(const struct audit_facts *facts, struct findings *out)
{
	if (rule_is_owner(facts, "vmtimed"))
		judge_rtcsync(&facts->vmtime, out);
	else if (rule_is_owner(facts, "chronyd"))
		judge_rtcsync(&facts->chrony, out);
}
