/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/remedies.h"

#include <errno.h>
#include <string.h>

#include "audit/draft.h"

bool remedy_is_wanted(const struct remedy_choice *choice, const struct finding *finding)
{
	if (!choice->n_ids)
		return finding->severity != FINDING_NOTE;
	for (unsigned i = 0; i < choice->n_ids; i++)
		if (strcmp(choice->ids[i], finding->rule->id) == 0)
			return true;
	return false;
}

static bool has_chrony(const struct audit_facts *facts)
{
	return facts->chrony.file == FACT_FILE_READ;
}

static bool has_vmtimed(const struct audit_facts *facts)
{
	return facts_unit(facts, "vmtimed.service") != NULL;
}

static bool is_about_daemon(enum audit_remedy remedy)
{
	return remedy == REMEDY_REFCLOCK || remedy == REMEDY_MAKESTEP || remedy == REMEDY_RTCSYNC;
}

bool remedies_ask_daemon(const struct audit_facts *facts, const struct findings *findings,
			 const struct remedy_choice *choice)
{
	if (choice->daemon != REMEDY_ANY_DAEMON || !has_chrony(facts) || !has_vmtimed(facts))
		return false;
	for (unsigned i = 0; i < findings->n; i++)
		if (is_about_daemon(findings->list[i].remedy) &&
		    remedy_is_wanted(choice, &findings->list[i]))
			return true;
	return false;
}

static void say_advice(struct draft *d, const struct finding *finding)
{
	if (finding->advice[0])
		draft_note(d, "not for fix to do: %s", finding->advice);
}

static void mend(struct draft *d, const struct finding *f)
{
	switch (f->remedy) {
	case REMEDY_ADD_KERNEL_ARGUMENT: remedy_kernel_argument(d, f->subject, false); return;
	case REMEDY_REMOVE_KERNEL_ARGUMENT: remedy_kernel_argument(d, f->subject, true); return;
	case REMEDY_REBOOT: draft_note(d, "what is configured of %s is in force after a reboot", f->subject); return;
	case REMEDY_FIX_FREQUENCY: remedy_frequency(d, f->subject); return;
	case REMEDY_ENABLE_CPUPOWER: remedy_enable_cpupower(d, f->subject); return;
	case REMEDY_LOAD_PTP_KVM: remedy_load_ptp_kvm(d); return;
	case REMEDY_REFCLOCK: remedy_refclock(d, f->subject); return;
	case REMEDY_MAKESTEP: remedy_makestep(d, f->subject); return;
	case REMEDY_RTCSYNC: remedy_rtcsync(d, f->subject); return;
	case REMEDY_SYNC_TIME: remedy_sync_time(d, f->subject); return;
	case REMEDY_DOMAIN_XML:
	case REMEDY_ADVICE: say_advice(d, f); return;
	case REMEDY_NONE:
	case REMEDIES: return;
	}
}

int remedies_plan(const struct audit_facts *facts, const struct findings *findings,
		  const struct remedy_choice *choice, struct plan *plan)
{
	struct draft d = { .facts = facts, .plan = plan, .daemon = choice->daemon };

	if (d.daemon == REMEDY_ANY_DAEMON)
		d.daemon = has_chrony(facts) || !has_vmtimed(facts) ? REMEDY_CHRONY : REMEDY_VMTIMED;
	for (unsigned i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->list[i];
		size_t before = plan->n_changes;

		if (!remedy_is_wanted(choice, f))
			continue;
		d.rule = f->rule->id;
		mend(&d, f);
		if (plan->n_changes != before)
			plan_rule(plan, d.rule);
	}
	return plan->has_failed || plan->rules.has_failed ? -ENOMEM : 0;
}
