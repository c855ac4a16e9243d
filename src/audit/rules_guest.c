/* SPDX-License-Identifier: Apache-2.0 */

/* rules_guest.c - the host's clock in a KVM guest */

#include <string.h>

#include "audit/rules.h"

/* Nobody has to load what cannot be loaded: with no-kvmclock the module refuses. */
static bool is_possible(const struct audit_facts *facts)
{
	return facts->place.is_kvm && facts->ptp.has_module != FACT_NO;
}

void rule_ptp_kvm(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_ptp *ptp = &facts->ptp;
	bool will_load = ptp->load_file[0] || ptp->is_builtin;
	struct finding *f;

	if (!is_possible(facts) || (ptp->has_kvm && will_load))
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_LOAD_PTP_KVM);
	if (ptp->has_kvm)
		rule_evidence(f, "%s is there, but no file of modules-load.d names ptp_kvm: it is gone "
				 "after the next boot", ptp->device);
	else if (will_load)
		rule_evidence(f, "%s names ptp_kvm, and there is no clock \"KVM virtual PTP\"",
			      ptp->load_file);
	else
		rule_evidence(f, "there is no clock \"KVM virtual PTP\", and no file of modules-load.d "
				 "names ptp_kvm");
}
