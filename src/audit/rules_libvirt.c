/* SPDX-License-Identifier: Apache-2.0 */

/* rules_libvirt.c - the clocks that a host gives to its guests */

#include <stdio.h>
#include <string.h>

#include "audit/rules.h"

/* Writes "2 guests (a, b)" for those that @is_meant; returns how many. */
static unsigned name_guests(const struct audit_facts *facts,
			    bool (*is_meant)(const struct fact_domain *domain), char *to,
			    size_t size)
{
	char names[200] = "", quote[RULE_QUOTE_MAX];
	unsigned n = 0;
	size_t used = 0;

	for (unsigned i = 0; i < facts->libvirt.n_domains; i++) {
		const struct fact_domain *domain = &facts->libvirt.domains[i];

		if (!is_meant(domain))
			continue;
		rule_quote(domain->name, quote);
		n++;
		if (used + strlen(quote) + sizeof ", ..." < sizeof names)
			used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
						 used ? ", " : "", quote);
		else if (!strstr(names, "..."))
			used += (size_t)snprintf(names + used, sizeof names - used, ", ...");
	}
	snprintf(to, size, "%u guest%s (%s)", n, n == 1 ? "" : "s", names);
	return n;
}

#define GUESTS_MAX 256

/* One finding about all guests that @is_meant; NULL where there is none. */
static struct finding *find(const struct audit_facts *facts, struct findings *out,
			    bool (*is_meant)(const struct fact_domain *domain),
			    enum finding_severity severity, const char *what)
{
	char guests[GUESTS_MAX];
	struct finding *f;

	if (!name_guests(facts, is_meant, guests, sizeof guests))
		return NULL;
	f = rule_find(out, severity, REMEDY_DOMAIN_XML);
	rule_evidence(f, "%s: %s", guests, what);
	return f;
}

static bool lacks_kvmclock(const struct fact_domain *domain)
{
	return domain->kvmclock == FACT_NO && !domain->is_windows;
}

void rule_domain_kvmclock(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f = find(facts, out, lacks_kvmclock, FINDING_BROKEN,
				 "kvm-clock is taken away, and ptp_kvm with it");

	if (!f)
		return;
	rule_subject(f, "<timer name='kvmclock' present='no'/>");
	rule_advice(f, "virsh edit: take the timer kvmclock out of <clock>.");
}

static bool has_local_clock(const struct fact_domain *domain)
{
	return !domain->is_windows && domain->offset[0] && strcmp(domain->offset, "utc") != 0 &&
	       strcmp(domain->offset, "variable") != 0;
}

static bool has_guest_rtc(const struct fact_domain *domain)
{
	return strcmp(domain->rtc_track, "guest") == 0;
}

void rule_domain_clock(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f = find(facts, out, has_local_clock, FINDING_WARNING,
				 "the RTC does not begin in UTC, which Linux expects");

	if (f) {
		rule_subject(f, "<clock offset='utc'>");
		rule_advice(f, "virsh edit: <clock offset='utc'>");
	}
	f = find(facts, out, has_guest_rtc, FINDING_WARNING,
		 "the RTC stops with the guest, so it shows no pause");
	if (f) {
		rule_subject(f, "<timer name='rtc' tickpolicy='catchup'/>");
		rule_advice(f, "virsh edit: take track='guest' from the timer rtc.");
	}
}

static bool has_odd_timers(const struct fact_domain *domain)
{
	return !domain->is_windows &&
	       (strcmp(domain->rtc_policy, "catchup") != 0 ||
		strcmp(domain->pit_policy, "delay") != 0 || domain->hpet != FACT_NO);
}

void rule_domain_timers(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f = find(facts, out, has_odd_timers, FINDING_NOTE,
				 "not the timers that suit Linux: rtc with catchup, pit with delay, no "
				 "hpet");

	if (!f)
		return;
	rule_subject(f, "<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/>"
			"<timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/>"
			"</clock>");
	rule_advice(f, "virsh edit: the element <clock> as it is shown.");
}

static bool is_bound_to_host(const struct fact_domain *domain)
{
	return domain->requires_invtsc && !domain->has_tsc_frequency;
}

/*
 * What libvirt-guests does when the host goes down and nothing is set: libvirt's own script saves the
 * guests; Debian and Ubuntu change it to shut them down.
 */
static bool saves_guests(const struct audit_facts *facts)
{
	const char *on_shutdown = facts->libvirt.on_shutdown;

	if (!on_shutdown[0])
		on_shutdown = facts->system.family == FAMILY_DEBIAN ? "shutdown" : "suspend";
	return rule_enabled(facts, "libvirt-guests") && strcmp(on_shutdown, "shutdown") != 0;
}

void rule_invtsc(const struct audit_facts *facts, struct findings *out)
{
	bool is_saved = saves_guests(facts);
	struct finding *f = find(facts, out, is_bound_to_host,
				 is_saved ? FINDING_WARNING : FINDING_NOTE,
				 is_saved ? "invtsc is required, which forbids to save and to "
					    "migrate; libvirt-guests is to save guests when this "
					    "host goes down"
					  : "invtsc is required: a tsc clocksource, and no save and "
					    "no migration");

	if (!f)
		return;
	rule_subject(f, "<timer name='tsc' frequency='HZ'/>");
	rule_advice(f, "virsh edit: <timer name='tsc' frequency='HZ'/> with this host's frequency lets "
		       "them go to hosts that can match it; or do without invtsc.");
}

static bool lacks_channel(const struct fact_domain *domain)
{
	return !domain->has_agent_channel;
}

void rule_agent_channel(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f = find(facts, out, lacks_channel, FINDING_NOTE,
				 "no channel for the guest agent, so nobody on this host can set "
				 "the clock");

	if (!f)
		return;
	rule_subject(f, "<channel type='unix'><target type='virtio' "
			"name='org.qemu.guest_agent.0'/></channel>");
	rule_advice(f, "virsh edit: the channel as it is shown, and qemu-guest-agent in the guest.");
}

void rule_sync_time(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_libvirt *libvirt = &facts->libvirt;
	char quote[RULE_QUOTE_MAX];
	struct finding *f;

	/* vmtime-hostd sets the guests itself, and without their hwclock. */
	if (!saves_guests(facts) || rule_enabled(facts, "vmtime-hostd") ||
	    libvirt->guests_file == FACT_FILE_REFUSED || libvirt->guests_file == FACT_FILE_ODD ||
	    strcmp(libvirt->sync_time, "1") == 0)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_SYNC_TIME);
	rule_subject(f, "%s", libvirt->guests_path);
	if (libvirt->sync_time[0])
		rule_evidence(f, "%s has SYNC_TIME=%s: guests that this host saves and restores are late "
				 "by the time in between", libvirt->guests_path,
			      rule_quote(libvirt->sync_time, quote));
	else
		rule_evidence(f, "%s does not set SYNC_TIME=1: guests that this host saves and restores "
				 "are late by the time in between", libvirt->guests_path);
}
