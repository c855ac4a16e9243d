/* SPDX-License-Identifier: Apache-2.0 */

/* rules_agent.c - the way by which a host may set this guest's clock, and the RTC */

#include <string.h>

#include "audit/rules.h"

/* On Debian since 12, and Ubuntu since 23.04, hwclock is in a package of its own. */
static const char *hwclock_package(const struct fact_system *system)
{
	if (system->family != FAMILY_DEBIAN)
		return "install util-linux";
	return system->major >= (strcmp(system->id, "ubuntu") == 0 ? 23 : 12)
		       ? "apt-get install util-linux-extra"
		       : "apt-get install util-linux";
}

void rule_guest_agent(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_agent *agent = &facts->agent;
	bool is_enabled = rule_enabled(facts, "qemu-ga") != NULL;
	struct finding *f;

	if (!agent->has_port || agent->is_running ||
	    (facts->daemons.is_seen != FACT_YES && (is_enabled || agent->is_installed)))
		return;
	/* vmtimed repairs the clock without being told. */
	f = rule_find(out, rule_is_owner(facts, "vmtimed") ? FINDING_NOTE : FINDING_WARNING,
		      REMEDY_ADVICE);
	rule_evidence(f, "the host offers the guest agent its channel, and %s",
		      agent->is_installed ? "the agent does not run" : "no agent is installed");
	rule_advice(f, "%s", agent->is_installed ? "systemctl enable --now qemu-guest-agent"
						 : "Install qemu-guest-agent.");
}

void rule_hwclock(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f;

	if (!facts->agent.is_installed || facts->agent.has_hwclock)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
	rule_evidence(f, "the guest agent is installed, and /sbin/hwclock is not");
	rule_advice(f, "%s", hwclock_package(&facts->system));
}

void rule_rtc_local(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f;

	if (facts->rtc.is_local != FACT_YES)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
	rule_evidence(f, "/etc/adjtime says that the RTC keeps local time");
	rule_advice(f, "timedatectl set-local-rtc 0");
}
