/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/findings.h"

#include <string.h>

#include "audit/rules.h"

const char *finding_severity_name(enum finding_severity severity)
{
	switch (severity) {
	case FINDING_NOTE: return "note";
	case FINDING_WARNING: return "warning";
	case FINDING_BROKEN: return "broken";
	}
	return "?";
}

const char *audit_remedy_name(enum audit_remedy remedy)
{
	static const char *const NAMES[] = {
		[REMEDY_NONE] = "none",
		[REMEDY_ADVICE] = "advice",
		[REMEDY_ADD_KERNEL_ARGUMENT] = "add-kernel-argument",
		[REMEDY_REMOVE_KERNEL_ARGUMENT] = "remove-kernel-argument",
		[REMEDY_REBOOT] = "reboot",
		[REMEDY_FIX_FREQUENCY] = "fix-frequency",
		[REMEDY_ENABLE_CPUPOWER] = "enable-cpupower",
		[REMEDY_LOAD_PTP_KVM] = "load-ptp-kvm",
		[REMEDY_REFCLOCK] = "refclock",
		[REMEDY_MAKESTEP] = "makestep",
		[REMEDY_RTCSYNC] = "rtcsync",
		[REMEDY_SYNC_TIME] = "sync-time",
		[REMEDY_DOMAIN_XML] = "domain-xml",
	};

	_Static_assert(COUNT(NAMES) == REMEDIES, "every remedy has a name");
	return NAMES[remedy];
}

const struct finding_rule *findings_by_id(const char *id)
{
	const struct finding_rule *rule;

	for (size_t i = 0; (rule = findings_rule(i)); i++)
		if (strcmp(rule->id, id) == 0)
			return rule;
	return NULL;
}

unsigned findings_sites(const struct audit_facts *facts)
{
	unsigned sites = 0;

	if (facts->place.is_container == FACT_YES)
		return 0;
	if (facts->place.is_guest == FACT_YES)
		sites |= SITE_GUEST;
	if (facts->place.is_host == FACT_YES)
		sites |= SITE_HOST;
	/* Not known: what holds for both kinds is judged, and each rule asks what it needs. */
	return sites ? sites : SITE_BOTH;
}

/* Foreign text stays what it is: printable, on its line, in any encoding. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* Insertion keeps the order of the table among equals. */
static void sort(struct findings *out)
{
	for (unsigned i = 1; i < out->n; i++) {
		struct finding moving = out->list[i];
		unsigned to = i;

		for (; to > 0 && out->list[to - 1].severity < moving.severity; to--)
			out->list[to] = out->list[to - 1];
		out->list[to] = moving;
	}
}

void findings_judge(const struct audit_facts *facts, unsigned sites, struct findings *out)
{
	const struct finding_rule *rule;
	bool is_container = facts->place.is_container == FACT_YES;

	memset(out, 0, sizeof *out);
	if (!sites)
		sites = findings_sites(facts);
	for (size_t i = 0; (rule = findings_rule(i)); i++) {
		/* A container's only rule is its own. */
		if (is_container ? rule->judge != rule_container : !(rule->site & sites))
			continue;
		out->rule = rule;
		rule->judge(facts, out);
	}
	out->rule = NULL;
	for (unsigned i = 0; i < out->n; i++) {
		make_printable(out->list[i].subject);
		make_printable(out->list[i].evidence);
		make_printable(out->list[i].advice);
	}
	sort(out);
}
